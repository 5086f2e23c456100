# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge of the node layer for ordinary files, see ``sysfs.py``: whole-file reads and atomic replacements."""

from __future__ import annotations

import os
import stat
import tempfile


class Files:
    """Files below ``root`` (default: the running system). All paths are absolute."""

    def __init__(self, root: str = "/") -> None:
        self._root = root.rstrip("/")

    def read(self, path: str) -> str | None:
        """Text of a file, None where there is no such file. Raises OSError for any other failure."""
        data = self.read_bytes(path)
        return None if data is None else data.decode("utf-8", errors="replace")

    def read_bytes(self, path: str) -> bytes | None:
        """Content of a file, None where there is no such file. Raises OSError for any other failure."""
        try:
            with open(self._root + path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def mode(self, path: str) -> int | None:
        """Permission bits of a file, None where there is no such file."""
        try:
            return stat.S_IMODE(os.stat(self._root + path).st_mode)
        except FileNotFoundError:
            return None

    def replace(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Replace a whole file atomically: a reader, also one after a crash, finds the old file or the new one. Missing
        directories are made (0755). Raises OSError, which names ``path``."""
        data = content.encode() if isinstance(content, str) else content
        try:
            _replace(self._root + path, data, mode)
        except OSError as error:
            # A failed write names no file, and the temporary file says nothing to a person.
            raise OSError(error.errno, error.strerror, path) from error

    def remove(self, path: str) -> None:
        """Remove a file, and then its directory where that is one of this collection (its name has ``qatvirt`` in it)
        and empty."""
        try:
            os.unlink(self._root + path)
        except FileNotFoundError:
            return
        parent = os.path.dirname(self._root + path)
        if "qatvirt" in os.path.basename(parent) and not os.listdir(parent):
            os.rmdir(parent)


def _replace(target: str, data: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
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
