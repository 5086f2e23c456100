# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing an object that others change, too: nothing of theirs is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, Conflict
from .objects import Object

if TYPE_CHECKING:
    from .api import Api

TRIES = 50
LONGEST_PAUSE = 2.0
"""Seconds between two tries at most; the pauses grow and differ, so that two writers do not keep in step."""

Keys = tuple[str, ...]
"""The way to a field of an object."""


def edit(api: Api, url: str, change: Callable[[Object], Object]) -> tuple[Object, Object]:
    """Read an object, change it, write it back; again from the start where somebody wrote in between.

    ``change``: a pure function of the object, which it may change in place. Returns the object before and after.
    Nothing is written where it is the same. Raises ApiError when others never leave it alone for long enough.
    """
    pause = 0.01
    for _try in range(TRIES):
        before = api.get(url)
        after = change(deepcopy(before))
        if after == before:
            return before, before
        try:
            return before, api.replace(url, after)
        except Conflict:
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 1.5, LONGEST_PAUSE)
    raise ApiError(
        f"{url}: somebody else changed it each of {TRIES} times between reading and writing, so nothing was changed. "
        "metadata.managedFields (kubectl get --show-managed-fields) tells who writes all the time: stop that, and run "
        "this again"
    )


def look_up(item: Object, keys: Keys) -> Any:
    """What is at a path in an object, None where there is nothing."""
    found: Any = item
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def set_at(item: Object, keys: Keys, value: Any) -> None:
    """Put a value at a path of an object, making what is missing on the way there."""
    for key in keys[:-1]:
        if item.get(key) is None:
            item[key] = {}
        item = item[key]
    item[keys[-1]] = value


def prune(item: Object, keys: Keys) -> None:
    """Remove what is at a path if it is empty, and then what became empty above it; the first key stays."""
    for length in range(len(keys), 1, -1):
        parent = look_up(item, keys[: length - 1])
        if parent and not parent.get(keys[length - 1]):
            parent.pop(keys[length - 1], None)
