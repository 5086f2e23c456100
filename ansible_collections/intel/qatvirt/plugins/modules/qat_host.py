#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IOMMU, kernel arguments and vfio on a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_host
short_description: Prepare a node's kernel for QAT VFs on vfio-pci
version_added: 0.1.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Loads vfio-pci now and at boot, and lets it take the VFs of Gen2 devices where the policy sends them there
    (C(disable_denylist)).
  - Where the IOMMU is off, sets C(intel_iommu=on) through the host's own boot loader tool (GRUB drop-in, grubby,
    rpm-ostree, kernel-install). Where it is on, kernel arguments stay as they are.
  - It never reboots; it says whether a reboot is needed and why.
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
  description: Why.
  type: list
  elements: str
  returned: success
kernel_args:
  description: Kernel arguments this module keeps set.
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

from ansible_collections.intel.qatvirt.plugins.module_utils.node.argspec import POLICY_SPEC, given_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.bootloader import LOADERS, Loader
from ansible_collections.intel.qatvirt.plugins.module_utils.node.checkpoint import Checkpoint
from ansible_collections.intel.qatvirt.plugins.module_utils.node.facts import collect
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.host_plan import HostPlan, plan_host, plan_host_absent
from ansible_collections.intel.qatvirt.plugins.module_utils.node.managed_files import ManagedFiles
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import pfs_of
from ansible_collections.intel.qatvirt.plugins.module_utils.node.module import run_command, run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import fitting_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "policy": POLICY_SPEC,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "kernel_args": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    run_module(module, lambda running: Host(running).converge())


class Host:
    """One run: compare, and unless in check mode, change."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.files = Files()
        self.checkpoint = Checkpoint(self.files)
        self.managed = ManagedFiles(self.files, self.checkpoint, "host_files")
        self.facts = collect(System(), self.files)

    def converge(self) -> dict[str, Any]:
        """The module's result."""
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
        ours = self.facts["kernel_args_set"]
        if self.module.params["state"] == "absent":
            return plan_host_absent(self.facts, ours, self.checkpoint.section("modules"))
        pfs = pfs_of(self.facts)
        policy = fitting_policy(given_policy(self.module.params["policy"]), pfs)
        return plan_host(self.facts, pfs, policy, self.module.params["kernel_args"], ours)

    def loader(self) -> Loader:
        """The boot loader's tool. Fails when this host has none that is known."""
        kind = self.facts["boot_loader"]
        if kind is None:
            self.module.fail_json(
                msg="no known boot loader tool on {0}: expected update-grub, grubby, rpm-ostree or "
                "kernel-install with /etc/kernel/cmdline. "
                "Set the kernel arguments by hand and reboot".format(self.facts["node"])
            )
        return LOADERS[kind](self.files, self.run)

    def run(self, command: list[str]) -> str:
        """Output of a command that has to succeed."""
        return run_command(self.module, command)

    def args_differ(self, plan: HostPlan) -> bool:
        """Whether the boot loader's configuration has to change."""
        return bool(plan.gone) or (bool(plan.args) and not self.loader().in_place(list(plan.args)))

    def set_args(self, plan: HostPlan) -> None:
        """Record which arguments are ours, then set them."""
        for arg in plan.args:
            if arg not in self.facts["kernel"]["args"]:
                self.checkpoint.record("kernel_args", arg, self.facts["boot_loader"])
        self.loader().set(list(plan.args), list(plan.gone))
        for arg in plan.gone:
            self.checkpoint.forget("kernel_args", arg)

    def load(self, plan: HostPlan) -> None:
        """Load, reload or unload vfio-pci; what was not loaded before us is remembered."""
        if plan.reload_vfio or plan.unload_vfio:
            self.run(["modprobe", "-r", "vfio-pci"])
        if plan.reload_vfio:
            self.run(["modprobe", "vfio-pci"])
        if plan.unload_vfio:
            self.checkpoint.forget("modules", "vfio-pci")
        for name in plan.load:
            self.checkpoint.record("modules", name, "not loaded")
            self.run(["modprobe", name])


def _args_diff(plan: HostPlan, ours: list[str]) -> dict[str, Any]:
    header = "kernel arguments set by intel.qatvirt"
    return {
        "before_header": header,
        "after_header": header,
        "before": "".join(arg + "\n" for arg in ours),
        "after": "".join(arg + "\n" for arg in plan.args),
    }


if __name__ == "__main__":
    main()
