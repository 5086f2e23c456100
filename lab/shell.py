# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands on the host."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.errors import LabError

TAIL_LINES = 15


def run(*command: str | Path, text: str | None = None) -> str:
    """Run a command on the host and give its standard output.

    text: the command's standard input.
    Raises LabError when the program is not installed, or with the end of the output when the command fails.
    """
    words = [str(word) for word in command]
    require_program(words[0])
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL_LINES:])
        raise LabError(f"'{' '.join(words)}' failed with exit code {done.returncode}:\n{tail}")
    return done.stdout


def require_program(program: str) -> None:
    """Raise LabError when a program is not installed on the host."""
    if not shutil.which(program):
        raise LabError(f"'{program}' is not installed. 'make deps' installs what lab/apt.txt lists.")


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a disk image. Holes stay holes, and the copy shares blocks with the source where the file system can."""
    run("cp", "--reflink=auto", "--sparse=always", source, target)
