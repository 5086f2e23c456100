#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make all checks of nodes and cluster, and say of every VF who has it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_validate
short_description: Check everything between a QAT device and the virtual machine that uses it
version_added: 0.3.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Makes every check of this collection's catalogue (C(docs/checks.md)) on nodes whose facts were read, and on the
    cluster they are of, and says of every VF who has it. Each finding says what was found, what was expected, what to
    do and where to look.
  - Reads the API with a small, constant number of list calls, whatever the number of nodes and VFs. Changes nothing.
  - Findings do not make the module fail; the verdict is in the report. What the account may not read is a finding, too.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster.resources
attributes:
  diff_mode:
    support: N/A
    details: It changes nothing.
  platform:
    platforms: posix
options:
  hosts:
    description:
      - The nodes with their facts, as the filter P(intel.qatvirt.qat_hosts#filter) makes them of variables.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name in the inventory.
        type: str
        required: true
      node_name:
        description: Name of the Node object, where it differs from O(hosts[].name).
        type: str
      workload:
        description: Whether the VFs of the node are for virtual machines or for containers.
        type: str
        choices: [vm, container]
        default: vm
      facts:
        description: Facts of the node, as M(intel.qatvirt.qat_info) returns them.
        type: dict
        required: true
      policy:
        description: Policy of the node, as for M(intel.qatvirt.qat_vf).
        type: raw
        default: [{}]
      kernel_args:
        description: Further kernel arguments that the node is to have, as for M(intel.qatvirt.qat_host).
        type: list
        elements: str
        default: []
  unread:
    description: Names of nodes of the inventory whose facts are missing.
    type: list
    elements: str
    default: []
  cluster:
    description: Whether to check the cluster, too. With V(false), only the nodes are checked.
    type: bool
    default: true
  tests:
    description:
      - The C(tests) that M(intel.qatvirt.qat_test_vm) returned. Without them, the checks of tests are skipped.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Check the site
  intel.qatvirt.qat_validate:
    hosts: "{{ groups['qat_nodes'] | intel.qatvirt.qat_hosts(hostvars) }}"
  register: validated

- name: Fail where a check fails
  ansible.builtin.assert:
    that: validated.report.verdict != 'fail'
    fail_msg: "{{ validated.text }}"
"""

RETURN = r"""
report:
  description:
    - Verdicts, findings, nodes, VFs with their owners, and tests. The README of the role
      P(intel.qatvirt.qat_validate#role) describes its keys.
  type: dict
  returned: success
text:
  description: The verdict and the findings as text, for a person.
  type: str
  returned: success
"""

from datetime import datetime, timezone
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_with_or_without
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    RESOURCE_SPEC,
    VM,
    WORKLOADS,
    resources_of,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.snapshot import read_cluster
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.argspec import POLICY_SPEC
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import validate
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import report, verdict_text
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.site import CheckedNode, Site, checked_node

HOSTS_SPEC = {
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
    options = {
        "hosts": HOSTS_SPEC,
        "unread": {"type": "list", "elements": "str", "default": []},
        **RESOURCE_SPEC,
        "tests": {"type": "list", "elements": "dict"},
    }
    run_with_or_without(options, run)


def run(module: Any, api: Api | None) -> dict[str, Any]:
    """Read the cluster once, and make all checks."""
    params = module.params
    nodes = tuple(node_of(host) for host in params["hosts"])
    site = Site(
        nodes=nodes,
        unread=tuple(params["unread"]),
        snapshot=read_cluster(api) if api else None,
        resources=resources_of([checked.node for checked in nodes], params["resource"], params["family_resources"]),
        tests=params["tests"],
    )
    made = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = report(site, validate(site), made)
    return {"changed": False, "report": found, "text": verdict_text(found)}


def node_of(host: dict[str, Any]) -> CheckedNode:
    """The node of one element of the option ``hosts``. Raises InputError for facts of another schema."""
    try:
        return checked_node(
            host["name"],
            host["facts"],
            host["policy"],
            host["kernel_args"],
            workload=host["workload"],
            node_name=host["node_name"],
        )
    except InputError as error:
        raise InputError(f"{host['name']}: {error}") from error


if __name__ == "__main__":
    main()
