# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply beside updates of this collection: take over own fields, never fields of other managers.

To the API server, an apply and an update under the same name are two managers (Kubernetes documentation, Server-Side
Apply, "Field management"). So an apply of a field that a module of this collection updated is refused as a conflict of
intel.qatvirt with itself. The managers of a field are read from ``metadata.managedFields``, never from error texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import ApiError, Conflict, FieldConflict, Refused
from . import remedies
from .objects import Object
from .update import TRIES

if TYPE_CHECKING:
    from .api import Api

UNKNOWN = "a manager that managedFields does not name"
"""Stands for the manager of a field that the API server reports, but that no entry of managedFields has."""


def apply_own(api: Api, url: str, definition: Object, manager: str) -> Object:
    """Apply a definition; force it only over fields that this collection's own update wrote.

    Returns the object afterwards. Raises Refused where other managers own fields that would change, with their names
    and the fields.
    """
    for _try in range(TRIES):
        try:
            return api.apply(url, definition)
        except FieldConflict as conflict:
            found = api.get(url)
            refuse_others(other_managers(found, conflict.fields, manager))
        try:
            return api.apply(url, at_version(definition, found), force=True)
        except Conflict:
            continue  # The object has changed since its managers were read.
    raise ApiError(
        f"{url}: the object changed at each of {TRIES} attempts to apply it, so nothing was changed. Run this again"
    )


def at_version(definition: Object, found: Object) -> Object:
    """A definition that the API server applies only while the object is as it was found."""
    version = {"resourceVersion": found["metadata"]["resourceVersion"]}
    return {**definition, "metadata": {**definition["metadata"], **version}}


def other_managers(item: Object, fields: tuple[str, ...], own: str) -> dict[str, list[str]]:
    """Fields of an object by the manager that owns them, without fields that only the manager ``own`` owns.

    ``fields``: paths as the API server writes them in the causes of a conflict.
    """
    found: dict[str, list[str]] = {}
    for field in fields:
        managers = managers_of(item, field) or [UNKNOWN]
        for manager in managers:
            if manager != own:
                found.setdefault(manager, []).append(field)
    return found


def managers_of(item: Object, field: str) -> list[str]:
    """Names of the managers that own a field."""
    entries = item["metadata"].get("managedFields") or ()
    return sorted({str(entry.get("manager")) for entry in entries if field in set(_paths(entry.get("fieldsV1") or {}))})


def refuse_others(fields: dict[str, list[str]]) -> None:
    """Raise Refused where managers own fields that would change. ``fields``: by manager."""
    if fields:
        owned = "; ".join(f"{manager} owns {', '.join(paths)}" for manager, paths in sorted(fields.items()))
        reason = f"other field managers own fields that would change: {owned}"
        raise Refused(f"nothing was changed, because {reason}. {remedies.FIELD_MANAGER}")


def _paths(fields: Object, prefix: str = "") -> Iterator[str]:
    """Path of each field in a ``fieldsV1``, as structured-merge-diff prints paths (``fieldpath/path.go``)."""
    for key, below in fields.items():
        if key == ".":
            continue
        path = prefix + _element(key)
        yield path
        yield from _paths(below, path)


def _element(key: str) -> str:
    kind, _colon, rest = key.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        return f"[{','.join(f'{name}={json.dumps(value)}' for name, value in sorted(json.loads(rest).items()))}]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"
