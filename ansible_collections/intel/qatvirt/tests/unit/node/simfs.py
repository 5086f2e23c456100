# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small file tree in memory: directories (dict), symbolic links and files with a read and a write side."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Link:
    """A symbolic link; ``target`` as readlink(2) gives it."""

    target: str


@dataclass(frozen=True)
class File:
    """A sysfs or proc file. A missing side answers EACCES, also to root (kernfs_fop_open, fs/kernfs/file.c, Linux
    6.12)."""

    show: Callable[[], str] | None = None
    store: Callable[[str], None] | None = None


Node = dict[str, Any] | Link | File


def error(code: int, path: str) -> OSError:
    """The OSError that open(2), read(2) or write(2) on ``path`` would raise."""
    return OSError(code, os.strerror(code), path)


class Tree:
    """Files by absolute path. Links are followed as the kernel does, relative to where they are."""

    def __init__(self) -> None:
        self._root: dict[str, Node] = {}

    def mkdir(self, path: str) -> dict[str, Node]:
        """The directory at ``path``, made with its parents when missing. ``path`` goes through no link."""
        node = self._root
        for name in _parts(path):
            node = node.setdefault(name, {})
        return node

    def put(self, path: str, node: Node) -> None:
        """Set what is at ``path``."""
        self.mkdir(posixpath.dirname(path))[posixpath.basename(path)] = node

    def drop(self, path: str) -> None:
        """Remove what is at ``path``; nothing happens when it is missing."""
        self.mkdir(posixpath.dirname(path)).pop(posixpath.basename(path), None)

    def find(self, path: str, follow: bool = True) -> Node:
        """What is at ``path``; ``follow``: also through a link at its end. Raises OSError (ENOENT, ENOTDIR, ELOOP)."""
        for _hop in range(40):
            node, rest = self._walk(path, follow)
            if rest is None:
                return node
            path = rest
        raise error(errno.ELOOP, path)

    def save(self, directory: Path) -> None:
        """Write the tree to disk, with the files that can be read as they read now."""
        _save(self._root, directory)

    def _walk(self, path: str, follow: bool) -> tuple[Node, str | None]:
        """Walk to the end, or to the first link: then the second part is the path with that link replaced."""
        parts = _parts(path)
        node: Node = self._root
        for position, name in enumerate(parts):
            if not isinstance(node, dict):
                raise error(errno.ENOTDIR, path)
            if name not in node:
                raise error(errno.ENOENT, path)
            node = node[name]
            last = position == len(parts) - 1
            if isinstance(node, Link) and (follow or not last):
                directory = "/" + "/".join(parts[:position])
                return node, posixpath.normpath(posixpath.join(directory, node.target, *parts[position + 1 :]))
        return node, None


def _save(node: Node, path: Path) -> None:
    if isinstance(node, Link):
        path.symlink_to(node.target)
    elif isinstance(node, File):
        path.write_text((node.show() if node.show else "") + "\n")
    else:
        path.mkdir(exist_ok=True)
        for name, child in node.items():
            _save(child, path / name)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
