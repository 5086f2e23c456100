# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nodes advertise the VFs that they have, each VF once.

Pure. KubeVirt lists VFs when virt-handler starts or when its configuration changes, and never again
(``device_controller.go``): KubeVirt does not see VFs that were made later, or made anew, until virt-handler is
restarted. Intel's plugin looks at the VFs every five seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .nodes import CONTAINER, PLUGIN_PREFIX, ClusterNode, allocatable
from .objects import Object, labels_of, name_of
from .pods import pod_trouble, ready

HANDLER = {"kubevirt.io": "virt-handler"}
"""Label of the pods of virt-handler."""
PLUGIN = {"app.kubernetes.io/name": "intel-qat-plugin"}
"""Label of the pods of the role qat_plugin."""


@dataclass(frozen=True)
class NodeAllocatable:
    """The numbers of VFs that one node should advertise and does advertise.

    ``name``: of the Node object. ``expected``, ``found``: number by resource. ``of_other_plugin``: number by resource
    that the plugin of the other workload advertises on the node. ``agent``: the pod that advertises the VFs
    (virt-handler, or Intel's plugin), None where the node has none. ``leaving``: such a pod that is being deleted; the
    numbers in kubelet go when that pod has ended.
    """

    node: ClusterNode
    name: str
    expected: dict[str, int]
    found: dict[str, int]
    of_other_plugin: dict[str, int]
    agent: Object | None
    leaving: Object | None
    schedulable: bool

    @property
    def right(self) -> bool:
        """Whether the numbers are as expected, and come from a pod that is ready and stays."""
        settled = self.leaving is None and (self.agent is None or ready(self.agent) is not None)
        return self.expected == self.found and not self.of_other_plugin and settled

    def as_data(self) -> dict[str, Any]:
        """The node in the result of the module qat_allocatable."""
        return {
            "name": self.name,
            "workload": self.node.workload,
            "expected": self.expected,
            "allocatable": self.found,
            "right": self.right,
        }


def node_allocatable(
    node: ClusterNode,
    item: Object,
    pods: list[Object],
    resources: dict[str, str],
    names: list[str] | None = None,
) -> NodeAllocatable:
    """What one node should advertise and does advertise.

    ``item``: its Node object. ``pods``: pods of virt-handler and of Intel's plugin, on any node. ``resources``:
    KubeVirt's resource by selector. ``names``: every resource of KubeVirt, by default those of ``resources``; a node
    for containers must have none of them.
    """
    for_containers = node.workload == CONTAINER
    expected = {PLUGIN_PREFIX: node.total} if for_containers else node.expected(resources)
    kubevirt_names = sorted(set(resources.values())) if names is None else names
    other_resources = kubevirt_names if for_containers else [PLUGIN_PREFIX]
    labels = PLUGIN if for_containers else HANDLER
    agents = [pod for pod in pods if pod["spec"].get("nodeName") == name_of(item) and _has(pod, labels)]
    leaving = [pod for pod in agents if "deletionTimestamp" in pod["metadata"]]
    staying = [pod for pod in agents if pod not in leaving]
    return NodeAllocatable(
        node=node,
        name=name_of(item),
        expected=expected,
        found={name: allocatable(item, name) for name in expected},
        of_other_plugin={name: number for name in other_resources if (number := allocatable(item, name))},
        agent=staying[0] if staying else None,
        leaving=leaving[0] if leaving else None,
        schedulable=not item.get("spec", {}).get("unschedulable", False),
    )


def is_stale(state: NodeAllocatable, settle: int, since: datetime, now: datetime) -> bool:
    """Whether virt-handler had time to list the VFs, and yet its numbers are not as expected.

    ``settle``: seconds that virt-handler is given after its pod got ready and after ``since``, the time at which its
    configuration may have changed.
    """
    if state.node.workload == CONTAINER or state.expected == state.found or state.agent is None:
        return False
    condition = ready(state.agent)
    if condition is None:
        return False
    return (now - max(_time(condition["lastTransitionTime"]), since)).total_seconds() >= settle


def explain(state: NodeAllocatable) -> str:
    """Why a node does not advertise the expected numbers, and what to do."""
    for_containers = state.node.workload == CONTAINER
    if state.of_other_plugin:
        other = "KubeVirt" if for_containers else "Intel's plugin"
        return (
            f"{state.name}: its VFs are for {'containers' if for_containers else 'virtual machines'}, but {other} "
            f"advertises them too ({_numbers(state.of_other_plugin)} allocatable), so a VF can be given away twice. "
            f"Take {other} off this node: the pods of {other} there do not heed the label qatvirt.intel.com/workload"
        )
    wrong = f"{state.name}: expected {_numbers(state.expected)} allocatable, found {_numbers(state.found)}"
    agent = "Intel's QAT plugin" if for_containers else "virt-handler"
    if state.leaving:
        return f"{wrong}; the pod {name_of(state.leaving)} of {agent} is being deleted and has not ended yet"
    if state.agent is None:
        return f"{wrong}; no pod of {agent} is on the node. {_absent_agent(state)}"
    trouble = pod_trouble(state.agent)
    if trouble:
        return f"{wrong}; {agent}: {'; '.join(trouble)}"
    where = f"{state.agent['metadata']['namespace']} {name_of(state.agent)}"
    return (
        f"{wrong}; {agent} runs there. Look at its log: kubectl logs -n {where}. The node has the VFs "
        f"{state.node.vf_counts}: {_COUNTED_BY[for_containers]}"
    )


_COUNTED_BY = {
    True: "the plugin's argument -kernel-vf-drivers must name their drivers, and -max-num-devices must not be lower",
    False: "permittedHostDevices of KubeVirt must have each of these selectors",
}


def _absent_agent(state: NodeAllocatable) -> str:
    if state.node.workload == CONTAINER:
        problems = "; ".join(state.node.problems) or "its VFs have no problem"
        return (
            "The node's label qatvirt.intel.com/ready must be true, and the plugin must tolerate the node's taints "
            f"(qat_plugin_tolerations); {problems}"
        )
    if not state.schedulable:
        return "The node is cordoned: uncordon it, or look at the taints that virt-handler does not tolerate"
    return "See the node's taints, and spec.workloads.nodePlacement of KubeVirt"


def _numbers(resources: dict[str, int]) -> str:
    named = {f"{name}*" if name.endswith("/") else name: number for name, number in resources.items()}
    return ", ".join(f"{name}: {number}" for name, number in named.items()) or "nothing"


def _has(pod: Object, labels: dict[str, str]) -> bool:
    return labels.items() <= labels_of(pod).items()


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
