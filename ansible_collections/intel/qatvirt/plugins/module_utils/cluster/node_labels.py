# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and annotations that say who gets the VFs of a node, and what keeps a node from changing its workload.

Pure. Intel's plugin and KubeVirt's own plugin would each count every VF of a node that they share, and kubelet would
give one VF away twice. So the label ``workload`` decides: Intel's plugin selects ``container`` (and ``ready``), and
KubeVirt keeps off nodes with ``container``.
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
MARK_KEYS = (WORKLOAD_LABEL, SERVICES_LABEL, READY_LABEL, VFS_ANNOTATION)
"""Labels and annotations that this collection writes on Node objects."""

Marks = dict[str, "str | None"]
"""Value of each of MARK_KEYS on a Node object; None: the Node object does not have the label or annotation."""


def marks_of(item: Object) -> Marks:
    """The marks that a Node object has."""
    metadata = item["metadata"]
    found = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return {key: found.get(key) for key in MARK_KEYS}


def wanted_marks(node: ClusterNode, now: Marks, proved: bool) -> Marks:
    """The marks that a node is to have.

    A node with problems is never ready. A node for containers is ready when it has no problems; then Intel's plugin
    starts on the node. A node for virtual machines becomes ready when the cluster was seen to count its VFs
    (``proved``), and stays ready until its workload changes.
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
    """The merge patch that gives a Node object these marks; a mark of None is removed."""
    annotations = {key: value for key, value in marks.items() if key in _ANNOTATIONS}
    labels = {key: value for key, value in marks.items() if key not in _ANNOTATIONS}
    groups = {"labels": labels, "annotations": annotations}
    return {"metadata": {name: group for name, group in groups.items() if group}}


def difference(now: Marks, then: Marks) -> Marks:
    """The marks of ``then`` that differ from ``now``."""
    return {key: value for key, value in then.items() if now[key] != value}


def describe(marks: list[tuple[str, Marks]]) -> str:
    """Marks of several nodes as the text of a diff."""
    lines = []
    for name, values in marks:
        lines.append(f"{name}:")
        lines += [f"  {key}: {value}" for key, value in values.items() if value is not None]
    return "".join(f"{line}\n" for line in lines)


def users_against(node: ClusterNode, node_name: str, pods: list[Object], resources: list[str]) -> list[str]:
    """Users of a node that its workload does not allow, one sentence each.

    ``node``: with the workload that it is to have. ``pods``: of the whole cluster. ``resources``: names under which
    virtual machines get VFs. A node for containers allows no virtual machine, with or without a VF, because KubeVirt
    leaves the node.
    """
    here = [pod for pod in pods if pod["spec"].get("nodeName") == node_name and not has_ended(pod)]
    machines = [pod for pod in here if is_launcher(pod) or _asks_for(pod, tuple(resources))]
    containers = [pod for pod in here if _asks_for(pod, (PLUGIN_PREFIX,))]
    refused, allowed = (machines, containers) if node.workload == CONTAINER else (containers, machines)
    known_uids = {pod["metadata"].get("uid") for pod in (*refused, *allowed)}
    other_holders = [text for uid, text in node.held if uid is None or uid not in known_uids]
    return [_sentence(pod) for pod in refused] + other_holders


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


def resources_of_old_workload(node: ClusterNode, resources: list[str]) -> list[str]:
    """Resources that must be gone from a node before the VFs are advertised for its new workload.

    ``node``: with its new workload. ``resources``: names under which virtual machines get VFs.
    """
    return resources if node.workload == CONTAINER else [PLUGIN_PREFIX]


def summary(node: ClusterNode, name: str, marks: Marks) -> dict[str, Any]:
    """One node in the result of the module qat_workload."""
    return {
        "name": name,
        "workload": marks[WORKLOAD_LABEL],
        "services": marks[SERVICES_LABEL],
        "ready": marks[READY_LABEL] == "true",
        "vfs": node.total,
        "problems": list(node.problems),
    }
