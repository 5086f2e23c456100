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
  - KubeVirt's own device plugin counts every VF of its node, and cannot be told to leave some alone. So virt-handler,
    and with it virtual machines, must not be on nodes labelled C(qatvirt.intel.com/workload=container).
  - Adds that rule to the placement of KubeVirt's workloads, beside all that is there. Nodes without the label are not
    concerned. Where there is no KubeVirt there is nothing to do.
  - Where the placement already demands another value of that label by C(nodeSelector), it stays as it is.
  - Where HyperConverged owns KubeVirt, it is edited instead. Its documentation says that the placement of workloads can
    be changed only while there are none.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
attributes:
  platform:
    platforms: posix
options:
  state:
    description: V(absent) takes the rule away, and nothing else.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: No virtual machines where VFs are for containers
  intel.qatvirt.kubevirt_placement:
"""

RETURN = r"""
owner:
  description:
    - The object that was looked at, with C(kind), C(namespace) and C(name); null where there is no KubeVirt.
  type: dict
  returned: success
  sample: {kind: KubeVirt, namespace: kubevirt, name: kubevirt}
"""

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import find_owner
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.placement import keep_off, let_on
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.update import edit, look_up
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import NoKubeVirt, Refused


def main() -> None:
    """Entry point."""
    run_module({"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Find the owner, edit it."""
    try:
        owner = find_owner(api)
    except NoKubeVirt:
        return {"changed": False, "owner": None}
    change = keep_off if module.params["state"] == "present" else let_on
    try:
        before, after = edit(api, owner.url, lambda item: change(item, owner.placement))
    except Refused as error:
        raise Refused(f"nothing was changed: {owner}: {error}") from None
    return {
        "changed": before != after,
        "owner": owner.as_data(),
        "diff": {"before": look_up(before, owner.placement) or {}, "after": look_up(after, owner.placement) or {}},
    }


if __name__ == "__main__":
    main()
