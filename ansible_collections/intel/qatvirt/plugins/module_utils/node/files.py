# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ordinary configuration files: whole-file reads and atomic replacements."""

from __future__ import annotations

import os
import stat
import tempfile


class Files:
    """Files below ``root`` (default: the running system). All paths are absolute."""

    def __init__(self, root: str = "/") -> None:
        self._root = root.rstrip("/")

    def read(self, path: str) -> str | None:
        """Content, None when there is no such file. Raises OSError for anything else."""
        data = self.read_bytes(path)
        return None if data is None else data.decode("utf-8", errors="replace")

    def read_bytes(self, path: str) -> bytes | None:
        try:
            with open(self._root + path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def mode(self, path: str) -> int | None:
        """Permission bits, None when there is no such file."""
        try:
            return stat.S_IMODE(os.stat(self._root + path).st_mode)
        except FileNotFoundError:
            return None

    def replace(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a whole file so that a reader, or a crash, sees the old or the new one; directories are made (0755)."""
        target = self._root + path
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        fd, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".qatvirt-")
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise

    def remove(self, path: str) -> None:
        """Remove a file, and its directory when that was ours (its name holds ``qatvirt``) and is empty now."""
        try:
            os.unlink(self._root + path)
        except FileNotFoundError:
            return
        parent = os.path.dirname(self._root + path)
        if "qatvirt" in os.path.basename(parent) and not os.listdir(parent):
            os.rmdir(parent)
