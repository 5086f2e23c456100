#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from a node what a maintainer needs to know to find a fault from afar."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_support_node
short_description: Read facts, sysfs, files and logs of a node for a maintainer
version_added: 0.4.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Returns, in one remote execution, the facts of M(intel.qatvirt.qat_info), what sysfs and debugfs say about each QAT
    function, the modules, the files of this collection, and the lines about QAT in the logs of kernel, boot unit and
    kubelet. The result is bounded in size. What cannot be read is listed with the reason.
  - B(Logs and files may contain secrets.) Register the result with C(no_log), and pass it to
    M(intel.qatvirt.qat_support_bundle), which removes them.
  - Run this module as root; other users may not read much of it.
extends_documentation_fragment:
  - intel.qatvirt.attributes
attributes:
  diff_mode:
    support: N/A
    details: It changes nothing.
options:
  lines:
    description: Number of lines at the end of each log.
    type: int
    default: 500
seealso:
  - module: intel.qatvirt.qat_support_cluster
  - module: intel.qatvirt.qat_support_bundle
"""

EXAMPLES = r"""
- name: Read the node
  intel.qatvirt.qat_support_node:
  register: support_node
  no_log: true
"""

RETURN = r"""
support:
  description: What was read of the node.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      returned: always
      sample: 1
    node:
      description: Host name of the node.
      type: str
      returned: always
    kernel:
      description: Version of the kernel, C(/proc/version).
      type: str
      returned: always
    command_line:
      description: The kernel's command line.
      type: str
      returned: always
    facts:
      description: The facts of M(intel.qatvirt.qat_info), null where they cannot be read.
      type: dict
      returned: always
    devices:
      description: Attributes of each PF and VF in sysfs, by PCI address.
      type: dict
      returned: always
    debugfs:
      description: Configuration and firmware counters of the PFs, by path in debugfs.
      type: dict
      returned: always
    modules:
      description: "Loaded modules by name: C(version), C(srcversion), C(refcnt), C(taint) and C(parameters)."
      type: dict
      returned: always
    files:
      description: Files of this collection and other files about QAT and vfio, by path; of a program its checksum.
      type: dict
      returned: always
    logs:
      description: "Logs as texts: C(kernel), C(qatvirt.service) and C(kubelet)."
      type: dict
      returned: always
    unreadable:
      description: What could not be read, each with the reason.
      type: dict
      returned: always
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.node.support_data import collect_node
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System


def main() -> None:
    options = {"lines": {"type": "int", "default": 500}}
    run_module(AnsibleModule(argument_spec=options, supports_check_mode=True), run)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Read the node."""

    def command(words: list[str]) -> str:
        if module.get_bin_path(words[0]) is None:
            raise RuntimeError(f"this node has no {words[0]}")
        code, out, err = module.run_command(words)
        if code:
            raise RuntimeError(f"{words[0]} failed with exit code {code}: {err.strip() or out.strip()}")
        return str(out)

    return {"changed": False, "support": collect_node(System(), Files(), command, module.params["lines"])}


if __name__ == "__main__":
    main()
