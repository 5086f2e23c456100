#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the QAT devices of a node and the host around them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_info
short_description: Read the QAT devices of a node, their VFs and what they need
version_added: 0.1.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Returns all QAT PFs and VFs of a node in any PCI domain, with drivers, IOMMU groups, services and the processes
    that hold VFs. Also returns the kernel, modules and firmware of the node, and other software that manages QAT.
    Takes one remote execution.
  - Problems say what was found, what was expected and what to do.
  - Run it as root. Without root's rights it does not see VFs that processes of other users hold.
extends_documentation_fragment:
  - intel.qatvirt.attributes
attributes:
  diff_mode:
    support: N/A
    details: The module changes nothing.
"""

EXAMPLES = r"""
- name: Read the QAT devices
  intel.qatvirt.qat_info:

- name: Show PFs that have problems
  ansible.builtin.debug:
    msg: "{{ ansible_facts['qatvirt']['pfs'] | selectattr('problems') }}"
"""

RETURN = r"""
ansible_facts:
  description: The facts of the node.
  returned: always
  type: complex
  contains:
    qatvirt:
      description: The QAT devices of the node and the host around them.
      type: dict
      returned: always
      contains:
        schema:
          description: Version of this structure.
          type: int
          returned: always
          sample: 2
        emulated:
          description: Whether the QAT devices are those of this project's lab.
          type: bool
          returned: always
        node:
          description: Host name of the node.
          type: str
          returned: always
          sample: worker-1
        os:
          description: "C(id), C(id_like) and C(version) of os-release."
          type: dict
          returned: always
        kernel:
          description:
            - C(release), C(args) (kernel command line), C(iommu) (whether the IOMMU is on), C(iommu_units),
              C(secure_boot) and C(lockdown) (null where not known), C(headers) (whether they are installed),
              C(source_version).
          type: dict
          returned: always
        boot_loader:
          description: "Kind of boot loader: grub, grubby, rpm-ostree, kernel-install, or null where not known."
          type: str
          returned: always
          sample: grub
        vfio:
          description:
            - "vfio-pci: C(loaded), C(builtin), C(denylist_disabled) (null where not known), C(devices) bound to it,
              C(cdevs_missing) (character devices that sysfs names and the kernel does not make)."
          type: dict
          returned: always
        modules:
          description:
            - "By name: C(loaded), C(builtin), C(path) for the running kernel (null where there is none),
              C(out_of_tree) (whether that file does not come with the kernel)."
          type: dict
          returned: always
        firmware:
          description: Path of each firmware file that the devices need; null where the file is missing.
          type: dict
          returned: always
        conflicts:
          description: "Other software that manages QAT on this node: C(id), C(message), C(fix)."
          type: list
          elements: dict
          returned: always
        vms:
          description: "Processes that have /dev/kvm open: C(pid), C(command), C(guest), C(pod)."
          type: list
          elements: dict
          returned: always
        pfs:
          description:
            - Every PF, with C(address), C(device), C(family), C(module), C(driver), C(driver_loaded), C(numa_node),
              C(iommu_group), C(vfs_possible), C(vfs_enabled), C(autoprobe), C(state), C(services), C(heartbeat),
              C(offset), C(stride), C(problems) and C(vfs).
            - Each VF has C(index), C(address), C(device), C(driver), C(driver_override), C(iommu_group),
              C(group_members), C(numa_node), C(holders) (C(pid), C(command), C(path), C(pod), C(guest)), C(problems).
          type: list
          elements: dict
          returned: always
        boot:
          description:
            - "The boot unit: C(installed), C(enabled), the C(policy) it follows, and the C(status) of its last run."
            - "C(status) has C(ok), C(messages) for people and C(failures) for programs: C(code), C(pf), C(message)."
          type: dict
          returned: always
        kernel_args_set:
          description: Kernel arguments that this collection has set.
          type: list
          elements: str
          returned: always
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.intel.qatvirt.plugins.module_utils.node.facts import collect
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    run_module(module, run)


def run(_module: AnsibleModule) -> dict[str, Any]:
    """Read the facts. Returns the result of the module."""
    return {"changed": False, "ansible_facts": {"qatvirt": collect(System(), Files())}}


if __name__ == "__main__":
    main()
