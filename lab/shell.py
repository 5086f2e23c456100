# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running host commands."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.errors import LabError

TAIL_LINES = 15


def run(*command: str | Path, text: str | None = None) -> str:
    """Run a host command and give its standard output.

    text: its standard input.
    Raises LabError with the end of its output when it is missing or fails.
    """
    words = [str(word) for word in command]
    require_program(words[0])
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL_LINES:])
        raise LabError(f"'{' '.join(words)}' failed with exit code {done.returncode}:\n{tail}")
    return done.stdout


def require_program(program: str) -> None:
    """Raise LabError where a program is not installed."""
    if not shutil.which(program):
        raise LabError(f"'{program}' is not installed. 'make deps' installs what lab/apt.txt lists.")


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a disk image, holes staying holes, sharing blocks where the file system can."""
    run("cp", "--reflink=auto", "--sparse=always", source, target)
