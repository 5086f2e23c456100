# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.host import boot_loader, kernel_args
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import MODULES, facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import SimKernel


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("root=/dev/vda ro", ["root=/dev/vda", "ro"]),
        ('dyndbg="file x +p" quiet', ["dyndbg=file x +p", "quiet"]),
        ('an="odd one', ['an="odd', "one"]),
        ("", []),
    ],
)
def test_kernel_args_keeps_quoted_values_whole(text: str, args: list[str]) -> None:
    assert kernel_args(text) == args


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (("/etc/default/grub", "/usr/sbin/update-grub"), "grub"),
        (("/etc/default/grub", "/usr/sbin/grubby"), "grubby"),
        (("/run/ostree-booted", "/usr/bin/rpm-ostree", "/usr/sbin/grubby"), "rpm-ostree"),
        (("/etc/kernel/cmdline", "/usr/bin/kernel-install"), "kernel-install"),
        (("/etc/default/grub",), None),
        ((), None),
    ],
)
def test_boot_loader_is_told_by_its_tool(files: tuple[str, ...], kind: str | None) -> None:
    assert boot_loader(with_host(SimKernel(), files=files)) == kind


def test_facts_tell_kernel_modules_and_os(tmp_path: Path) -> None:
    Files(str(tmp_path)).replace("/etc/os-release", 'ID=debian\nVERSION_ID="12"\nID_LIKE="a b"\n')
    facts = facts_of(with_host(SimKernel(), builtin=("kernel/drivers/vfio/vfio.ko",)), tmp_path)
    assert facts["node"] == "node1"
    assert facts["os"] == {"id": "debian", "id_like": ["a", "b"], "version": "12"}
    assert facts["kernel"]["iommu"]
    assert facts["kernel"]["source_version"] == "6.12"
    assert facts["modules"]["qat_4xxx"] == {
        "loaded": True,
        "builtin": False,
        "path": MODULES + "/kernel/drivers/crypto/intel/qat/qat_4xxx/qat_4xxx.ko.xz",
        "out_of_tree": False,
    }
    assert facts["vfio"] == {
        "loaded": True,
        "denylist_disabled": False,
        "builtin": False,
        "devices": [],
        "cdevs_missing": [],
    }
    assert not facts["emulated"]


@pytest.mark.parametrize(
    ("name", "text", "fact", "value"),
    [
        ("/sys/kernel/security/lockdown", "none [integrity] confidentiality", "lockdown", "integrity"),
        (
            "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
            "\x06\0\0\0\x01",
            "secure_boot",
            True,
        ),
        (
            "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
            "\x06\0\0\0\0",
            "secure_boot",
            False,
        ),
    ],
)
def test_facts_tell_what_the_kernel_locks(tmp_path: Path, name: str, text: str, fact: str, value: object) -> None:
    node = with_host(SimKernel())
    assert facts_of(node, tmp_path)["kernel"][fact] is None
    node.add_file(name, text)
    assert facts_of(node, tmp_path)["kernel"][fact] == value


@pytest.mark.parametrize("path", ["/lib/firmware/qat_4xxx.bin", "/lib/firmware/updates/qat_4xxx.bin.zst"])
def test_facts_find_firmware_compressed_or_not(tmp_path: Path, path: str) -> None:
    node = with_host(SimKernel())
    assert facts_of(node, tmp_path)["firmware"]["qat_4xxx.bin"] is None
    node.add_file(path, "")
    assert facts_of(node, tmp_path)["firmware"]["qat_4xxx.bin"] == path


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (with_host(SimKernel()), []),
        (with_host(SimKernel(), files=("/etc/init.d/qat_service",)), ["OOT-MIX"]),
        (with_host(SimKernel(), shipped=("updates/drivers/crypto/qat/intel_qat.ko",)), ["OOT-MIX"]),
        (with_host(SimKernel(), files=("/etc/systemd/system/multi-user.target.wants/qat.service",)), ["QATMGR"]),
    ],
    ids=["none", "service", "module", "qatmgr"],
)
def test_facts_tell_who_else_manages_qat(tmp_path: Path, node: SimKernel, found: list[str]) -> None:
    assert [conflict["id"] for conflict in facts_of(node, tmp_path)["conflicts"]] == found
