# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files this collection keeps on a node: compared, written with the original remembered, and put back."""

from __future__ import annotations

from typing import Any

from .checkpoint import Checkpoint
from .files import Files
from .model import ManagedFile


class ManagedFiles:
    """``section`` of the checkpoint remembers what each path held before us: its text, or None for no file."""

    def __init__(self, files: Files, checkpoint: Checkpoint, section: str) -> None:
        self._files = files
        self._checkpoint = checkpoint
        self._section = section

    def differing(self, wanted: list[ManagedFile]) -> list[ManagedFile]:
        """Those of the wanted files that are not so yet."""
        return [file for file in wanted if not self._is_so(file)]

    def _is_so(self, file: ManagedFile) -> bool:
        if file.content is None:
            return file.path not in self._checkpoint.section(self._section)
        content = file.content.encode() if isinstance(file.content, str) else file.content
        return self._files.read_bytes(file.path) == content and self._files.mode(file.path) == file.mode

    def put(self, file: ManagedFile) -> None:
        """Make one file so."""
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
        """Ansible diff entries of what :meth:`put` will do; a program is named, not shown."""
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
