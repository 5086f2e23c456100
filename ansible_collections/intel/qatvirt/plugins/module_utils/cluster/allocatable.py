# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the cluster count the VFs that are there, and each of them once?

Pure. KubeVirt lists VFs when virt-handler starts or its configuration changes, and never again
(``device_controller.go``): VFs made later are missed, and VFs made anew stay gone, until virt-handler is restarted.
Intel's plugin looks every five seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .nodes import CONTAINER, PLUGIN_PREFIX, ClusterNode, allocatable
from .objects import Object, labels_of, name_of
from .pods import pod_trouble, ready

HANDLER = {"kubevirt.io": "virt-handler"}
PLUGIN = {"app.kubernetes.io/name": "intel-qat-plugin"}
"""Label of the pods of the role qat_plugin."""


@dataclass(frozen=True)
class NodeAllocatable:
    """One node: what it should advertise and what it does, by resource; resources of the other owner in ``strangers``.

    ``agent``: the pod that advertises them on the node (virt-handler or Intel's plugin), None where there is none.
    ``leaving``: the pod that did so before, on its way out. What kubelet counts goes with it.
    """

    node: ClusterNode
    name: str
    expected: dict[str, int]
    found: dict[str, int]
    strangers: dict[str, int]
    agent: Object | None
    leaving: Object | None
    schedulable: bool

    @property
    def right(self) -> bool:
        """Whether the numbers are right and made by a pod that stays."""
        settled = self.leaving is None and (self.agent is None or ready(self.agent) is not None)
        return self.expected == self.found and not self.strangers and settled

    def as_data(self) -> dict[str, Any]:
        """For the module's result."""
        return {
            "name": self.name,
            "workload": self.node.workload,
            "expected": self.expected,
            "allocatable": self.found,
            "right": self.right,
        }


def count(node: ClusterNode, item: Object, pods: list[Object], resources: dict[str, str]) -> NodeAllocatable:
    """Count one node. ``item``: its Node object; ``pods``: of virt-handler and plugin; ``resources``: by selector."""
    for_containers = node.workload == CONTAINER
    expected = {PLUGIN_PREFIX: node.total} if for_containers else node.expected(resources)
    others = sorted(set(resources.values())) if for_containers else [PLUGIN_PREFIX]
    strangers = {name: number for name in others if (number := allocatable(item, name))}
    labels = PLUGIN if for_containers else HANDLER
    agents = [pod for pod in pods if pod["spec"].get("nodeName") == name_of(item) and _has(pod, labels)]
    leaving = [pod for pod in agents if "deletionTimestamp" in pod["metadata"]]
    staying = [pod for pod in agents if pod not in leaving]
    return NodeAllocatable(
        node=node,
        name=name_of(item),
        expected=expected,
        found={name: allocatable(item, name) for name in expected},
        strangers=strangers,
        agent=staying[0] if staying else None,
        leaving=leaving[0] if leaving else None,
        schedulable=not item.get("spec", {}).get("unschedulable", False),
    )


def is_stale(counted: NodeAllocatable, settle: int, since: datetime, now: datetime) -> bool:
    """Whether virt-handler has had its time to list the VFs and has another list than there are VFs.

    ``settle``: seconds that takes, after its pod got ready and after ``since``, when it may have been given others.
    """
    agent = counted.agent
    if counted.node.workload == CONTAINER or counted.expected == counted.found or agent is None:
        return False
    condition = ready(agent)
    if condition is None:
        return False
    return (now - max(_time(condition["lastTransitionTime"]), since)).total_seconds() >= settle


def explain(counted: NodeAllocatable) -> str:
    """Why a node does not advertise what it should, and what to do."""
    if counted.strangers:
        owner = "Intel's plugin" if counted.node.workload != CONTAINER else "KubeVirt"
        return (
            f"{counted.name}: its VFs are for {_audience(counted)}, but {owner} advertises them too "
            f"({_numbers(counted.strangers)} allocatable), so a VF can be given away twice. "
            f"Take {owner} off this node: its pods there do not heed the label qatvirt.intel.com/workload"
        )
    said = f"{counted.name}: expected {_numbers(counted.expected)} allocatable, found {_numbers(counted.found)}"
    agent = "Intel's QAT plugin" if counted.node.workload == CONTAINER else "virt-handler"
    if counted.leaving:
        return f"{said}; its {agent} {name_of(counted.leaving)} is being deleted and has not ended yet"
    if counted.agent is None:
        return f"{said}; no pod of {agent} is on it. {_absent_agent(counted)}"
    trouble = pod_trouble(counted.agent)
    where = f"{counted.agent['metadata']['namespace']} {name_of(counted.agent)}"
    if trouble:
        return f"{said}; its {agent}: {'; '.join(trouble)}"
    return (
        f"{said}; its {agent} runs. See what it says: kubectl logs -n {where}; "
        f"VFs on the node: {counted.node.vf_counts}, of which each must be in the node's plugin or permittedHostDevices"
    )


def _absent_agent(counted: NodeAllocatable) -> str:
    if not counted.schedulable and counted.node.workload != CONTAINER:
        return "The node is cordoned; uncordon it, or look at the taints virt-handler does not tolerate"
    if counted.node.workload == CONTAINER:
        return (
            "Its label qatvirt.intel.com/ready must be true, and its taints tolerated (qat_plugin_tolerations); "
            f"{'; '.join(counted.node.problems) or 'its VFs are as they must be'}"
        )
    return "See the node's taints, and spec.workloads.nodePlacement of KubeVirt"


def _audience(counted: NodeAllocatable) -> str:
    return "containers" if counted.node.workload == CONTAINER else "virtual machines"


def _numbers(resources: dict[str, int]) -> str:
    named = {f"{name}*" if name.endswith("/") else name: number for name, number in resources.items()}
    return ", ".join(f"{name}: {number}" for name, number in named.items()) or "nothing"


def _has(pod: Object, wanted: dict[str, str]) -> bool:
    return wanted.items() <= labels_of(pod).items()


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
