# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as the Kubernetes API returns them, with what the cluster layer looks at."""

from __future__ import annotations

from typing import Any


def node_object(name: str, allocatable: dict[str, str] | None = None, **labels: str) -> dict[str, Any]:
    """A Node object. labels: by the last part of their name."""
    return {
        "metadata": {"name": name, "labels": {f"qatvirt.intel.com/{key}": value for key, value in labels.items()}},
        "spec": {},
        "status": {"allocatable": {"cpu": "4", **(allocatable or {})}},
    }


def pod_object(name: str, node: str, *, phase: str = "Running", asks: str = "", **metadata: Any) -> dict[str, Any]:
    """A Pod. asks: name of a resource of which the pod asks for one."""
    limits = {"cpu": "1", **({asks: "1"} if asks else {})}
    return {
        "metadata": {"name": name, "namespace": "apps", "uid": f"uid-{name}", **metadata},
        "spec": {"nodeName": node, "containers": [{"name": "main", "resources": {"limits": limits}}]},
        "status": {"phase": phase},
    }


def launcher(name: str, node: str, asks: str = "") -> dict[str, Any]:
    """The pod of a virtual machine."""
    owner = {"kind": "VirtualMachineInstance", "name": name}
    labels = {"kubevirt.io": "virt-launcher"}
    return pod_object(f"virt-launcher-{name}-x1", node, asks=asks, labels=labels, ownerReferences=[owner])
