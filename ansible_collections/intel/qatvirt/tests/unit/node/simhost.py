# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host around a simulated kernel: what /proc, /lib/modules and the boot loader's files say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.node.facts import collect
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import SimKernel

RELEASE = "6.12.0-test"
MODULES = "/lib/modules/" + RELEASE
SHIPPED = ("kernel/drivers/vfio/pci/vfio-pci.ko.xz", "kernel/drivers/crypto/intel/qat/qat_4xxx/qat_4xxx.ko.xz")


def with_host(
    node: SimKernel,
    args: str = "root=/dev/vda ro",
    shipped: tuple[str, ...] = SHIPPED,
    builtin: tuple[str, ...] = (),
    files: tuple[str, ...] = ("/etc/default/grub", "/usr/sbin/update-grub"),
) -> SimKernel:
    """The node with kernel arguments, modules of its distribution and ``files`` that merely exist."""
    for path, text in {
        "/proc/sys/kernel/hostname": "node1",
        "/proc/sys/kernel/osrelease": RELEASE,
        "/proc/cmdline": args,
        MODULES + "/modules.dep": "".join(path + ":\n" for path in shipped),
        MODULES + "/modules.builtin": "".join(path + "\n" for path in builtin),
        **dict.fromkeys(files, ""),
    }.items():
        node.add_file(path, text)
    return node


def facts_of(node: SimKernel, root: Path) -> dict[str, Any]:
    """What qat_info would return; ``root``: where the node's configuration files are."""
    return collect(node, Files(str(root)))
