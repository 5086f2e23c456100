# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support bundle of a site, with secrets in all places of a real API server, by the rights that rbac.yml grants.

The only node is this machine. In place of its kubelet there is a server that gives logs of pods.
"""

from __future__ import annotations

import base64
import json
import ssl
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from lab.cluster.control_plane import ControlPlane
from tests.cluster.modules import Cluster, module
from tests.plays import Play, play

NODE = "qat1"
MACHINES = "virtualmachineinstances.kubevirt.io"
PLUGIN_IMAGE = "registry.example/intel/intel-qat-plugin@sha256:" + "ab" * 32
SECRETS = {
    place: f"Zq7{place}{'x' * 12}"
    for place in (
        "userData",
        "env",
        "annotation",
        "patch",
        "log",
        "previous",
        "event",
        "args",
        "node",
        "report",
        "machine",
    )
}
LOG = f"I1125 registered intel.com/qat\nlogin with password={SECRETS['log']} failed\n"
PREVIOUS = f"panic: no /dev/vfio\nAuthorization: Bearer {SECRETS['previous']}\n"


class Kubelet(BaseHTTPRequestHandler):
    """Answers as kubelet does to a call for a log."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        assert asked.path.startswith("/containerLogs/")
        query = parse_qs(asked.query)
        assert int(query["tailLines"][0]) > 0
        self.send_response(200)
        self.end_headers()
        self.wfile.write((PREVIOUS if query.get("previous") == ["true"] else LOG).encode())

    def log_message(self, format: str, *_arguments: Any) -> None:  # noqa: A002
        """Say nothing."""


@dataclass(frozen=True)
class Site:
    """A cluster with secrets in it. uid: of the virtual machine."""

    server: ControlPlane
    inventory: Path
    directory: Path
    kubeconfig: Path
    uid: str

    def play(self, *options: str, **variables: Any) -> Play:
        given = {"qatvirt_kubeconfig": str(self.kubeconfig), "support_bundle_directory": str(self.directory)}
        return play(self.inventory, "support_bundle", *options, **{**given, **variables})

    def bundle(self, *options: str, **variables: Any) -> dict[str, str]:
        """The files of the bundle that a run writes."""
        done = self.play(*options, **variables)
        assert done.code == 0, done.text
        assert [secret for secret in SECRETS.values() if secret in done.text] == []
        (file,) = self.directory.glob("*.tar.gz")
        assert file.stat().st_mode & 0o777 == 0o600
        assert str(file) in done.text.replace("\n", "").replace(" ", "")
        with tarfile.open(file) as packed:
            found = {
                entry.name.partition("/")[2]: packed.extractfile(entry).read().decode()  # type: ignore[union-attr]
                for entry in packed
            }
        file.unlink()
        return found


