# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that git tracks, for tests of the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def name_of(path: Path) -> str:
    """The path from the root of the checkout, also the name of a test's parameter."""
    return str(path.relative_to(ROOT))


def tracked_files() -> list[Path]:
    """Every file that git tracks and that is there, without links."""
    command = ["git", "ls-files", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    paths = [ROOT / name for name in names if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


FILES = tracked_files()
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
