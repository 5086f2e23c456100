# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane of a cluster: etcd, Kubernetes' servers and a registry as processes of the host."""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from lab import resources
from lab.cluster import programs, registry
from lab.cluster.pki import KeyPair, Pki
from lab.errors import LabError
from lab.network import Network
from lab.paths import remove_tree
from lab.processes import Process
from lab.progress import stage
from lab.shell import run

API_PORT = 6443
AUDITED = "system:serviceaccounts:qatvirt"
"""Group of the users whose calls of the API are in the audit log."""
REGISTRY_PORT = 5000
SERVICES = "10.92.0.0/16"
"""Subnet of the addresses of Services. Only nodes know these addresses, so they are the same in every lab."""
API_SERVICE = "10.92.0.1"
"""Address of the Service kubernetes.default."""
PATIENCE = 180.0
"""Seconds until a server that does not become ready is given up; it takes about 5 on two idle cores."""
SERVERS = (registry.PROGRAM, "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""The processes of a control plane in the order of their start."""


@dataclass(frozen=True)
class ControlPlane:
    """The control plane of one lab. directory: has a working directory for each server, their keys and logs."""

    directory: Path
    network: Network

    @property
    def url(self) -> str:
        return f"https://{self.network.gateway}:{API_PORT}"

    @property
    def registry_url(self) -> str:
        """URL of the lab's registry with plain http. Nodes use the name images.REGISTRY for it."""
        return f"http://{self.network.gateway}:{REGISTRY_PORT}"

    @property
    def pki(self) -> Pki:
        return Pki(self.directory / "pki")

    @property
    def audit_log(self) -> Path:
        """The audit log: calls of users of the group AUDITED, one JSON object a line (audit.k8s.io/v1, Metadata)."""
        return self.directory / "audit.log"

    def audited(self) -> list[dict[str, Any]]:
        """The calls in the audit log, the oldest first."""
        return [json.loads(line) for line in self.audit_log.read_text().splitlines()]

    @property
    def kubeconfig(self) -> Path:
        """The path of the cluster administrator's kubeconfig."""
        return self.directory.parent / "kubeconfig"

    def start(self, images: Path) -> None:
        """Start the servers that do not run, and wait until all servers answer.

        images: the OCI layout directory with the container images that a new registry is filled with.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        registry.fill(self._storage, images)
        with stage("start the control plane"):
            self.kubeconfig.write_text(self._config("admin", "admin", group="system:masters"))
            self.kubeconfig.chmod(0o600)
            arguments = {
                registry.PROGRAM: self._registry(),
                "etcd": self._etcd(),
                "kube-apiserver": self._apiserver(),
                "kube-controller-manager": self._controllers(),
                "kube-scheduler": self._scheduler(),
            }
            for name in SERVERS:
                self._start(name, arguments[name])
                self._await(name)

    def stop(self) -> None:
        """End all servers and remove their directories, and with etcd's all objects of the cluster."""
        for name in reversed(SERVERS):
            self.server(name).kill()
        remove_tree(self.directory)
        self.kubeconfig.unlink(missing_ok=True)

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl as the administrator and give its output. Raises LabError with its message when it fails.

        text: kubectl's standard input.
        """
        return run(component("kubectl"), "--kubeconfig", self.kubeconfig, *arguments, text=text)

    def kubelet_pair(self, node: str, address: str) -> KeyPair:
        """The key pair of a node's kubelet: a client for the Node authorizer, and a server at the node's address."""
        return self.pki.pair(f"node-{node}", f"system:node:{node}", group="system:nodes", hosts=[node, address])

    def kubelet_config(self, node: str, address: str) -> str:
        """The text of the kubeconfig of a node's kubelet."""
        return self.pki.kubeconfig(self.kubelet_pair(node, address), self.url)

    def proxy_config(self) -> str:
        """The text of kube-proxy's kubeconfig."""
        return self._config("kube-proxy", "system:kube-proxy")

    def server(self, name: str) -> Process:
        """The process of one of SERVERS."""
        return Process(self.directory / name, name)

    def _start(self, name: str, arguments: list[str]) -> None:
        process = self.server(name)
        if process.pid() is None:
            resources.require_free_port(*self._endpoint(name), name)
            process.directory.mkdir(parents=True, exist_ok=True)
            process.start(arguments, executable=None if name == registry.PROGRAM else component(name))

    def _await(self, name: str) -> None:
        """Wait until a server answers. Raises LabError when the server ends or does not answer in time."""
        process = self.server(name)
        deadline = time.monotonic() + PATIENCE
        while not self._answers(name):
            if failure := process.failure():
                raise LabError(f"{failure}\nAll its output is in {process.log}.")
            if time.monotonic() > deadline:
                raise LabError(f"{name} runs but is not ready after {PATIENCE:.0f} s: see {process.log}.")
            time.sleep(0.1)

    def _answers(self, name: str) -> bool:
        """Whether a server's health check succeeds."""
        context = ssl.create_default_context()
        context.check_hostname = False  # the controller manager and the scheduler make their own at each start
        context.verify_mode = ssl.CERT_NONE
        admin = self.pki.pair("admin", "admin", group="system:masters")
        context.load_cert_chain(admin.certificate, admin.key)
        try:
            with urllib.request.urlopen(self._health(name), timeout=5, context=context) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def _health(self, name: str) -> str:
        host, port = self._endpoint(name)
        return {
            registry.PROGRAM: f"{self.registry_url}/v2/",
            "etcd": f"http://{host}:{port}/health",
            "kube-apiserver": f"https://{host}:{port}/readyz",
            "kube-controller-manager": f"https://{host}:{port}/healthz",
            "kube-scheduler": f"https://{host}:{port}/healthz",
        }[name]

    def _endpoint(self, name: str) -> tuple[str, int]:
        """The address and the port that a server listens at."""
        return {
            registry.PROGRAM: (self.network.gateway, REGISTRY_PORT),
            "etcd": (self._private, 2379),
            "kube-apiserver": (self.network.gateway, API_PORT),
            "kube-controller-manager": (self._private, 10257),
            "kube-scheduler": (self._private, 10259),
        }[name]

    @property
    def _private(self) -> str:
        """The loopback address of this lab. Other labs have other addresses, and only the host reaches them."""
        return f"127.90.{self.network.number}.1"

    def _config(self, name: str, user: str, group: str = "") -> str:
        return self.pki.kubeconfig(self.pki.pair(name, user, group=group), self.url)

    def _config_file(self, name: str) -> Path:
        """Write the kubeconfig of a server that is a client of the API, and give its path."""
        file = self.directory / f"{name}.kubeconfig"
        file.write_text(self._config(name, f"system:{name}"))
        file.chmod(0o600)
        return file

    @property
    def _storage(self) -> Path:
        return self.directory / "registry"

    def _registry(self) -> list[str]:
        host, port = self._endpoint(registry.PROGRAM)
        return registry.arguments(f"{host}:{port}", self._storage, self.directory / "registry.yml")

    def _etcd(self) -> list[str]:
        client, peer = f"http://{self._private}:2379", f"http://{self._private}:2380"
        return _flags(
            name="lab",
            data_dir="data",
            listen_client_urls=client,
            advertise_client_urls=client,
            listen_peer_urls=peer,
            initial_advertise_peer_urls=peer,
            initial_cluster=f"lab={peer}",
            unsafe_no_fsync="true",
            log_level="warn",
        )

    def _apiserver(self) -> list[str]:
        pki, gateway = self.pki, self.network.gateway
        kubernetes = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        server = pki.pair("kube-apiserver", "kube-apiserver", hosts=[gateway, API_SERVICE, *kubernetes])
        kubelets = pki.pair("kubelet-client", "kube-apiserver-kubelet-client", group="system:masters")
        proxy = pki.pair("front-proxy-client", "front-proxy-client", authority="front-proxy-ca")
        return _flags(
            advertise_address=gateway,
            bind_address=gateway,
            secure_port=API_PORT,
            etcd_servers=f"http://{self._private}:2379",
            service_cluster_ip_range=SERVICES,
            authorization_mode="Node,RBAC",
            enable_admission_plugins="NodeRestriction",
            allow_privileged="true",
            client_ca_file=pki.authority("ca").certificate,
            tls_cert_file=server.certificate,
            tls_private_key_file=server.key,
            kubelet_certificate_authority=pki.authority("ca").certificate,
            kubelet_client_certificate=kubelets.certificate,
            kubelet_client_key=kubelets.key,
            kubelet_preferred_address_types="InternalIP",
            service_account_issuer="https://kubernetes.default.svc",
            service_account_key_file=pki.signing_key(),
            service_account_signing_key_file=pki.signing_key(),
            requestheader_client_ca_file=pki.authority("front-proxy-ca").certificate,
            requestheader_allowed_names="front-proxy-client",
            requestheader_username_headers="X-Remote-User",
            requestheader_group_headers="X-Remote-Group",
            requestheader_extra_headers_prefix="X-Remote-Extra-",
            proxy_client_cert_file=proxy.certificate,
            proxy_client_key_file=proxy.key,
            # The host cannot reach addresses of Services: webhooks and aggregated APIs are called at pods' addresses.
            enable_aggregator_routing="true",
            profiling="false",
            audit_policy_file=self._audit_policy(),
            audit_log_path=self.audit_log,
            audit_log_maxsize=50,
            audit_log_maxbackup=1,
        )

    def _audit_policy(self) -> Path:
        file = self.directory / "audit-policy.yaml"
        rules = [{"level": "Metadata", "userGroups": [AUDITED]}, {"level": "None"}]
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
        file.write_text(yaml.safe_dump(policy))
        return file

    def _controllers(self) -> list[str]:
        authority = self.pki.authority("ca")
        config = self._config_file("kube-controller-manager")
        return _flags(
            kubeconfig=config,
            authentication_kubeconfig=config,
            authorization_kubeconfig=config,
            root_ca_file=authority.certificate,
            client_ca_file=authority.certificate,
            cluster_signing_cert_file=authority.certificate,
            cluster_signing_key_file=authority.key,
            service_account_private_key_file=self.pki.signing_key(),
            use_service_account_credentials="true",
            requestheader_client_ca_file=self.pki.authority("front-proxy-ca").certificate,
            allocate_node_cidrs="false",
            leader_elect="false",
            bind_address=self._private,
        )

    def _scheduler(self) -> list[str]:
        config = self._config_file("kube-scheduler")
        return _flags(
            kubeconfig=config,
            authentication_kubeconfig=config,
            authorization_kubeconfig=config,
            leader_elect="false",
            bind_address=self._private,
        )


def component(name: str) -> Path:
    """The path of one of Kubernetes' programs, compiled if the cache does not have it."""
    return programs.build(programs.KUBERNETES) / name


def _flags(**values: object) -> list[str]:
    """Command line options from keyword arguments: tls_cert_file="x" gives --tls-cert-file=x."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
