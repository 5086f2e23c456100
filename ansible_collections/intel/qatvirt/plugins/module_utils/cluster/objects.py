# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the Kubernetes API as plain data, and what can go wrong with them. Pure: needs no Kubernetes library."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
Objects = list[Object]


class Refused(Exception):
    """What is asked for cannot or must not be done. The message says why and what to do."""


class ApiError(Exception):
    """The API did not do it. The message is for a person: what was asked, what came back, what to do."""


class NotFound(ApiError):
    """There is no such object, or no such kind of object."""


class Forbidden(ApiError):
    """A right is missing, or a rule of the namespace is against it."""


class Conflict(ApiError):
    """Somebody else changed the object since it was read."""


def name_of(item: Object) -> str:
    """Name of an object."""
    return str(item["metadata"]["name"])


def labels_of(item: Object) -> dict[str, str]:
    """Labels of an object."""
    return item["metadata"].get("labels") or {}
