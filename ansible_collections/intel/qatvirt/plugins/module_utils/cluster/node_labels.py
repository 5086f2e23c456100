# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets the VFs of a node, containers or virtual machines: the labels, and whether they may change now.

Pure. Intel's plugin and KubeVirt's own would each count every VF of a node they share, and kubelet would give one VF
away twice. So the label ``workload`` decides: Intel's plugin selects ``container`` (and ``ready``), and KubeVirt keeps
off such nodes.
"""

from __future__ import annotations

from typing import Any

from .nodes import (
    CONTAINER,
    PLUGIN_PREFIX,
    READY_LABEL,
    SERVICES_LABEL,
    VFS_ANNOTATION,
    WORKLOAD_LABEL,
    ClusterNode,
    is_named,
)
from .objects import Object, name_of
from .pods import devices_of, has_ended, is_launcher, machine_of

_ANNOTATIONS = (VFS_ANNOTATION,)
OURS = (WORKLOAD_LABEL, SERVICES_LABEL, READY_LABEL, VFS_ANNOTATION)

Marks = dict[str, "str | None"]
"""Value of each of OURS on a Node object; None: it is not there."""


def marks_of(item: Object) -> Marks:
    """What a Node object carries of ours."""
    metadata = item["metadata"]
    found = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return {key: found.get(key) for key in OURS}


def wanted_marks(node: ClusterNode, now: Marks, proved: bool) -> Marks:
    """What a node is to carry in the end.

    A node whose VFs are not as they must be is never ready. One for containers is ready when its VFs are: that is what
    lets Intel's plugin in. One for virtual machines becomes ready when the cluster was seen to count its VFs
    (``proved``), and stays it until it changes hands.
    """
    fit = not node.problems and node.total > 0
    stays = now[WORKLOAD_LABEL] == node.workload and now[READY_LABEL] == "true"
    ready = fit and (proved or stays or node.workload == CONTAINER)
    return {
        WORKLOAD_LABEL: node.workload,
        SERVICES_LABEL: node.services,
        READY_LABEL: "true" if ready else None,
        VFS_ANNOTATION: str(node.total),
    }


def patch(marks: Marks) -> Object:
    """The merge patch that gives a Node object these marks; None takes one away."""
    annotations = {key: value for key, value in marks.items() if key in _ANNOTATIONS}
    labels = {key: value for key, value in marks.items() if key not in _ANNOTATIONS}
    groups = {"labels": labels, "annotations": annotations}
    return {"metadata": {name: group for name, group in groups.items() if group}}


def difference(now: Marks, then: Marks) -> Marks:
    """The marks that change."""
    return {key: value for key, value in then.items() if now[key] != value}


def describe(marks: list[tuple[str, Marks]]) -> str:
    """Marks of several nodes as a person reads them in a diff."""
    lines = []
    for name, values in marks:
        lines.append(f"{name}:")
        lines += [f"  {key}: {value}" for key, value in values.items() if value is not None]
    return "".join(f"{line}\n" for line in lines)


def in_the_way(node: ClusterNode, node_name: str, pods: list[Object], resources: list[str]) -> list[str]:
    """What uses the node in a way that does not go with the workload it is to have, one sentence each.

    ``pods``: of the whole cluster. ``resources``: names under which virtual machines get VFs. Where the node is to be
    for containers every virtual machine is in the way, with or without a VF: KubeVirt leaves the node.
    """
    here = [pod for pod in pods if pod["spec"].get("nodeName") == node_name and not has_ended(pod)]
    machines = [pod for pod in here if is_launcher(pod) or _asks_for(pod, tuple(resources))]
    containers = [pod for pod in here if _asks_for(pod, (PLUGIN_PREFIX,))]
    wrong, right = (machines, containers) if node.workload == CONTAINER else (containers, machines)
    rightful = {pod["metadata"].get("uid") for pod in right}
    told = {pod["metadata"].get("uid") for pod in wrong}
    others = [text for uid, text in node.held if uid is None or uid not in rightful | told]
    return [_sentence(pod) for pod in wrong] + others


def _asks_for(pod: Object, resources: tuple[str, ...]) -> bool:
    return any(is_named(name, resource) for name in devices_of(pod) for resource in resources)


def _sentence(pod: Object) -> str:
    namespace = pod["metadata"]["namespace"]
    where = f"{namespace}/{name_of(pod)}"
    machine = machine_of(pod)
    if machine:
        return f"virtual machine {namespace}/{machine} (pod {where})"
    asked = ", ".join(f"{name}: {count}" for name, count in sorted(devices_of(pod).items()))
    return f"pod {where} ({asked or 'no device'})"


def must_be_empty(node: ClusterNode, resources: list[str]) -> list[str]:
    """Resources that have to be gone from a node before its new owner may begin to advertise."""
    return resources if node.workload == CONTAINER else [PLUGIN_PREFIX]


def summary(node: ClusterNode, name: str, marks: Marks) -> dict[str, Any]:
    """One node of the module's result."""
    return {
        "name": name,
        "workload": marks[WORKLOAD_LABEL],
        "services": marks[SERVICES_LABEL],
        "ready": marks[READY_LABEL] == "true",
        "vfs": node.total,
        "problems": list(node.problems),
    }
