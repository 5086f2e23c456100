#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say in the cluster who gets the VFs of each node, containers or virtual machines, and switch safely."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_workload
short_description: Label nodes with the workload that gets their QAT VFs, and switch workloads safely
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Intel's device plugin and KubeVirt would each count every VF of a node that they share, and kubelet would give a VF
    away twice. So each node has one workload, V(vm) or V(container), in the label C(qatvirt.intel.com/workload).
  - A node changes its workload only while nothing uses the node for the old workload. Otherwise the module refuses
    before anything is changed, and names the pods, virtual machines and processes. A node that is to be for containers
    must have no virtual machine, with or without a VF, because KubeVirt leaves the node.
  - The resources of the old workload must no longer be allocatable before those of the new workload are advertised.
  - The module also writes the label C(qatvirt.intel.com/services), the annotation C(qatvirt.intel.com/vfs) with the
    number of usable VFs, and the label C(qatvirt.intel.com/ready), which a node has only while its VFs have no problem.
  - The module needs the Kubernetes API and the facts of M(intel.qatvirt.qat_info). It runs nothing on the nodes.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster
  - intel.qatvirt.cluster.resources
attributes:
  platform:
    platforms: posix
options:
  state:
    description:
      - V(present) labels the nodes, and switches their workload where the label differs.
      - V(withdrawn) only removes the label C(ready). This is done before a node is changed.
      - V(absent) removes all labels and annotations of this module.
    type: str
    choices: [present, withdrawn, absent]
    default: present
  proved:
    description:
      - Whether M(intel.qatvirt.qat_allocatable) has shown that the cluster counts the VFs of these nodes. Otherwise a
        node for virtual machines does not become ready, but a node that is ready stays ready.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait until the resources of the old workload are no longer allocatable.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Label the nodes
  intel.qatvirt.qat_workload:
    nodes: "{{ groups['qat_nodes'] | intel.qatvirt.qat_nodes(hostvars) }}"
"""

RETURN = r"""
nodes:
  description:
    - Each node with C(name), C(workload), C(services), C(ready), C(vfs) (number of usable VFs) and C(problems).
  type: list
  elements: dict
  returned: success
"""

import time
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.node_labels import (
    MARK_KEYS,
    Marks,
    describe,
    difference,
    marks_of,
    patch,
    resources_of_old_workload,
    summary,
    users_against,
    wanted_marks,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    CONTAINER,
    NODES_SPEC,
    READY_LABEL,
    RESOURCE_SPEC,
    VM,
    WORKLOAD_LABEL,
    ClusterNode,
    allocatable,
    match_nodes,
    resource_names,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import NODES, PODS, Object, name_of
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import Refused

POLL = 2.0
"""Seconds between two reads of the nodes."""


def main() -> None:
    """Run the module."""
    options = {
        "nodes": NODES_SPEC,
        "state": {"type": "str", "choices": ["present", "withdrawn", "absent"], "default": "present"},
        "proved": {"type": "bool", "default": False},
        **RESOURCE_SPEC,
        "wait_timeout": {"type": "int", "default": 300},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Read the nodes, refuse or switch their workload, write the marks."""
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
    """The steps of a switch of workloads. ``nodes``: each node with the name of its Node object and that object."""

    def __init__(self, module: Any, api: Api) -> None:
        self._api = api
        self._params = module.params
        self._resources = resource_names(self._params["resource"], self._params["family_resources"])
        self._waits = not module.check_mode
        nodes = [ClusterNode.from_data(data) for data in self._params["nodes"]]
        self.nodes: list[tuple[ClusterNode, str, Object]] = [
            (node, name_of(item), item) for node, item in match_nodes(nodes, api.list(NODES))
        ]

    def wanted(self, node: ClusterNode, now: Marks) -> Marks:
        """The marks that a node is to have after the run."""
        if self._params["state"] == "withdrawn":
            return {READY_LABEL: None}
        if self._params["state"] == "absent":
            return dict.fromkeys(MARK_KEYS)
        return wanted_marks(node, now, self._params["proved"])

    def refuse(self, moving: list[tuple[ClusterNode, str]]) -> None:
        """Raise Refused where something uses a node that its new workload does not allow."""
        if not moving:
            return
        pods = self._api.list(PODS)
        found = [
            f"{name} is to be for {self._audience(node)}, but is used: {user}"
            for node, name in moving
            for user in users_against(self._with_new_workload(node), name, pods, self._resources)
        ]
        if found:
            raise Refused(
                f"nothing was changed: {'; '.join(found)}. Stop or move these users (kubectl drain, virtctl stop), or "
                "leave the variable qatvirt_workload of the node as it was."
            )

    def hand_over(
        self, moving: list[tuple[ClusterNode, str]], before: dict[str, Marks], after: dict[str, Marks]
    ) -> None:
        """Take the old workload off the nodes ``moving``, and check that no new user came in the meantime."""
        for _node, name in moving:
            self.write(name, difference(before[name], {READY_LABEL: None}))
        # Intel's plugin leaves a node that is not ready; KubeVirt leaves a node with the label of containers.
        self._await_gone([entry for entry in moving if self._with_new_workload(entry[0]).workload == VM])
        for _node, name in moving:
            self.write(name, {WORKLOAD_LABEL: after[name][WORKLOAD_LABEL]})
        arriving = [(node, name) for node, name, _item in self.nodes if _arrives(before[name], after[name])]
        self._await_gone(arriving)
        if self._waits:
            self.refuse(moving)

    def write(self, name: str, marks: Marks) -> None:
        """Patch a Node object; do nothing without marks."""
        if marks:
            self._api.merge(f"{NODES}/{name}", patch(marks))

    def _with_new_workload(self, node: ClusterNode) -> ClusterNode:
        """The node with its workload after the run: a node without this module's labels is for virtual machines."""
        return ClusterNode(**{**vars(node), "workload": VM}) if self._params["state"] == "absent" else node

    def _audience(self, node: ClusterNode) -> str:
        return "containers" if self._with_new_workload(node).workload == CONTAINER else "virtual machines"

    def _await_gone(self, entries: list[tuple[ClusterNode, str]]) -> None:
        """Wait until the resources of the old workload are gone. Raises Refused where they are still allocatable."""
        deadline = time.monotonic() + self._params["wait_timeout"]
        while entries and self._waits:
            items = {name_of(item): item for item in self._api.list(NODES)}
            left = [
                f"{name} still has {count} {resource} allocatable"
                for node, name in entries
                for resource in resources_of_old_workload(self._with_new_workload(node), self._resources)
                if (count := allocatable(items[name], resource))
            ]
            if not left:
                return
            if time.monotonic() > deadline:
                raise Refused(
                    f"after {self._params['wait_timeout']} s {'; '.join(left)}. Expected 0 allocatable: look on that "
                    "node at the pods of Intel's plugin (its DaemonSet must select ready=true), of virt-handler (the "
                    "module kubevirt_placement keeps it off), and of other DaemonSets that advertise VFs."
                )
            time.sleep(POLL)


def _arrives(before: Marks, after: Marks) -> bool:
    """Whether Intel's plugin starts on a node by this change."""
    here, there = ((marks[WORKLOAD_LABEL], marks[READY_LABEL]) for marks in (before, after))
    return there == (CONTAINER, "true") != here


if __name__ == "__main__":
    main()
