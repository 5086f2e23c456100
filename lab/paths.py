# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of the cache and of the labs' state, and what keeps two processes from changing them at once."""

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
    """The directory of the cache, which may be deleted at any time.

    It has one directory an artefact, named by a hash of what the artefact was made from.
    """
    return _root("QATVIRT_CACHE", "XDG_CACHE_HOME", ".cache")


def labs_root() -> Path:
    """The directory with the state of all labs of this user, one directory a lab."""
    return _root("QATVIRT_STATE", "XDG_STATE_HOME", ".local/state") / "lab"


def _root(own: str, xdg: str, fallback: str) -> Path:
    if value := os.environ.get(own):
        return Path(value).absolute()
    return Path(os.environ.get(xdg) or Path.home() / fallback).absolute() / "qatvirt"


def digest(*inputs: str | Path) -> str:
    """A hash of texts, files and directory trees, as sixteen hexadecimal digits.

    Of files it covers the name below the tree, the executable bits and the content.
    """
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
    """Hold an exclusive lock on a file, made if missing, against all other processes of the host."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The directory of a cached artefact. When it is missing, make() is called with a new directory to fill.

    A make() that fails or is killed leaves no directory that would be taken for the artefact.
    """
    final = cache_root() / kind / key
    with locked(final.with_name(f"{key}.lock")):
        if not final.exists():
            for stale in final.parent.glob(f"{key}.*.new"):  # left by a process that was killed
                shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(prefix=f"{key}.", suffix=".new", dir=final.parent) as name:
                work = Path(name, "made")
                work.mkdir()
                make(work)
                work.rename(final)
    return final


def remove_tree(path: Path) -> None:
    """Remove a directory and its content, if the directory exists."""
    if path.exists():
        shutil.rmtree(path)
