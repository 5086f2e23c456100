# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the Kubernetes API as plain data, and the REST paths of their kinds. Pure: needs no Kubernetes library."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
Objects = list[Object]
Keys = tuple[str, ...]
"""The path of a field in an object."""

NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"
EVENTS = "/api/v1/events"
DAEMONSETS = "/apis/apps/v1/daemonsets"
MACHINES = "/apis/kubevirt.io/v1/virtualmachineinstances"
"""REST paths of the lists of all objects of a kind, in all namespaces."""


def in_namespace(collection: str, namespace: str) -> str:
    """REST path of the list of a kind in one namespace."""
    base, _slash, plural = collection.rpartition("/")
    return f"{base}/namespaces/{namespace}/{plural}"


def name_of(item: Object) -> str:
    """The name of an object."""
    return str(item["metadata"]["name"])


def labels_of(item: Object) -> dict[str, str]:
    """The labels of an object."""
    return item["metadata"].get("labels") or {}


def event_time(event: Object) -> str:
    """When an Event happened last, as the API writes times; empty where the Event does not say."""
    times = (event.get("lastTimestamp"), event.get("eventTime"), event["metadata"].get("creationTimestamp"))
    return next((str(time) for time in times if time), "")


def look_up(item: Object, keys: Keys) -> Any:
    """The value at a path in an object, None where the path does not exist."""
    found: Any = item
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def set_at(item: Object, keys: Keys, value: Any) -> None:
    """Set the value at a path in an object, and create the missing fields of the path."""
    for key in keys[:-1]:
        if item.get(key) is None:
            item[key] = {}
        item = item[key]
    item[keys[-1]] = value


def prune(item: Object, keys: Keys) -> None:
    """Remove an empty field, then each field above it that became empty; the field of the first key stays."""
    for length in range(len(keys), 1, -1):
        parent = look_up(item, keys[: length - 1])
        if parent and not parent.get(keys[length - 1]):
            parent.pop(keys[length - 1], None)
