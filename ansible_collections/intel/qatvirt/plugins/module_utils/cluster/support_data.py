# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's part of a support bundle: objects, events and logs that concern QAT, as the API server has them.

A constant number of list calls, and one call for the log of each pod that hands out VFs. What the account may not read
is noted, and is no failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ApiError
from .allocatable import HANDLER
from .host_devices import qat_entries
from .nodes import PLUGIN_PREFIX, is_named
from .objects import EVENTS, Object, Objects, event_time, in_namespace, labels_of, name_of
from .pods import devices_of, devices_of_machine, pod_trouble
from .qat_plugin import image_of
from .snapshot import ClusterSnapshot, read_cluster

if TYPE_CHECKING:
    from .api import Api

_MOST_OBJECTS = 200
"""Pods with VFs, and virtual machines with VFs, at most."""
_MOST_EVENTS = 1000
_LOG_BYTES = 500_000
_NODE_FIELDS = {
    "metadata": ("name", "uid", "creationTimestamp", "labels", "annotations"),
    "spec": ("taints", "unschedulable"),
    "status": ("conditions", "capacity", "allocatable", "nodeInfo", "addresses"),
}


@dataclass(frozen=True)
class SupportScope:
    """What to collect.

    ``resources``: KubeVirt's resources for VFs. ``namespaces``: whose events to collect. ``pods``: number of pods whose
    logs are collected at most. ``lines``: number of lines of each log at most.
    """

    resources: tuple[str, ...]
    namespaces: tuple[str, ...]
    pods: int
    lines: int


def collect(api: Api, scope: SupportScope) -> Object:
    """The result of the module that collects support data of a cluster; that module documents it.

    Raises ApiError where the API server cannot be reached.
    """
    found = read_cluster(api)
    unreadable = dict(found.unread)
    resources = _resources(found, scope)
    daemonsets = [item for item in found.daemonsets if image_of(item) or _is_handler(item["spec"]["template"])]
    owners = {(item["metadata"]["namespace"], name_of(item)) for item in daemonsets}
    agents = [pod for pod in found.pods if _is_handler(pod) or _daemonset_of(pod) in owners]
    users = [pod for pod in found.pods if any(_is_any(name, resources) for name in devices_of(pod))]
    machines = [item for item in found.machines if any(_is_any(name, resources) for name in devices_of_machine(item))]
    kept = agents + users[:_MOST_OBJECTS]
    return {
        "schema": 1,
        "server": found.server,
        "kubernetes": found.version,
        "resources": list(resources),
        "nodes": [_pruned(item) for item in found.nodes],
        "kubevirts": found.kubevirts or [],
        "hyperconvergeds": found.hyperconvergeds[1],
        "daemonsets": daemonsets,
        "pods": kept,
        "machines": machines[:_MOST_OBJECTS],
        "left_out": _left_out(users, machines),
        "events": _events(api, scope, kept + machines, unreadable),
        "logs": _logs(api, agents, scope, unreadable),
        "unreadable": unreadable,
    }


def _resources(found: ClusterSnapshot, scope: SupportScope) -> tuple[str, ...]:
    """Every resource that may stand for VFs: those of the scope, of KubeVirt's configuration, and of Intel's plugin."""
    item = found.hyperconverged or found.kubevirt
    permitted = (
        [entry.resource_name for entry in qat_entries(item, found.config_owner)] if item and found.config_owner else []
    )
    return tuple(dict.fromkeys([*scope.resources, *permitted, PLUGIN_PREFIX]))


def _is_any(name: str, resources: tuple[str, ...]) -> bool:
    return any(is_named(name, resource) for resource in resources)


def _is_handler(item: Object) -> bool:
    return HANDLER.items() <= labels_of(item).items()


def _daemonset_of(pod: Object) -> tuple[str, str] | None:
    """Namespace and name of the DaemonSet to which a pod belongs."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next(((pod["metadata"]["namespace"], item["name"]) for item in owners if item["kind"] == "DaemonSet"), None)


def _pruned(item: Object) -> Object:
    """A Node without fields that do not concern QAT, such as its images and volumes."""
    return {part: {key: item[part][key] for key in keys if key in item[part]} for part, keys in _NODE_FIELDS.items()}


def _left_out(users: Objects, machines: Objects) -> Object:
    """Number of objects that were left out, by kind."""
    counts = {"pods": len(users) - _MOST_OBJECTS, "machines": len(machines) - _MOST_OBJECTS}
    return {kind: count for kind, count in counts.items() if count > 0}


def _events(api: Api, scope: SupportScope, involved: Objects, unreadable: dict[str, str]) -> Objects:
    """Events of the namespaces, of nodes, and of the objects ``involved``, oldest first."""
    names = {(item["metadata"]["namespace"], name_of(item)) for item in involved}
    try:
        found = [event for event in api.list(EVENTS) if _is_about(event, names, scope.namespaces)]
    except ApiError as error:
        unreadable["events of other namespaces"] = str(error)
        found = [event for namespace in scope.namespaces for event in _events_of(api, namespace, unreadable)]
    return sorted(found, key=event_time)[-_MOST_EVENTS:]


def _events_of(api: Api, namespace: str, unreadable: dict[str, str]) -> Objects:
    try:
        return api.list(in_namespace(EVENTS, namespace))
    except ApiError as error:
        unreadable[f"events of namespace {namespace}"] = str(error)
        return []


def _is_about(event: Object, names: set[tuple[str, str]], namespaces: tuple[str, ...]) -> bool:
    involved = event.get("involvedObject") or {}
    return (
        event["metadata"]["namespace"] in namespaces
        or involved.get("kind") == "Node"
        or (involved.get("namespace"), involved.get("name")) in names
    )


def _logs(api: Api, agents: Objects, scope: SupportScope, unreadable: dict[str, str]) -> dict[str, str]:
    """The last lines of the logs of ``agents``, pods in trouble first; of restarted pods the previous log too."""
    logs: dict[str, str] = {}
    chosen = sorted(agents, key=lambda pod: (not pod_trouble(pod), pod["metadata"]["namespace"], name_of(pod)))
    if len(chosen) > scope.pods:
        collected = f"{scope.pods} of {len(chosen)} logs were collected, those of pods in trouble first"
        unreadable["logs of more pods"] = collected
    for pod in chosen[: scope.pods]:
        namespace, name, container = pod["metadata"]["namespace"], name_of(pod), pod["spec"]["containers"][0]["name"]
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
        query: dict[str, Any] = {"container": container, "tailLines": scope.lines, "limitBytes": _LOG_BYTES}
        runs = [("", query), (".previous", {**query, "previous": "true"})] if _restarted(pod) else [("", query)]
        for suffix, options in runs:
            key = f"{namespace}/{name}/{container}{suffix}"
            try:
                logs[key] = api.text(path, **options)
            except ApiError as error:
                unreadable[f"log of {key}"] = str(error)
    return logs


def _restarted(pod: Object) -> bool:
    return any(item.get("restartCount") for item in pod.get("status", {}).get("containerStatuses") or ())
