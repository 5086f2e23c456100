# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of an object that others change too: no change of theirs is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING

from ..errors import ApiError, Conflict
from .objects import Object

if TYPE_CHECKING:
    from .api import Api

TRIES = 50
"""Attempts to write an object before the writer gives up."""
LONGEST_PAUSE = 2.0
"""Seconds between two attempts at most. The pauses grow and are random, so that two writers do not keep in step."""


def edit(api: Api, url: str, change: Callable[[Object], Object]) -> tuple[Object, Object]:
    """Read an object, change it, write it back; start again where another writer wrote in between.

    ``change``: a pure function of the object, which may change the object in place. Returns the object before and
    after. Nothing is written where the change changes nothing. Raises ApiError where other writers wrote in between at
    each of TRIES attempts.
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
        f"{url}: another writer changed the object between reading and writing at each of {TRIES} attempts, so nothing "
        "was changed. metadata.managedFields (kubectl get --show-managed-fields) names the writers: stop the one that "
        "writes all the time, and run this again"
    )
