# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, change, write; and again."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster import update as module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.update import edit, prune, set_at
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, Conflict


class Busy:
    """An API whose object somebody else changes so many times before it is left alone."""

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


def test_a_conflict_is_read_again() -> None:
    api = Busy(3)
    edit(api, "x", add)  # type: ignore[arg-type]
    assert api.stored["list"] == ["theirs", "theirs", "theirs", "ours"]


def test_who_is_never_let_in_gives_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.0)
    api = Busy(1000)
    with pytest.raises(
        ApiError, match="x: another writer changed the object between reading and writing at each of 50 attempts"
    ):
        edit(api, "x", add)  # type: ignore[arg-type]


def test_empties_are_removed_but_for_the_first_key() -> None:
    item: dict[str, Any] = {"a": {"b": {"c": []}}}
    prune(item, ("a", "b", "c"))
    assert item == {"a": {}}
    item = {"a": {"b": {"c": [], "d": 1}}}
    prune(item, ("a", "b", "c"))
    assert item == {"a": {"b": {"d": 1}}}
    set_at(item, ("a", "x", "y"), 2)
    assert item == {"a": {"b": {"d": 1}, "x": {"y": 2}}}
