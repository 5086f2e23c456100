# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian root file systems, made by mmdebstrap with packages from the Debian mirror of the host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab import apt_sources
from lab.errors import LabError
from lab.shell import require_program

SUITE = "trixie"
TAIL_LINES = 20


def command(variant: str, output_format: str, *options: str) -> tuple[str, ...]:
    """The mmdebstrap command for one kind of root file system, without packages, suite, target and apt sources.

    variant, output_format: mmdebstrap's --variant and --format. options: further options of mmdebstrap.
    Callers hash the words into a cache key: any change of them makes the root file system anew.
    """
    return (
        "mmdebstrap",
        "--mode=root",
        f"--variant={variant}",
        f"--format={output_format}",
        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
        '--aptopt=Apt::Install-Recommends "false"',
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=force-unsafe-io",
        *options,
    )


def make(command: Sequence[str], packages: Sequence[str], target: Path, log: Path) -> None:
    """Run mmdebstrap and write its output to log. Needs root. Raises LabError with the end of the log.

    command: from command(). packages: Debian packages beside those of the variant. target: archive or directory.
    """
    if os.geteuid():
        raise LabError("Debian root file systems can only be made by root: run this as root, or with sudo.")
    require_program("mmdebstrap")
    sources = apt_sources.mirror().lines(SUITE)
    with log.open("w") as output:
        done = subprocess.run(
            [*command, f"--include={','.join(packages)}", SUITE, str(target), *sources],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        tail = "\n".join(log.read_text().splitlines()[-TAIL_LINES:])
        raise LabError(f"mmdebstrap failed with exit code {done.returncode}:\n{tail}")


def package_list(file: Path) -> list[str]:
    """The packages that a file lists, one a line; lines that begin with # are comments."""
    lines = file.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
