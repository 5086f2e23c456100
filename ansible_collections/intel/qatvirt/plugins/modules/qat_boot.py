#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the systemd unit that brings services, VFs and drivers back at boot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_boot
short_description: Keep QAT services, VFs and VF drivers across reboots
version_added: 0.1.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - The kernel forgets services and VFs at every boot. This module installs a systemd unit that runs before kubelet
    starts and follows the policy with the code of M(intel.qatvirt.qat_vf), from one self-contained file.
  - The unit reports to the journal and to C(/run/qatvirt/status.json), which has C(ok), C(messages) for people and
    C(failures) for programs (C(code), C(pf), C(message)).
extends_documentation_fragment:
  - intel.qatvirt.attributes
  - intel.qatvirt.attributes.policy
options:
  state:
    description: V(present) installs and enables the unit; V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Keep services, VFs and VF drivers across reboots
  intel.qatvirt.qat_boot:
    policy: "{{ qat_vf_policy }}"
"""

RETURN = r"""
files:
  description: Files that were written or removed, or in check mode would be.
  type: list
  elements: str
  returned: success
enabled:
  description: Whether the unit had to be enabled.
  type: bool
  returned: success
ansible_facts:
  description: C(qatvirt) as M(intel.qatvirt.qat_info) returns it, read after the change.
  type: dict
  returned: when not in check mode
"""

import sys
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.intel.qatvirt.plugins.module_utils.node import boot_unit, paths
from ansible_collections.intel.qatvirt.plugins.module_utils.node.argspec import POLICY_SPEC
from ansible_collections.intel.qatvirt.plugins.module_utils.node.checkpoint import Checkpoint
from ansible_collections.intel.qatvirt.plugins.module_utils.node.facts import collect
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.managed_files import ManagedFiles
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import ManagedFile
from ansible_collections.intel.qatvirt.plugins.module_utils.node.module import run_command, run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe_pfs
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import fitting_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "policy": POLICY_SPEC,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Install or remove the files, and enable or disable the unit. Returns the result of the module."""
    system, files = System(), Files()
    present = module.params["state"] == "present"
    managed = ManagedFiles(files, Checkpoint(files), "boot_files")
    differing = managed.differing(_present(module, system) if present else _absent())
    switch = system.exists(paths.WANTED) != present
    diff = managed.diff(differing)
    if switch:
        diff.append({"before_header": paths.SERVICE, "after_header": paths.SERVICE, **_switch_diff(present)})
    if not module.check_mode:
        if switch and not present:
            _systemctl(module, "disable")
        for file in differing:
            managed.put(file)
        if any(file.path == paths.UNIT for file in differing):
            _systemctl(module, "daemon-reload")
        if switch and present:
            _systemctl(module, "enable")
    return {
        "changed": bool(differing or switch),
        "files": [file.path for file in differing],
        "enabled": switch and present,
        "diff": diff,
        **({} if module.check_mode else {"ansible_facts": {"qatvirt": collect(system, files)}}),
    }


def _switch_diff(present: bool) -> dict[str, str]:
    return {"before": "disabled\n", "after": "enabled\n"} if present else {"before": "enabled\n", "after": "disabled\n"}


def _present(module: AnsibleModule, system: System) -> list[ManagedFile]:
    raw = module.params["policy"]
    pfs = observe_pfs(system, {})
    policy = fitting_policy(raw, pfs)
    return [
        ManagedFile(paths.PROGRAM, boot_unit.build_program(), 0o755),
        ManagedFile(paths.POLICY, boot_unit.policy_text(raw, policy, pfs)),
        ManagedFile(paths.UNIT, boot_unit.unit_text(sys.executable)),
    ]


def _absent() -> list[ManagedFile]:
    return [ManagedFile(path, None) for path in (paths.PROGRAM, paths.POLICY, paths.UNIT)]


def _systemctl(module: AnsibleModule, verb: str) -> None:
    run_command(module, ["systemctl", verb] + ([] if verb == "daemon-reload" else [paths.SERVICE]))


if __name__ == "__main__":
    main()
