# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that other writers change too are read, changed and written until no writer was in between."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster import update as module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.update import edit
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, Conflict


class Busy:
    """An API whose object another writer changes at each of the first replacements."""

    def __init__(self, others: int) -> None:
        self.others = others
        self.stored: dict[str, Any] = {"version": 0, "list": []}

    def get(self, _url: str) -> dict[str, Any]:
        return dict(self.stored)

    def replace(self, _url: str, item: dict[str, Any]) -> dict[str, Any]:
        if self.others:
            self.others -= 1
            self.stored = {"version": self.stored["version"] + 1, "list": [*self.stored["list"], "theirs"]}
        if item["version"] != self.stored["version"]:
            raise Conflict("changed")
        self.stored = item
        return item


def add(item: dict[str, Any]) -> dict[str, Any]:
    return item if "ours" in item["list"] else {**item, "list": [*item["list"], "ours"]}


def test_an_object_is_read_again_after_a_conflict() -> None:
    api = Busy(3)
    edit(api, "x", add)  # type: ignore[arg-type]
    assert api.stored["list"] == ["theirs", "theirs", "theirs", "ours"]


def test_a_writer_gives_up_after_its_attempts_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.0)
    api = Busy(1000)
    with pytest.raises(
        ApiError, match="x: another writer changed the object between reading and writing at each of 50 attempts"
    ):
        edit(api, "x", add)  # type: ignore[arg-type]
