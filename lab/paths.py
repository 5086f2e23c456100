# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps things, and how it takes turns with other labs there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_root() -> Path:
    """Heavy artefacts, each in a directory named by a hash of what it was made from; may be deleted at any time."""
    return _root("QATVIRT_CACHE", "XDG_CACHE_HOME", ".cache")


def labs_root() -> Path:
    """The state of all labs of this user, one directory a lab."""
    return _root("QATVIRT_STATE", "XDG_STATE_HOME", ".local/state") / "lab"


def _root(own: str, xdg: str, fallback: str) -> Path:
    if value := os.environ.get(own):
        return Path(value).absolute()
    return Path(os.environ.get(xdg) or Path.home() / fallback).absolute() / "qatvirt"


def digest(*inputs: str | Path) -> str:
    """Sixteen hexadecimal digits over texts, and over files and directory trees (names, modes, contents)."""
    sha = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            sha.update(f"text {len(item)}\n{item}".encode())
            continue
        files = sorted(path for path in item.rglob("*") if path.is_file()) if item.is_dir() else [item]
        for path in files:
            content = path.read_bytes()
            sha.update(f"file {path.relative_to(item)} {path.stat().st_mode & 0o111} {len(content)}\n".encode())
            sha.update(content)
    return sha.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file (made if missing) among all processes of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The directory of a cached artefact; make() fills it first where it is missing.

    A failed or killed make() leaves nothing behind that would be taken for the artefact.
    """
    final = cache_root() / kind / key
    with locked(final.with_name(f"{key}.lock")):
        if not final.exists():
            for stale in final.parent.glob(f"{key}.*.new"):  # of a process that was killed
                shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(prefix=f"{key}.", suffix=".new", dir=final.parent) as name:
                work = Path(name, "made")
                work.mkdir()
                make(work)
                work.rename(final)
    return final


def remove_tree(path: Path) -> None:
    """Remove a directory with all it holds, if it is there."""
    if path.exists():
        shutil.rmtree(path)
