# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites on which everything is right, of any size: facts of nodes, and what the API has of them and their pods."""

from __future__ import annotations

import json
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.snapshot import ClusterSnapshot
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.site import CheckedNode, Site, checked_node
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel

POLICY: list[dict[str, Any]] = [{}]
VM, CONTAINER = "node1", "node2"
RESOURCES = {"8086:4941": "intel.com/qat"}
KUBERNETES = "v1.35.4"
KUBEVIRT = "v1.8.4"
VFS = 16
PLUGIN_NAMESPACE = "qatvirt"

Data = dict[str, Any]


def healthy_facts(pfs: int = 1, device: str = "4940", args: str = "root=/dev/vda ro", **host: Any) -> Data:
    """Facts of a node that was converged, whatever its name."""
    specs = tuple(PfSpec(f"{index // 8:04x}:{16 + index % 8:02x}:00.0", device, totalvfs=VFS) for index in range(pfs))
    kernel = with_host(SimKernel(specs), args, **host)
    converge(kernel, parse_policy(POLICY))
    return booted(kernel)


def booted(kernel: SimKernel) -> Data:
    """Facts of a node with its boot unit."""
    with tempfile.TemporaryDirectory() as root:
        facts = facts_of(kernel, Path(root))
    messages = [f"{pf['address']}: follows the policy" for pf in facts["pfs"]]
    facts["boot"] = {
        "installed": True,
        "enabled": True,
        "policy": {"policy": POLICY, "pfs": [pf["address"] for pf in facts["pfs"]], "modules": ["vfio-pci"]},
        "status": {"ok": True, "messages": messages, "failures": []},
    }
    # As it travels through Ansible.
    copied: Data = json.loads(json.dumps(facts))
    return copied


def case(name: str, workload: str, facts: Data, policy: object = None) -> CheckedNode:
    """A node of the inventory."""
    return checked_node(name, facts, policy or POLICY, [], workload=workload)


def node_object(name: str, workload: str, vfs: int = VFS) -> Data:
    """Its Node object."""
    resource = "intel.com/qat" if workload == "vm" else "qat.intel.com/cy"
    labels = {"workload": workload, "ready": "true", "services": "sym-asym"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {f"qatvirt.intel.com/{key}": value for key, value in labels.items()}},
        "spec": {},
        "status": {
            "allocatable": {"cpu": "4", resource: str(vfs)},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "posting"}],
        },
    }


def agent_pod(node: str, workload: str) -> Data:
    """The pod that advertises a node's VFs: virt-handler or Intel's plugin."""
    for_vms = workload == "vm"
    namespace = "kubevirt" if for_vms else PLUGIN_NAMESPACE
    label = {"kubevirt.io": "virt-handler"} if for_vms else {"app.kubernetes.io/name": "intel-qat-plugin"}
    return ready_pod(f"agent-{node}", namespace, node, label)


def ready_pod(name: str, namespace: str, node: str, labels: dict[str, str] | None = None, **limits: str) -> Data:
    """A pod that runs. limits: devices it has."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "labels": labels or {}},
        "spec": {
            "nodeName": node,
            "containers": [{"name": "main", "image": "registry/image:1", "resources": {"limits": limits}}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        },
    }


def plugin_daemonset(limit: int = VFS) -> Data:
    """The DaemonSet of Intel's plugin."""
    labels = {"app.kubernetes.io/name": "intel-qat-plugin"}
    container = {
        "name": "intel-qat-plugin",
        "image": "registry/intel-qat-plugin:0.36.0",
        "args": ["-kernel-vf-drivers=4xxxvf", f"-max-num-devices={limit}"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "intel-qat-plugin", "namespace": PLUGIN_NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def kubevirt_object() -> Data:
    """KubeVirt's CR."""
    permitted = [{"pciVendorSelector": selector, "resourceName": name} for selector, name in RESOURCES.items()]
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {
            "configuration": {
                "developerConfiguration": {"featureGates": ["HostDevices"]},
                "permittedHostDevices": {"pciHostDevices": permitted},
            }
        },
        "status": {
            "conditions": [{"type": "Available", "status": "True", "reason": "AllComponentsReady", "message": "all"}],
            "observedKubeVirtVersion": KUBEVIRT,
            "targetKubeVirtVersion": KUBEVIRT,
        },
    }


def snapshot(workloads: dict[str, str], vfs: int = VFS) -> ClusterSnapshot:
    """A cluster in which everything is right. workloads: by node."""
    return ClusterSnapshot(
        server="https://10.0.0.1:6443",
        version=KUBERNETES,
        nodes=[node_object(name, workload, vfs) for name, workload in workloads.items()],
        pods=[agent_pod(name, workload) for name, workload in workloads.items()],
        daemonsets=[plugin_daemonset(vfs)],
        kubevirts=[kubevirt_object()],
    )


def healthy_site(nodes: int = 2, pfs: int = 1) -> Site:
    """Every second node is for containers. The facts of all are alike."""
    facts = healthy_facts(pfs)
    workloads = {f"node{number}": "container" if number % 2 == 0 else "vm" for number in range(1, nodes + 1)}
    cases = tuple(case(name, workload, {**deepcopy(facts), "node": name}) for name, workload in workloads.items())
    return Site(nodes=cases, snapshot=snapshot(workloads, pfs * VFS), resources=RESOURCES)
