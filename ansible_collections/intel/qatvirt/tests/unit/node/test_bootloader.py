# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments by kind of boot loader: the commands that the tools get. The tools themselves run in the lab
(GRUB)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.bootloader import BOOT_LOADERS, GRUB_DROPIN
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files

ON = "intel_iommu=on"


class Tool:
    """Stands for the boot loader's command: remembers what it was told and prints ``output``."""

    def __init__(self, output: str = "") -> None:
        self.output = output
        self.calls: list[str] = []

    def __call__(self, command: list[str]) -> str:
        self.calls.append(" ".join(command))
        return self.output


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(str(tmp_path))


def test_grub_appends_by_a_drop_in_of_its_own(files: Files) -> None:
    tool = Tool()
    BOOT_LOADERS["grub"](files, tool).set([ON, "iommu=pt"], [])
    assert files.read(GRUB_DROPIN) == (
        "# Written by intel.qatvirt (role qat_host).\n"
        f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {ON} iommu=pt"\n'
    )
    assert tool.calls == ["/usr/sbin/update-grub"]


def test_grub_is_in_place_only_when_grub_cfg_has_it_too(files: Files) -> None:
    loader = BOOT_LOADERS["grub"](files, Tool())
    loader.set([ON], [])
    assert not loader.in_place([ON])
    files.replace("/boot/grub/grub.cfg", f"linux /vmlinuz root=/dev/vda {ON}\n")
    assert loader.in_place([ON])
    assert not loader.in_place([])


def test_grub_drops_its_file_with_the_last_argument(files: Files) -> None:
    loader = BOOT_LOADERS["grub"](files, Tool())
    loader.set([ON], [])
    loader.set([], [ON])
    assert files.read(GRUB_DROPIN) is None
    assert loader.in_place([])


@pytest.mark.parametrize(
    ("kind", "output", "set_call"),
    [
        (
            "grubby",
            f'index=0\nargs="ro {ON}"\n',
            f"/usr/sbin/grubby --update-kernel=ALL --args={ON} --remove-args=quiet",
        ),
        (
            "rpm-ostree",
            f"ro {ON}\n",
            f"/usr/bin/rpm-ostree kargs --append-if-missing={ON} --delete-if-present=quiet",
        ),
    ],
)
def test_loader_with_a_tool_asks_and_tells_it(files: Files, kind: str, output: str, set_call: str) -> None:
    assert BOOT_LOADERS[kind](files, Tool(output)).in_place([ON])
    assert not BOOT_LOADERS[kind](files, Tool("")).in_place([ON])
    tool = Tool()
    BOOT_LOADERS[kind](files, tool).set([ON], ["quiet"])
    assert tool.calls == [set_call]


def test_kernel_install_edits_the_command_line_and_adds_the_kernel(files: Files) -> None:
    files.replace("/etc/kernel/cmdline", "root=/dev/vda ro quiet\n")
    tool = Tool("6.12.0\n")
    loader = BOOT_LOADERS["kernel-install"](files, tool)
    assert not loader.in_place([ON])
    loader.set([ON], ["quiet"])
    assert files.read("/etc/kernel/cmdline") == f"root=/dev/vda ro {ON}\n"
    assert loader.in_place([ON])
    assert tool.calls[-1] == "/usr/bin/kernel-install add 6.12.0 /lib/modules/6.12.0/vmlinuz"
