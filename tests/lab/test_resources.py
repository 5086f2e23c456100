# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that lacks what the lab needs: nothing is started. Needs QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import Lab, LabError, NodeSpec, resources
from lab.paths import labs_root


def test_a_machine_without_tun_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resources, "TUN", tmp_path / "tun")
    with pytest.raises(LabError, match="no character device"):
        Lab("no-tun").start(NodeSpec("qat1"))
    assert not (labs_root() / "no-tun").exists()


def test_a_full_disk_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Path("/proc")  # the file system that is always full
    monkeypatch.setenv("QATVIRT_CACHE", str(disk))
    with pytest.raises(LabError, match=r"0\.0 GB are free below /proc"):
        Lab("no-disk").start(NodeSpec("qat1"))
    assert not (labs_root() / "no-disk").exists()
