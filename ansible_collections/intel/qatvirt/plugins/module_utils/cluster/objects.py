# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the Kubernetes API as plain data, and the REST paths of their kinds. Pure: needs no Kubernetes library."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
Objects = list[Object]

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
