#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say in the cluster who gets the VFs of each node, containers or virtual machines, and switch safely."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_workload
short_description: Label nodes with who gets their QAT VFs, and switch them safely
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Intel's device plugin and KubeVirt would each count every VF of a node they share, and kubelet would give a VF away
    twice. So each node has one workload, in the label C(qatvirt.intel.com/workload), C(vm) or C(container).
  - A node changes hands only while nothing uses it in the old way. Else the module refuses before anything is changed,
    naming pods, virtual machines and processes. For a node that is to be for containers every virtual machine is in the
    way, with or without a VF, because KubeVirt leaves the node.
  - The old owner has to be gone (its resources no longer allocatable) before the new one may come.
  - "It also writes what was observed, C(qatvirt.intel.com/services) and the annotation C(qatvirt.intel.com/vfs), and
    C(qatvirt.intel.com/ready), which a node has only while its VFs are as they must be."
  - It works beside the Kubernetes API, from the facts of M(intel.qatvirt.qat_info); nothing is run on the nodes.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster
attributes:
  platform:
    platforms: posix
options:
  state:
    description:
      - V(present) labels and switches; V(withdrawn) only takes C(ready) away, which is done before a node is touched;
        V(absent) takes away all that this module ever wrote.
    type: str
    choices: [present, withdrawn, absent]
    default: present
  proved:
    description:
      - The cluster was seen to count the VFs of these nodes (M(intel.qatvirt.qat_allocatable)). Without it a node for
        virtual machines is not made ready, but stays ready if it is.
    type: bool
    default: false
  resources:
    description: Names under which virtual machines get VFs.
    type: list
    elements: str
    default: [intel.com/qat]
  wait_timeout:
    description: Seconds the old owner of a node has to stop advertising its VFs.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Label the nodes
  intel.qatvirt.qat_workload:
    nodes: "{{ groups['qat_nodes'] | intel.qatvirt.qat_site_nodes(hostvars) }}"
"""

RETURN = r"""
nodes:
  description: Each node with C(name), C(workload), C(services), C(ready), C(vfs) and C(problems).
  type: list
  elements: dict
  returned: success
"""

import time
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.node_labels import (
    OURS,
    Marks,
    describe,
    difference,
    in_the_way,
    marks_of,
    must_be_empty,
    patch,
    summary,
    wanted_marks,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    CONTAINER,
    NODES_SPEC,
    READY_LABEL,
    VM,
    WORKLOAD_LABEL,
    ClusterNode,
    allocatable,
    match_nodes,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import NODES, PODS, Object, name_of
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import Refused

POLL = 2.0


def main() -> None:
    """Entry point."""
    options = {
        "nodes": NODES_SPEC,
        "state": {"type": "str", "choices": ["present", "withdrawn", "absent"], "default": "present"},
        "proved": {"type": "bool", "default": False},
        "resources": {"type": "list", "elements": "str", "default": ["intel.com/qat"]},
        "wait_timeout": {"type": "int", "default": 300},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Observe, refuse or switch, write the marks, report."""
    switch = Switch(module, api)
    before = {name: marks_of(item) for _node, name, item in switch.nodes}
    after = {name: {**before[name], **switch.wanted(node, before[name])} for node, name, _item in switch.nodes}
    moving = [
        (node, name)
        for node, name, _item in switch.nodes
        if before[name][WORKLOAD_LABEL] != after[name][WORKLOAD_LABEL]
    ]
    switch.refuse(moving)
    try:
        switch.hand_over(moving, before, after)
    except Refused as error:
        for _node, name in moving:
            switch.write(name, before[name])
        raise Refused(f"{error} The labels are what they were before.") from None
    moved = {name for _node, name in moving}
    for name, marks in after.items():
        switch.write(name, marks if name in moved else difference(before[name], marks))
    return {
        "changed": before != after,
        "nodes": [summary(node, name, after[name]) for node, name, _item in switch.nodes],
        "diff": {"before": describe(list(before.items())), "after": describe(list(after.items()))},
    }


