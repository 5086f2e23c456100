# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/apt_sources.py: the Debian mirror that this machine uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import LabError, apt_sources


class TestAptSources:
    def mirror(self, tmp_path: Path, name: str, text: str) -> apt_sources.DebianMirror:
        directory = tmp_path / "apt" / "sources.list.d"
        directory.mkdir(parents=True)
        (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
        (directory / name).write_text(text)
        return apt_sources.mirror(tmp_path)

    def test_deb822(self, tmp_path: Path) -> None:
        text = (
            "Types: deb deb-src\n# comment\nURIs: http://mirror.test/debian/\nSuites: bookworm bookworm-updates\n"
            "Components: main\n\nTypes: deb\nURIs: http://mirror.test/security\nSuites:\n bookworm-security\n"
            "\nEnabled: no\nTypes: deb\nURIs: http://no.test\nSuites: bookworm-security\n"
        )
        mirror = self.mirror(tmp_path, "debian.sources", text)
        assert mirror == apt_sources.DebianMirror("http://mirror.test/debian", "http://mirror.test/security")
        assert mirror.lines("trixie") == [
            "deb http://mirror.test/debian trixie main",
            "deb http://mirror.test/security trixie-security main",
        ]

    def test_one_line(self, tmp_path: Path) -> None:
        text = (
            "# deb http://no.test bookworm main\ndeb-src http://no.test bookworm main\n"
            "deb [arch=amd64 signed-by=/x.gpg] http://mirror.test/debian bookworm main # yes\n"
        )
        assert self.mirror(tmp_path, "x.list", text) == apt_sources.DebianMirror("http://mirror.test/debian", None)

    def test_no_source_for_this_release(self, tmp_path: Path) -> None:
        with pytest.raises(LabError, match="bookworm"):
            self.mirror(tmp_path, "x.list", "deb http://mirror.test/debian trixie main\n")
