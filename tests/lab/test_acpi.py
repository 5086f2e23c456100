# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/acpi.py: ACPI tables that give a node's PCI functions another domain. Needs the program cpio."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab import acpi


class TestAcpi:
    def test_domain_0_is_qemus_own(self) -> None:
        assert acpi.early_initramfs(0) == b""

    def test_the_kernel_finds_whole_tables_in_a_cpio_archive(self, tmp_path: Path) -> None:
        archive = acpi.early_initramfs(0xABCD)
        subprocess.run(["cpio", "--quiet", "-idm"], cwd=tmp_path, input=archive, check=True)
        tables = {file.name: file.read_bytes() for file in (tmp_path / "kernel/firmware/acpi").iterdir()}
        assert sorted(tables) == ["dmar.aml", "mcfg.aml", "ssdt.aml"]
        for table in tables.values():
            assert int.from_bytes(table[4:8], "little") == len(table)
            assert sum(table) % 256 == 0
            assert b"\xcd\xab" in table
        assert len(archive) % 4 == 0, "the real initramfs follows"
