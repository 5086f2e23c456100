#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until the cluster counts exactly the VFs there are, and cure a virt-handler that does not see them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_allocatable
short_description: Check that the cluster counts each QAT VF once, and restart a stale virt-handler
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Compares the number of VFs that each node has allocatable with the number of VFs that the node really has, and waits
    until the numbers are equal. On nodes for virtual machines it compares KubeVirt's resources, on nodes for containers
    the sum of all resources C(qat.intel.com/).
  - KubeVirt lists VFs only when virt-handler starts. Where its list is stale, because VFs were made later or made anew,
    the module restarts virt-handler of that node once. Running virtual machines are not disturbed.
  - Where the numbers do not become equal the module fails, and says for each node why and what to do. The module also
    fails where both Intel's plugin and KubeVirt advertise the VFs of a node.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster
  - intel.qatvirt.cluster.resources
attributes:
  diff_mode:
    support: none
    details: The only change is the restart of pods.
  platform:
    platforms: posix
options:
  settle:
    description:
      - Seconds that virt-handler is given to list VFs after its pod got ready and after this module began. Only then a
        wrong number counts as stale.
    type: int
    default: 30
  wait_timeout:
    description: Seconds to wait until the numbers are equal.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Check that the cluster counts each VF
  intel.qatvirt.qat_allocatable:
    nodes: "{{ groups['qat_nodes'] | intel.qatvirt.qat_nodes(hostvars) }}"
    resource: intel.com/qat
"""

RETURN = r"""
nodes:
  description:
    - Each node with C(name), C(workload), C(expected) and C(allocatable) (number by resource), and C(right) (whether
      the numbers are equal and come from a pod that is ready).
  type: list
  elements: dict
  returned: success
restarted:
  description: Nodes whose virt-handler was restarted.
  type: list
  elements: str
  returned: success
"""

import time
from datetime import datetime, timezone
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.allocatable import (
    HANDLER,
    PLUGIN,
    NodeAllocatable,
    explain,
    is_stale,
    node_allocatable,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    CONTAINER,
    NODES_SPEC,
    RESOURCE_SPEC,
    ClusterNode,
    match_nodes,
    resource_names,
    resources_of,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import NODES, PODS, Object, name_of
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import Refused

POLL = 2.0
"""Seconds between two reads of the nodes."""


def main() -> None:
    """Run the module."""
    options = {
        "nodes": NODES_SPEC,
        **RESOURCE_SPEC,
        "settle": {"type": "int", "default": 30},
        "wait_timeout": {"type": "int", "default": 300},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Compare the numbers until all are right; restart each stale virt-handler once."""
    params = module.params
    nodes = [ClusterNode.from_data(data) for data in params["nodes"]]
    resources = resources_of(nodes, params["resource"], params["family_resources"])
    names = resource_names(params["resource"], params["family_resources"])
    restarted: list[str] = []
    deadline = time.monotonic() + params["wait_timeout"]
    # Check mode does not wait: a virt-handler that is ready counts as settled.
    began = datetime.min.replace(tzinfo=timezone.utc) if module.check_mode else datetime.now(timezone.utc)
    while True:
        states = observe(api, nodes, resources, names)
        # Until the new virt-handler is ready, kubelet still has the numbers of the old one.
        wrong = [state for state in states if not state.right or (state.name in restarted and state.agent is None)]
        now = datetime.now(timezone.utc)
        for state in wrong:
            if state.agent and state.name not in restarted and is_stale(state, params["settle"], began, now):
                restart(api, state.agent)
                restarted.append(state.name)
        if module.check_mode or not wrong:
            break
        if time.monotonic() > deadline:
            raise Refused(". ".join([*(explain(state) for state in wrong), _restarts(restarted)]))
        time.sleep(POLL)
    return {"changed": bool(restarted), "nodes": [state.as_data() for state in states], "restarted": restarted}


def observe(api: Api, nodes: list[ClusterNode], resources: dict[str, str], names: list[str]) -> list[NodeAllocatable]:
    """The numbers of all nodes, read with one list of nodes and one list of pods for each workload."""
    kinds = {tuple((PLUGIN if node.workload == CONTAINER else HANDLER).items()) for node in nodes}
    selectors = [",".join(f"{key}={value}" for key, value in kind) for kind in sorted(kinds)]
    pods = [pod for selector in selectors for pod in api.list(PODS, labelSelector=selector)]
    return [node_allocatable(node, item, pods, resources, names) for node, item in match_nodes(nodes, api.list(NODES))]


def restart(api: Api, pod: Object) -> None:
    """Delete a pod of a DaemonSet, so that the DaemonSet starts a new pod."""
    api.delete(f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{name_of(pod)}")


def _restarts(restarted: list[str]) -> str:
    return f"virt-handler was restarted on {', '.join(restarted)}" if restarted else "nothing was changed"


if __name__ == "__main__":
    main()
