#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep KubeVirt off nodes whose QAT VFs are for containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubevirt_placement
short_description: Keep KubeVirt off nodes whose QAT VFs are for containers
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - KubeVirt's own device plugin counts every VF of its node, and cannot be told to leave some VFs alone. So neither
    virt-handler nor virtual machines may be on nodes with the label C(qatvirt.intel.com/workload=container).
  - Adds that rule to the placement of KubeVirt's workloads, and leaves the rest of the placement as it is. The rule
    does not exclude nodes without the label. On a cluster without KubeVirt the module does nothing.
  - Where the placement already demands another value of that label by C(nodeSelector), the placement stays as it is.
  - Where HyperConverged manages KubeVirt, the module edits HyperConverged instead. The documentation of HyperConverged
    says that the placement of workloads can be changed only while no virtual machine runs.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
attributes:
  platform:
    platforms: posix
options:
  state:
    description: V(absent) removes the rule, and nothing else.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Keep KubeVirt off nodes whose VFs are for containers
  intel.qatvirt.kubevirt_placement:
"""

RETURN = r"""
configured_by:
  description:
    - The object that has KubeVirt's configuration, with C(kind), C(namespace) and C(name); null where the cluster has
      no KubeVirt.
  type: dict
  returned: success
  sample: {kind: KubeVirt, namespace: kubevirt, name: kubevirt}
"""

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import find_config_owner
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import look_up
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.placement import keep_off, let_on
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.update import edit
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import NoKubeVirt, Refused


def main() -> None:
    """Run the module."""
    run_module({"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Find the object with KubeVirt's configuration, edit its placement."""
    try:
        owner = find_config_owner(api)
    except NoKubeVirt:
        return {"changed": False, "configured_by": None}
    change = keep_off if module.params["state"] == "present" else let_on
    try:
        before, after = edit(api, owner.url, lambda item: change(item, owner.placement))
    except Refused as error:
        raise Refused(f"nothing was changed: {owner}: {error}") from None
    return {
        "changed": before != after,
        "configured_by": owner.as_data(),
        "diff": {"before": look_up(before, owner.placement) or {}, "after": look_up(after, owner.placement) or {}},
    }


if __name__ == "__main__":
    main()