class Switch:
    """The nodes, and what has to be done in order. ``nodes``: what is known of it, its name, its Node object."""

    def __init__(self, module: Any, api: Api) -> None:
        self._api = api
        self._params = module.params
        self._waits = not module.check_mode
        nodes = [ClusterNode.from_data(data) for data in self._params["nodes"]]
        self.nodes: list[tuple[ClusterNode, str, Object]] = [
            (node, name_of(item), item) for node, item in match_nodes(nodes, api.list(NODES))
        ]

    def wanted(self, node: ClusterNode, now: Marks) -> Marks:
        """The marks a node is to have in the end."""
        if self._params["state"] == "withdrawn":
            return {READY_LABEL: None}
        if self._params["state"] == "absent":
            return dict.fromkeys(OURS)
        return wanted_marks(node, now, self._params["proved"])

    def refuse(self, moving: list[tuple[ClusterNode, str]]) -> None:
        """Raise Refused where something uses a node in the way it is not to be used any more."""
        if not moving:
            return
        pods = self._api.list(PODS)
        found = [
            f"{name} is to be for {self._future(node)}, but is used: {what}"
            for node, name in moving
            for what in in_the_way(self._as_will_be(node), name, pods, self._params["resources"])
        ]
        if found:
            raise Refused(
                f"nothing was changed: {'; '.join(found)}. Stop or move what uses it (kubectl drain, virtctl stop), "
                "or leave qatvirt_workload of the node as it was."
            )

    def hand_over(
        self, moving: list[tuple[ClusterNode, str]], before: dict[str, Marks], after: dict[str, Marks]
    ) -> None:
        """Take the old owner off the nodes that change hands, and look that nobody came in the meantime."""
        for _node, name in moving:
            self.write(name, difference(before[name], {READY_LABEL: None}))
        # Intel's plugin goes with ready; KubeVirt with the label, which keeps it off.
        self._await_gone([entry for entry in moving if self._as_will_be(entry[0]).workload == VM])
        for _node, name in moving:
            self.write(name, {WORKLOAD_LABEL: after[name][WORKLOAD_LABEL]})
        arriving = [(node, name) for node, name, _item in self.nodes if _arrives(before[name], after[name])]
        self._await_gone(arriving)
        if self._waits:
            self.refuse(moving)

    def write(self, name: str, marks: Marks) -> None:
        """Patch a Node object, where there is something to change."""
        if marks:
            self._api.merge(f"{NODES}/{name}", patch(marks))

    def _as_will_be(self, node: ClusterNode) -> ClusterNode:
        """Without our labels KubeVirt has a node, as it has any other."""
        return ClusterNode(**{**vars(node), "workload": VM}) if self._params["state"] == "absent" else node

    def _future(self, node: ClusterNode) -> str:
        return "containers" if self._as_will_be(node).workload == CONTAINER else "virtual machines"

    def _await_gone(self, entries: list[tuple[ClusterNode, str]]) -> None:
        """Wait until the old owner advertises nothing there any more. Raises Refused when it goes on."""
        deadline = time.monotonic() + self._params["wait_timeout"]
        while entries and self._waits:
            items = {name_of(item): item for item in self._api.list(NODES)}
            left = [
                f"{name} still has {count} {resource} allocatable"
                for node, name in entries
                for resource in must_be_empty(self._as_will_be(node), self._params["resources"])
                if (count := allocatable(items[name], resource))
            ]
            if not left:
                return
            if time.monotonic() > deadline:
                raise Refused(
                    f"after {self._params['wait_timeout']} s {'; '.join(left)}. Expected the old owner to leave: see "
                    "on that node the pods of Intel's plugin (its DaemonSet must select ready=true) and virt-handler "
                    "(module kubevirt_placement keeps it off), and other DaemonSets that advertise VFs."
                )
            time.sleep(POLL)


def _arrives(before: Marks, after: Marks) -> bool:
    """Whether Intel's plugin comes to a node now."""
    here, there = ((marks[WORKLOAD_LABEL], marks[READY_LABEL]) for marks in (before, after))
    return there == (CONTAINER, "true") != here


if __name__ == "__main__":
    main()
