#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permit PCI devices for KubeVirt's virtual machines, beside the devices that others permitted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubevirt_host_devices
short_description: Permit PCI devices for virtual machines, without touching the entries of others
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Merges entries into C(permittedHostDevices.pciHostDevices) of KubeVirt and switches the feature gate C(HostDevices)
    on. All other entries, fields and annotations stay as they are, and nothing is lost that others write at the same
    time.
  - Where HyperConverged manages KubeVirt, the module edits HyperConverged instead.
  - The module refuses entries that KubeVirt would accept without an error and never serve. These are the selector of a
    PF, one selector with two names, and names of Intel's plugin. The module also refuses to override an administrator
    who switched host devices off by C(disabledFeatureGates) of KubeVirt or C(disabled) of an entry of HyperConverged.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
attributes:
  platform:
    platforms: posix
options:
  entries:
    description: The devices to permit, or with O(state=absent) no longer to permit.
    type: list
    elements: dict
    required: true
    suboptions:
      selector:
        description: Vendor and device of the VFs, such as V(8086:4941); upper and lower case are the same.
        type: str
        required: true
      resource_name:
        description: Name of the resource that virtual machines ask for, such as V(intel.com/qat).
        type: str
        required: true
      external_resource_provider:
        description: Whether another device plugin than KubeVirt's advertises the devices.
        type: bool
        default: false
  state:
    description:
      - V(absent) removes the entries that have both the selector and the name of an entry of O(entries), and nothing
        else. The feature gate stays, because others may need it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Permit the VFs of a 4xxx
  intel.qatvirt.kubevirt_host_devices:
    entries:
      - selector: "8086:4941"
        resource_name: intel.com/qat
"""

RETURN = r"""
configured_by:
  description: The object that has KubeVirt's configuration, with C(kind), C(namespace) and C(name).
  type: dict
  returned: success
  sample: {kind: KubeVirt, namespace: kubevirt, name: kubevirt}
before:
  description: All permitted PCI devices before the change, devices of others included, as the object has them.
  type: list
  elements: dict
  returned: success
after:
  description: All permitted PCI devices after the change; in check mode, as they would be.
  type: list
  elements: dict
  returned: success
"""

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.host_devices import (
    diff_part,
    merge,
    parse_entries,
    permitted_devices,
    remove,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import find_config_owner
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.update import edit


def main() -> None:
    """Run the module."""
    entry = {
        "selector": {"type": "str", "required": True},
        "resource_name": {"type": "str", "required": True},
        "external_resource_provider": {"type": "bool", "default": False},
    }
    options = {
        "entries": {"type": "list", "elements": "dict", "required": True, "options": entry},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Check the entries, find the object with KubeVirt's configuration, edit that object."""
    absent = module.params["state"] == "absent"
    entries = parse_entries(module.params["entries"], absent=absent)
    owner = find_config_owner(api)
    change = remove if absent else merge
    before, after = edit(api, owner.url, lambda item: change(item, owner, entries))
    return {
        "changed": before != after,
        "configured_by": owner.as_data(),
        "before": permitted_devices(before, owner),
        "after": permitted_devices(after, owner),
        "diff": {"before": diff_part(before, owner), "after": diff_part(after, owner)},
    }


if __name__ == "__main__":
    main()
