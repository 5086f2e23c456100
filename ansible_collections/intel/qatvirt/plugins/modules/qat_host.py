#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set up IOMMU, kernel arguments and vfio on a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_host
short_description: Prepare a node's kernel for QAT VFs on vfio-pci
version_added: 0.1.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Loads vfio-pci now and at every boot, and has it take the VFs of Gen2 devices where the policy binds them to
    vfio-pci (C(disable_denylist)).
  - Where the IOMMU is off, sets C(intel_iommu=on) through the host's own boot loader tool (GRUB drop-in, grubby,
    rpm-ostree, kernel-install). Where the IOMMU is on, kernel arguments stay as they are.
  - Never reboots the node. The result says whether a reboot is needed and why.
extends_documentation_fragment:
  - intel.qatvirt.attributes
  - intel.qatvirt.attributes.policy
options:
  state:
    description: V(present) prepares the node; V(absent) puts files and kernel arguments back to what they were before.
    type: str
    choices: [present, absent]
    default: present
  kernel_args:
    description: Kernel arguments to set besides, such as V(iommu=pt).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Prepare the node
  intel.qatvirt.qat_host:
    kernel_args: [iommu=pt]
  register: host

- name: Reboot where that is needed
  ansible.builtin.reboot:
  when: host.reboot_needed
"""

RETURN = r"""
reboot_needed:
  description: Whether the node has to be rebooted before VFs can be used.
  type: bool
  returned: success
reasons:
  description: Why a reboot is needed.
  type: list
  elements: str
  returned: success
kernel_args:
  description: Kernel arguments that this module keeps set.
  type: list
  elements: str
  returned: success
boot_loader:
  description: Kind of boot loader configuration.
  type: str
  returned: success
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.intel.qatvirt.plugins.module_utils.node.argspec import POLICY_SPEC
from ansible_collections.intel.qatvirt.plugins.module_utils.node.bootloader import BOOT_LOADERS, BootLoader
from ansible_collections.intel.qatvirt.plugins.module_utils.node.checkpoint import Checkpoint
from ansible_collections.intel.qatvirt.plugins.module_utils.node.facts import collect
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.host_plan import HostPlan, plan_host, plan_host_absent
from ansible_collections.intel.qatvirt.plugins.module_utils.node.managed_files import ManagedFiles
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import pfs_from_facts
from ansible_collections.intel.qatvirt.plugins.module_utils.node.module import run_command, run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import fitting_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "policy": POLICY_SPEC,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "kernel_args": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    run_module(module, lambda running: HostRun(running).converge())


class HostRun:
    """One run of the module: compares the host with the plan and, outside of check mode, changes it."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.files = Files()
        self.checkpoint = Checkpoint(self.files)
        self.managed = ManagedFiles(self.files, self.checkpoint, "host_files")
        self.facts = collect(System(), self.files)

    def converge(self) -> dict[str, Any]:
        """Returns the result of the module."""
        plan = self.plan()
        if plan.problems:
            self.module.fail_json(msg="; ".join(f"{item.message}: {item.fix}" for item in plan.problems))
        differing = self.managed.differing(list(plan.files))
        args_differ = self.args_differ(plan)
        diff = self.managed.diff(differing)
        if args_differ:
            diff.append(_args_diff(plan, self.facts["kernel_args_set"]))
        if not self.module.check_mode:
            for file in differing:
                self.managed.put(file)
            if args_differ:
                self.set_args(plan)
            self.load(plan)
        return {
            "changed": bool(differing or args_differ or plan.load or plan.reload_vfio or plan.unload_vfio),
            "reboot_needed": bool(plan.reboot),
            "reasons": list(plan.reboot),
            "kernel_args": list(plan.args),
            "boot_loader": self.facts["boot_loader"],
            "diff": diff,
        }

    def plan(self) -> HostPlan:
        """What the node needs."""
        args_set = self.facts["kernel_args_set"]
        if self.module.params["state"] == "absent":
            return plan_host_absent(self.facts, args_set, self.checkpoint.section("modules"))
        pfs = pfs_from_facts(self.facts)
        policy = fitting_policy(self.module.params["policy"], pfs)
        return plan_host(self.facts, pfs, policy, self.module.params["kernel_args"], args_set)

    def loader(self) -> BootLoader:
        """The boot loader's configuration. Fails the module on a host whose boot loader tool is not known."""
        kind = self.facts["boot_loader"]
        if kind is None:
            self.module.fail_json(
                msg="no known boot loader tool on {0}: expected update-grub, grubby, rpm-ostree or kernel-install with "
                "/etc/kernel/cmdline. Set the kernel arguments by hand and reboot".format(self.facts["node"])
            )
        return BOOT_LOADERS[kind](self.files, self.run)

    def run(self, command: list[str]) -> str:
        """Output of a command. Fails the module where the command fails."""
        return run_command(self.module, command)

    def args_differ(self, plan: HostPlan) -> bool:
        """Whether the boot loader's configuration has to change."""
        return bool(plan.gone) or (bool(plan.args) and not self.loader().in_place(list(plan.args)))

    def set_args(self, plan: HostPlan) -> None:
        """Record the kernel arguments that the running kernel does not have, then set all of them."""
        for arg in plan.args:
            if arg not in self.facts["kernel"]["args"]:
                self.checkpoint.record("kernel_args", arg, self.facts["boot_loader"])
        self.loader().set(list(plan.args), list(plan.gone))
        for arg in plan.gone:
            self.checkpoint.forget("kernel_args", arg)

    def load(self, plan: HostPlan) -> None:
        """Load modules, and reload or unload vfio-pci. Modules that were not loaded before are recorded."""
        if plan.reload_vfio or plan.unload_vfio:
            self.run(["modprobe", "-r", "vfio-pci"])
        if plan.reload_vfio:
            self.run(["modprobe", "vfio-pci"])
        if plan.unload_vfio:
            self.checkpoint.forget("modules", "vfio-pci")
        for name in plan.load:
            self.checkpoint.record("modules", name, "not loaded")
            self.run(["modprobe", name])


def _args_diff(plan: HostPlan, args_set: list[str]) -> dict[str, Any]:
    header = "kernel arguments set by intel.qatvirt"
    return {
        "before_header": header,
        "after_header": header,
        "before": "".join(arg + "\n" for arg in args_set),
        "after": "".join(arg + "\n" for arg in plan.args),
    }


if __name__ == "__main__":
    main()
