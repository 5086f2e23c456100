#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check nodes and cluster, and account for every VF."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_validate
short_description: Check everything between a QAT device and the virtual machine that uses it
version_added: 0.3.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Answers every check of this collection's catalogue (C(docs/checks.md)) for nodes whose facts were read, and for the
    cluster they are of, and says of every VF who has it. Each finding says what was found, what was expected, what to
    do and where to look.
  - Reads the API with the same small number of list calls whatever the number of nodes and VFs, and changes nothing.
  - It does not fail for what it finds; the verdict is in the report. What the account may not read is a finding, too.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
attributes:
  diff_mode:
    support: N/A
    details: It changes nothing.
  platform:
    platforms: posix
options:
  nodes:
    description:
      - The nodes with their facts, as the filter P(intel.qatvirt.qat_cases#filter) makes them of variables.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name in the inventory.
        type: str
        required: true
      node_name:
        description: Name of the Node object where it is another.
        type: str
      workload:
        description: Who is to get its VFs.
        type: str
        choices: [vm, container]
        default: vm
      facts:
        description: What M(intel.qatvirt.qat_info) has read.
        type: dict
        required: true
      policy:
        description: The policy of its VFs, as for M(intel.qatvirt.qat_vf).
        type: raw
        default: [{}]
      kernel_args:
        description: Kernel arguments wanted besides, as for M(intel.qatvirt.qat_host).
        type: list
        elements: str
        default: []
  unread:
    description: Names of nodes that belong to the site and whose facts are not there.
    type: list
    elements: str
    default: []
  cluster:
    description: Whether there is a cluster to look at. Without, only the nodes are checked.
    type: bool
    default: true
  resources:
    description: Resource of KubeVirt by vendor and device of the VFs.
    type: dict
    default: {}
  tests:
    description:
      - What M(intel.qatvirt.qat_test_vm) has returned. Left out, the checks of test machines are skipped.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Check the site
  intel.qatvirt.qat_validate:
    nodes: "{{ groups['qat_nodes'] | intel.qatvirt.qat_cases(hostvars) }}"
    resources:
      "8086:4941": intel.com/qat
  register: validated

- name: Insist
  ansible.builtin.assert:
    that: validated.report.verdict != 'fail'
    fail_msg: "{{ validated.text }}"
"""

RETURN = r"""
report:
  description:
    - Everything that was found. Its shape is described in the README of the role P(intel.qatvirt.qat_validate#role).
  type: dict
  returned: success
text:
  description: The verdict and what is wrong, for a person.
  type: str
  returned: success
"""

from datetime import datetime, timezone
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_with_or_without
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import VM, WORKLOADS
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.snapshot import read_cluster
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.argspec import POLICY_SPEC
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import validate
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import report, verdict_text
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.site import CheckedNode, Site, checked_node

CASE = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": {
        "name": {"type": "str", "required": True},
        "node_name": {"type": "str"},
        "workload": {"type": "str", "choices": list(WORKLOADS), "default": VM},
        "facts": {"type": "dict", "required": True},
        "policy": POLICY_SPEC,
        "kernel_args": {"type": "list", "elements": "str", "default": []},
    },
}


def main() -> None:
    """Entry point."""
    options = {
        "nodes": CASE,
        "unread": {"type": "list", "elements": "str", "default": []},
        "resources": {"type": "dict", "default": {}},
        "tests": {"type": "list", "elements": "dict"},
    }
    run_with_or_without(options, run)


def run(module: Any, api: Api | None) -> dict[str, Any]:
    """Read the cluster once, and answer everything."""
    params = module.params
    site = Site(
        nodes=tuple(case_of(node) for node in params["nodes"]),
        unread=tuple(params["unread"]),
        snapshot=read_cluster(api) if api else None,
        resources=params["resources"],
        tests=params["tests"],
    )
    made = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = report(site, validate(site), made)
    return {"changed": False, "report": found, "text": verdict_text(found)}


def case_of(node: dict[str, Any]) -> CheckedNode:
    """A node of the option. Raises InputError for facts that are none."""
    try:
        return checked_node(
            node["name"],
            node["facts"],
            node["policy"],
            node["kernel_args"],
            workload=node["workload"],
            node_name=node["node_name"],
        )
    except InputError as error:
        raise InputError(f"{node['name']}: {error}") from error


if __name__ == "__main__":
    main()
