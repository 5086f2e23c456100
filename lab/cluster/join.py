# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining running nodes to the lab's cluster."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Mapping, Sequence

from lab.cluster.control_plane import ControlPlane
from lab.cluster.images import REGISTRY
from lab.node import Node
from lab.progress import stage

CONTROL_PLANE_ROLE = "node-role.kubernetes.io/control-plane"
PATIENCE = "600s"
"""Time until a node that does not become Ready is given up: it takes 20 seconds on two idle cores."""


def join(node: Node, pod_subnet: str, control_plane: ControlPlane) -> None:
    """Give a node its keys and start its kubelet and kube-proxy. An old Node object of that name is deleted first."""
    control_plane.kubectl("delete", "node", node.name, "--ignore-not-found", "--wait")
    node.run("base64 -d | tar -C / -xz", stdin=_archive(node_files(node, pod_subnet, control_plane)))
    node.run("systemctl daemon-reload; systemctl restart containerd kubelet kube-proxy")


def has_joined(node: Node) -> bool:
    """Whether a node that has been running still runs the kubelet that join() started."""
    return node.run("systemctl --quiet is-active kubelet", check=False).returncode == 0


def await_ready(names: Sequence[str], control_plane: ControlPlane) -> None:
    """Wait until all these nodes are Ready. Raises LabError with what kubectl says when one does not become Ready."""
    nodes = [f"node/{name}" for name in names]
    with stage(f"wait for {', '.join(names)} to become Ready"):
        for node in nodes:  # kubectl waits for the creation of only one object
            control_plane.kubectl("wait", "--for=create", node, f"--timeout={PATIENCE}")
        # KubeVirt's operator asks for a node with this role.
        control_plane.kubectl("label", "--overwrite", *nodes, f"{CONTROL_PLANE_ROLE}=")
        control_plane.kubectl("wait", "--for=condition=Ready", *nodes, f"--timeout={PATIENCE}")


def node_files(node: Node, pod_subnet: str, control_plane: ControlPlane) -> dict[str, str]:
    """Files that differ from node to node: their content by path below /."""
    kubelet = control_plane.kubelet_pair(node.name, node.address)
    return {
        "etc/kubernetes/ca.crt": control_plane.pki.authority("ca").certificate.read_text(),
        "etc/kubernetes/kubelet.crt": kubelet.certificate.read_text(),
        "etc/kubernetes/kubelet.key": kubelet.key.read_text(),
        "etc/kubernetes/kubelet.kubeconfig": control_plane.kubelet_config(node.name, node.address),
        "etc/kubernetes/kube-proxy.kubeconfig": control_plane.proxy_config(),
        "etc/kubernetes/node.env": f"NODE={node.name}\nADDRESS={node.address}\n",
        "etc/cni/net.d/10-qatlab.conflist": cni_config(pod_subnet),
        f"etc/containerd/certs.d/{REGISTRY}/hosts.toml": registry_mirror(control_plane.registry_url),
    }


def cni_config(pod_subnet: str) -> str:
    """The CNI configuration of a node: a bridge for its pods. The host routes between the nodes' pod subnets."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": pod_subnet}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "1.0.0", "name": "lab", "plugins": [bridge, ports]}, indent=1)


def registry_mirror(url: str) -> str:
    """The text of containerd's hosts.toml with the URL of the lab's registry."""
    return f'server = "{url}"\n\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'


def _archive(files: Mapping[str, str]) -> str:
    """A compressed tar archive of files in base64, so that it passes through a shell."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content.encode())
            entry.mode = 0o600
            archive.addfile(entry, io.BytesIO(content.encode()))
    return base64.b64encode(memory.getvalue()).decode()
