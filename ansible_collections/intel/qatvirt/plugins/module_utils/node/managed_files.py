# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that this collection writes on a node: comparing and writing them, and putting the originals back."""

from __future__ import annotations

from typing import Any

from .checkpoint import Checkpoint
from .files import Files
from .model import ManagedFile


class ManagedFiles:
    """Files whose originals a section of the checkpoint records: by path the original text, or None for no file."""

    def __init__(self, files: Files, checkpoint: Checkpoint, section: str) -> None:
        self._files = files
        self._checkpoint = checkpoint
        self._section = section

    def differing(self, files: list[ManagedFile]) -> list[ManagedFile]:
        """The files whose content or mode on the node differs."""
        return [file for file in files if not self._is_in_place(file)]

    def _is_in_place(self, file: ManagedFile) -> bool:
        if file.content is None:
            return file.path not in self._checkpoint.section(self._section)
        content = file.content.encode() if isinstance(file.content, str) else file.content
        return self._files.read_bytes(file.path) == content and self._files.mode(file.path) == file.mode

    def put(self, file: ManagedFile) -> None:
        """Write one file, or put its original back."""
        if file.content is None:
            self._put_back(file.path)
        else:
            self._checkpoint.record(self._section, file.path, self._files.read(file.path))
            self._files.replace(file.path, file.content, file.mode)

    def _put_back(self, path: str) -> None:
        original = self._checkpoint.section(self._section).get(path)
        if original is None:
            self._files.remove(path)
        else:
            self._files.replace(path, original)
        self._checkpoint.forget(self._section, path)

    def diff(self, differing: list[ManagedFile]) -> list[dict[str, Any]]:
        """Ansible diff entries for what :meth:`put` will do. The content of a program is not shown."""
        return [
            {
                "before_header": file.path,
                "after_header": file.path,
                "before": _shown(self._files.read_bytes(file.path)),
                "after": _shown(self._after(file)),
            }
            for file in differing
        ]

    def _after(self, file: ManagedFile) -> str | bytes | None:
        return self._checkpoint.section(self._section).get(file.path) if file.content is None else file.content


def _shown(content: str | bytes | None) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return f"(program, {len(content)} bytes)\n"