def kubelet(server: ControlPlane) -> ThreadingHTTPServer:
    """A server of logs at the address of the API server."""
    address = server.network.gateway
    pair = server.kubelet_pair(NODE, address)
    listening = ThreadingHTTPServer((address, 0), Kubelet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    return listening


def daemonset(name: str, namespace: str, labels: dict[str, str], image: str) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": image,
        "command": ["run", "--api-token", SECRETS["args"], "--v=2"],
        "env": [{"name": "DB_PASSWORD", "value": SECRETS["env"]}, {"name": "NODE_NAME", "value": "kept"}],
    }
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    template = {
        "metadata": {"labels": labels, "annotations": {"example.com/api-key": SECRETS["annotation"], "note": "kept"}},
        "spec": {"tolerations": [{"operator": "Exists"}], "containers": [container]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}


def event(namespace: str, kind: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.1", "namespace": namespace},
        "involvedObject": {"kind": kind, "name": name, "namespace": namespace},
        "type": "Warning",
        "reason": "SyncFailed",
        "message": f"of {namespace}: pull https://bob:{SECRETS['event']}@registry.example/x failed",
    }


def objects(port: int, address: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What is in the cluster, and the status of its node."""
    patch = {
        "spec": {"template": {"spec": {"containers": [{"env": [{"name": "API_KEY", "value": SECRETS["patch"]}]}]}}}
    }
    component = {"resourceName": "virt-handler", "resourceType": "Daemonset", "type": "strategic"}
    kubevirt = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt", "annotations": {"token": SECRETS["annotation"]}},
        "spec": {
            "customizeComponents": {"patches": [{**component, "patch": json.dumps(patch)}]},
            "configuration": {
                "permittedHostDevices": {
                    "pciHostDevices": [{"pciVendorSelector": "8086:4941", "resourceName": "example.com/special"}]
                }
            },
        },
    }
    machine = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "user", "namespace": "apps", "annotations": {"password": SECRETS["machine"]}},
        "spec": {
            "domain": {"devices": {"hostDevices": [{"name": "q1", "deviceName": "example.com/special"}]}},
            "volumes": [
                {"name": "init", "cloudInitNoCloud": {"userData": f"#cloud-config\nwrite: {SECRETS['userData']}\n"}},
                {
                    "name": "more",
                    "cloudInitConfigDrive": {
                        "networkDataBase64": base64.b64encode(SECRETS["userData"].encode()).decode()
                    },
                },
            ],
        },
    }
    other = {**machine, "metadata": {"name": "without", "namespace": "apps"}, "spec": {"domain": {}}}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE, "annotations": {"example.com/join-token": SECRETS["node"]}},
    }
    status = {
        "addresses": [{"type": "InternalIP", "address": address}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "allocatable": {"example.com/special": "16", "pods": "10", "cpu": "4", "memory": "8Gi"},
        "capacity": {"example.com/special": "16", "pods": "10", "cpu": "4", "memory": "8Gi"},
        "images": [{"names": ["too-many"], "sizeBytes": 1}],
    }
    agents = [
        daemonset("virt-handler", "kubevirt", {"kubevirt.io": "virt-handler"}, "registry.example/virt-handler:v1.8.4"),
        daemonset("intel-qat-plugin", "qatvirt", {"app": "plugin"}, PLUGIN_IMAGE),
        daemonset("other", "qatvirt", {"app": "other"}, "registry.example/other"),
    ]
    events = [
        event("kubevirt", "DaemonSet", "virt-handler"),
        event("apps", "VirtualMachineInstance", "user"),
        event("apps", "Pod", "nobody"),
    ]
    apps = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}
    return [apps, node, kubevirt, machine, other, *agents, *events], status


@pytest.fixture(scope="module")
def site(server: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The cluster; it is empty again in the end."""
    tmp = tmp_path_factory.mktemp("site")
    kubeconfig, directory = tmp / "qatvirt.kubeconfig", tmp / "out"
    (directory / "qatvirt-report").mkdir(parents=True)
    report = {"schema": 2, "nodes": [{"name": NODE}], "note": f"token: {SECRETS['report']}"}
    (directory / "qatvirt-report/report.json").write_text(json.dumps(report))
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hosts = {NODE: {**local, "ansible_become": False}, "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1}}
    (tmp / "hosts.yml").write_text(yaml.safe_dump({"qat_nodes": {"hosts": hosts}}))
    rights = {"rbac_admin_kubeconfig": str(server.kubeconfig), "rbac_kubeconfig": str(kubeconfig)}
    granted = play(tmp, "rbac", **rights)
    assert granted.code == 0, granted.text
    cluster, definitions = Cluster(server), Path(__file__).with_name("kubevirt_definitions.yml").read_text()
    (kind,) = [item for item in yaml.safe_load_all(definitions) if item["metadata"]["name"] == MACHINES]
    cluster.define(kind)
    listening = kubelet(server)
    try:
        items, status = objects(listening.server_port, server.network.gateway)
        server.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(items))
        patch = json.dumps({"status": status})
        server.kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "-p", patch)
        _restart(server, _wait_for_pods(server))
        uid = server.kubectl("get", "virtualmachineinstance", "user", "-n", "apps", "-o", "jsonpath={.metadata.uid}")
        yield Site(server, tmp, directory, kubeconfig, uid)
    finally:
        server.kubectl("delete", "daemonsets", "--all", "-A")
        server.kubectl("delete", "pods", "--all", "-A", "--force", "--grace-period=0")
        server.kubectl("delete", "kubevirts", "--all", "-A")
        server.kubectl("delete", "namespace", "apps")
        server.kubectl("delete", "node", NODE)
        cluster.forget(kind)
        listening.shutdown()
        listening.server_close()
        removed = play(tmp, "rbac", rbac_state="absent", **rights)
        assert removed.code == 0, removed.text


def _wait_for_pods(server: ControlPlane) -> list[dict[str, Any]]:
    """The pods that kube-controller-manager makes of the DaemonSets, on the node."""
    deadline = time.monotonic() + 60
    while True:
        pods: list[dict[str, Any]] = json.loads(server.kubectl("get", "pods", "-A", "-o", "json"))["items"]
        if len([pod for pod in pods if pod["spec"].get("nodeName")]) == 3:
            return pods
        assert time.monotonic() < deadline, pods
        time.sleep(0.5)


def _restart(server: ControlPlane, pods: list[dict[str, Any]]) -> None:
    """As kubelet would say of a container that ended once."""
    status = {"name": "main", "image": "x", "imageID": "", "ready": True, "restartCount": 2}
    (handler,) = [pod["metadata"] for pod in pods if pod["metadata"]["namespace"] == "kubevirt"]
    patch = json.dumps({"status": {"containerStatuses": [status]}})
    server.kubectl(
        *("patch", "pod", handler["name"], "-n", "kubevirt", "--subresource=status", "--type=merge", "-p", patch)
    )


def leaked(found: dict[str, str]) -> list[tuple[str, str]]:
    """Where which secret can be read, also in base64."""
    forms = {place: (secret, base64.b64encode(secret.encode()).decode()) for place, secret in SECRETS.items()}
    return [
        (path, place)
        for path, text in found.items()
        for place, secrets in forms.items()
        if any(secret in path + text for secret in secrets)
    ]


def test_no_secret_is_in_it_and_what_is_needed_is(site: Site) -> None:
    found = site.bundle("-vvv")
    assert leaked(found) == []
    machines, pods, kubevirts = (
        json.loads(found[f"cluster/{name}.json"]) for name in ("machines", "pods", "kubevirts")
    )
    assert [item["metadata"]["uid"] for item in machines] == [site.uid]
    assert machines[0]["spec"]["domain"]["devices"]["hostDevices"][0]["deviceName"] == "example.com/special"
    assert machines[0]["spec"]["volumes"][0]["cloudInitNoCloud"] == {"userData": "<removed: cloud-init data>"}
    assert machines[0]["metadata"]["managedFields"] == "<removed: managedFields>"
    assert sorted(pod["metadata"]["namespace"] for pod in pods) == ["kubevirt", "qatvirt"]
    (container,) = pods[0]["spec"]["containers"]
    assert container["command"] == ["run", "--api-token", "<removed: token>", "--v=2"]
    assert container["env"] == [
        {"name": "DB_PASSWORD", "value": "<removed: password>"},
        {"name": "NODE_NAME", "value": "kept"},
    ]
    assert pods[0]["metadata"]["annotations"]["note"] == "kept"
    (patch,) = kubevirts[0]["spec"]["customizeComponents"]["patches"]
    assert patch["resourceName"] == "virt-handler"
    assert '"API_KEY", "value": "<removed: key>"' in patch["patch"]
    images = {
        item["spec"]["template"]["spec"]["containers"][0]["image"]
        for item in json.loads(found["cluster/daemonsets.json"])
    }
    assert images == {PLUGIN_IMAGE, "registry.example/virt-handler:v1.8.4"}
    (node,) = json.loads(found["cluster/nodes.json"])
    assert node["status"]["allocatable"]["example.com/special"] == "16"
    assert "images" not in node["status"]
    assert "example.com/special" in json.loads(found["cluster/cluster.json"])["resources"]
    assert json.loads(found["report.json"])["nodes"] == [{"name": NODE}]
    assert set(json.loads(found["versions.json"])) >= {"intel.qatvirt", "ansible-core", "python", "kubernetes"}
    assert json.loads(found[f"nodes/{NODE}.json"])["facts"]["kernel"]["release"]


def test_logs_are_there_also_of_the_run_before(site: Site) -> None:
    found = {path: text for path, text in site.bundle().items() if path.startswith("cluster/logs/")}
    now = [text for path, text in found.items() if not path.endswith(".previous.log")]
    before = [text for path, text in found.items() if path.endswith(".previous.log")]
    assert now == ["I1125 registered intel.com/qat\nlogin with password=<removed: password> failed\n"] * 2
    assert before == ["panic: no /dev/vfio\nAuthorization: <removed: credential>\n"]


def test_the_account_reads_what_it_needs_and_the_rest_is_told(site: Site) -> None:
    found = site.bundle()
    about = [item for item in json.loads(found["cluster/events.json"]) if item["reason"] == "SyncFailed"]
    assert [item["involvedObject"]["name"] for item in about] == ["virt-handler"]
    assert about[0]["message"] == "of kubevirt: pull https://bob:<removed: password>@registry.example/x failed"
    cluster = [line for line in found["not-readable.txt"].splitlines() if "not readable: cluster" in line]
    assert len(cluster) == 1
    assert "events of other namespaces: events is forbidden" in cluster[0]
    assert "node gone: unreachable" in found["README.txt"]


def test_an_administrator_reads_events_of_the_machines_too(site: Site) -> None:
    told = module("qat_support_cluster", kubeconfig=site.server.kubeconfig)["support"]
    names = {item["involvedObject"]["name"] for item in told["events"] if item["reason"] == "SyncFailed"}
    assert names == {"virt-handler", "user"}
    assert told["unreadable"] == {}


def test_logs_are_of_a_bounded_number_of_pods(site: Site) -> None:
    told = module("qat_support_cluster", kubeconfig=site.server.kubeconfig, pods=1)["support"]
    assert len({key.removesuffix(".previous") for key in told["logs"]}) == 1
    assert told["unreadable"] == {"logs of more pods": "1 of 2 logs were collected, those of pods in trouble first"}


def test_the_number_of_calls_does_not_grow_with_the_site(site: Site) -> None:
    before = len(site.server.audited())
    site.bundle()
    calls = site.server.audited()[before:]
    done = [call for call in calls if call["stage"] == "ResponseComplete" and "resource" in call.get("objectRef", {})]
    targets = [(call["verb"], call["objectRef"]) for call in done]
    counted = Counter(
        f"{verb} {to['resource']}{'/' + to['subresource'] if 'subresource' in to else ''}" for verb, to in targets
    )
    # Events: all, which is refused, then those of three namespaces. HyperConverged: two versions. A log of
    # each pod, and one of a run before.
    assert counted == {
        **{f"list {kind}": 1 for kind in ("nodes", "pods", "daemonsets", "virtualmachineinstances", "kubevirts")},
        "list hyperconvergeds": 2,
        "list events": 4,
        "get pods/log": 3,
    }


@pytest.mark.long
def test_check_mode_writes_nothing(site: Site) -> None:
    done = site.play("--check")
    assert done.code == 0, done.text
    assert "would be written to" in " ".join(done.text.split())
    assert list(site.directory.glob("*")) == [site.directory / "qatvirt-report"]


@pytest.mark.long
def test_a_cluster_that_does_not_answer_is_told_and_the_nodes_are_in_it(site: Site, tmp_path: Path) -> None:
    dead = tmp_path / "dead.kubeconfig"
    dead.write_text(site.kubeconfig.read_text().replace(site.server.url, "https://127.0.0.1:1"))
    found = site.bundle(qatvirt_kubeconfig=str(dead))
    assert "cannot be reached" in found["README.txt"]
    assert f"nodes/{NODE}.json" in found
    assert [path for path in found if path.startswith("cluster/")] == []


@pytest.mark.long
def test_without_a_cluster_the_nodes_are_in_it(site: Site) -> None:
    found = site.bundle(qatvirt_cluster=False)
    assert "cluster: none was named" in found["README.txt"]
    assert f"nodes/{NODE}.json" in found


@pytest.mark.long
def test_a_directory_that_is_not_there_is_told(site: Site) -> None:
    done = site.play(support_bundle_directory="/nowhere/at/all")
    assert done.code != 0
    assert done.says("the support bundle cannot be written", "/nowhere/at/all", "support_bundle_directory")
