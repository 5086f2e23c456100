# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each source file says its licence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repo.tracked import FILES, name_of

SOURCES = {".py", ".sh", ".yml", ".yaml", ".c", ".h", ".toml", ".cfg"}
# Written by a tool that drops comments.
WITHOUT_HEADER = {"ansible_collections/intel/qatvirt/changelogs/changelog.yaml"}


def is_source(path: Path) -> bool:
    return name_of(path) not in WITHOUT_HEADER and (path.suffix in SOURCES or path.read_bytes().startswith(b"#!"))


@pytest.mark.parametrize("path", sorted(path for path in FILES if is_source(path)), ids=name_of)
def test_source_says_its_licence(path: Path) -> None:
    head = path.read_text(encoding="utf-8")[:400]
    kernel = path.suffix in {".c", ".h"}
    assert f"SPDX-License-Identifier: {'GPL-2.0-only' if kernel else 'GPL-3.0-or-later'}" in head
    assert "SPDX-FileCopyrightText: 2026 The intel.qatvirt authors" in head
