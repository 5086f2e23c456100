# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of objects by their paths."""

from __future__ import annotations

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import look_up, prune, set_at


def test_a_path_that_does_not_exist_has_no_value() -> None:
    item: dict[str, Any] = {"a": {"b": 1}}
    assert (look_up(item, ("a", "b")), look_up(item, ("a", "c")), look_up(item, ("a", "b", "c"))) == (1, None, None)


def test_empty_fields_are_removed_but_for_the_first() -> None:
    item: dict[str, Any] = {"a": {"b": {"c": []}}}
    prune(item, ("a", "b", "c"))
    assert item == {"a": {}}
    item = {"a": {"b": {"c": [], "d": 1}}}
    prune(item, ("a", "b", "c"))
    assert item == {"a": {"b": {"d": 1}}}
    set_at(item, ("a", "x", "y"), 2)
    assert item == {"a": {"b": {"d": 1}, "x": {"y": 2}}}
