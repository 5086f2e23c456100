#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until the cluster counts exactly the VFs there are, and cure a virt-handler that does not see them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_allocatable
short_description: See that the cluster counts each QAT VF once, and cure a stale virt-handler
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Compares what each node has allocatable with the VFs it really has, and waits until they are the same. On nodes for
    virtual machines that is KubeVirt's resource, on nodes for containers all of C(qat.intel.com/).
  - KubeVirt lists VFs only when virt-handler starts. Where its list is stale, because VFs were made or made anew after
    that, virt-handler of that node is restarted, once. Running virtual machines go on undisturbed.
  - Where the numbers do not become the same it fails and says why, for each node, and what to do. A node whose VFs
    both Intel's plugin and KubeVirt advertise is a failure, too.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster
attributes:
  diff_mode:
    support: none
    details: It restarts a pod, or nothing.
  platform:
    platforms: posix
options:
  resources:
    description: Resource of KubeVirt by vendor and device of the VFs.
    type: dict
    default: {}
  settle:
    description:
      - Seconds that virt-handler is given to list VFs, after it got ready and after this module began, before its list
        counts as stale.
    type: int
    default: 30
  wait_timeout:
    description: Seconds to wait for the right numbers.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Each VF is counted
  intel.qatvirt.qat_allocatable:
    nodes: "{{ groups['qat_nodes'] | intel.qatvirt.qat_site_nodes(hostvars) }}"
    resources:
      "8086:4941": intel.com/qat
"""

RETURN = r"""
nodes:
  description: Each node with C(name), C(workload), C(expected), C(allocatable) and C(right).
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
    count,
    explain,
    is_stale,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    CONTAINER,
    NODES_SPEC,
    ClusterNode,
    match_nodes,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import NODES, PODS, Object, name_of
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import Refused

POLL = 2.0


def main() -> None:
    """Entry point."""
    options = {
        "nodes": NODES_SPEC,
        "resources": {"type": "dict", "default": {}},
        "settle": {"type": "int", "default": 30},
        "wait_timeout": {"type": "int", "default": 300},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Count until all is right; restart each stale virt-handler once."""
    params = module.params
    nodes = [ClusterNode.from_data(data) for data in params["nodes"]]
    restarted: list[str] = []
    deadline = time.monotonic() + params["wait_timeout"]
    # A preview does not wait for what may still come.
    began = datetime.min.replace(tzinfo=timezone.utc) if module.check_mode else datetime.now(timezone.utc)
    while True:
        counts = observe(api, nodes, params["resources"])
        # Until virt-handler is there again, kubelet counts what the one before has left.
        wrong = [one for one in counts if not one.right or (one.name in restarted and one.agent is None)]
        now = datetime.now(timezone.utc)
        stale = [one for one in wrong if one.name not in restarted and is_stale(one, params["settle"], began, now)]
        for name, handler in ((counted.name, counted.agent) for counted in stale if counted.agent):
            restart(api, handler)
            restarted.append(name)
        if module.check_mode or not wrong:
            break
        if time.monotonic() > deadline:
            raise Refused(". ".join([*(explain(counted) for counted in wrong), _told(restarted)]))
        time.sleep(POLL)
    return {"changed": bool(restarted), "nodes": [counted.as_data() for counted in counts], "restarted": restarted}


def observe(api: Api, nodes: list[ClusterNode], resources: dict[str, str]) -> list[NodeAllocatable]:
    """Count all nodes, with one list of nodes and one of pods for each kind of owner."""
    kinds = {tuple((PLUGIN if node.workload == CONTAINER else HANDLER).items()) for node in nodes}
    selectors = [",".join(f"{key}={value}" for key, value in kind) for kind in sorted(kinds)]
    pods = [pod for selector in selectors for pod in api.list(PODS, labelSelector=selector)]
    return [count(node, item, pods, resources) for node, item in match_nodes(nodes, api.list(NODES))]


def restart(api: Api, pod: Object) -> None:
    """Delete the pod of a DaemonSet, which then starts another."""
    api.delete(f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{name_of(pod)}")


def _told(restarted: list[str]) -> str:
    return f"virt-handler was restarted on {', '.join(restarted)}" if restarted else "nothing was changed"


if __name__ == "__main__":
    main()
