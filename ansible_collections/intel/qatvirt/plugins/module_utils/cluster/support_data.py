# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster can say about its QAT to somebody who is not there: objects, events and logs, as they are.

A constant number of list calls, and one call for the log of each pod that hands out VFs. What the account may not read
is noted and nothing fails for it.
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
from .snapshot import ClusterSnapshot, read

if TYPE_CHECKING:
    from .api import Api

_MOST_OBJECTS = 200
"""Pods and virtual machines with VFs."""
_MOST_EVENTS = 1000
_LOG_BYTES = 500_000
_NODE = {
    "metadata": ("name", "uid", "creationTimestamp", "labels", "annotations"),
    "spec": ("taints", "unschedulable"),
    "status": ("conditions", "capacity", "allocatable", "nodeInfo", "addresses"),
}


@dataclass(frozen=True)
class Wanted:
    """``resources``: KubeVirt's for VFs, ``namespaces``: whose events to take, ``pods``: logs of so many, ``lines``: of
    each at most."""

    resources: tuple[str, ...]
    namespaces: tuple[str, ...]
    pods: int
    lines: int


def dump(api: Api, wanted: Wanted) -> Object:
    """What the module ``qat_cluster_dump`` returns (documented there). Raises ApiError where nothing can be read."""
    found = read(api)
    unreadable = dict(found.unread)
    resources = _resources(found, wanted)
    daemonsets = [item for item in found.daemonsets if image_of(item) or _is_handler(item["spec"]["template"])]
    owners = {(item["metadata"]["namespace"], name_of(item)) for item in daemonsets}
    agents = [pod for pod in found.pods if _is_handler(pod) or _owner(pod) in owners]
    users = [pod for pod in found.pods if any(_is_one(name, resources) for name in devices_of(pod))]
    machines = [item for item in found.machines if any(_is_one(name, resources) for name in devices_of_machine(item))]
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
        "events": _events(api, wanted, kept + machines, unreadable),
        "logs": _logs(api, agents, wanted, unreadable),
        "unreadable": unreadable,
    }


def _resources(found: ClusterSnapshot, wanted: Wanted) -> tuple[str, ...]:
    """All names that a VF may have here: as wanted, as KubeVirt is configured, and those of Intel's plugin."""
    item = found.hyperconverged or found.kubevirt
    permitted = (
        [entry.resource_name for entry in qat_entries(item, found.config_owner)] if item and found.config_owner else []
    )
    return tuple(dict.fromkeys([*wanted.resources, *permitted, PLUGIN_PREFIX]))


def _is_one(name: str, resources: tuple[str, ...]) -> bool:
    return any(is_named(name, resource) for resource in resources)


def _is_handler(item: Object) -> bool:
    return HANDLER.items() <= labels_of(item).items()


def _owner(pod: Object) -> tuple[str, str] | None:
    """Namespace and name of the DaemonSet that a pod is of."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next(((pod["metadata"]["namespace"], item["name"]) for item in owners if item["kind"] == "DaemonSet"), None)


def _pruned(item: Object) -> Object:
    """A Node without its images, volumes and the like."""
    return {part: {key: item[part][key] for key in keys if key in item[part]} for part, keys in _NODE.items()}


def _left_out(users: Objects, machines: Objects) -> Object:
    """How many objects are too many."""
    counts = {"pods": len(users) - _MOST_OBJECTS, "machines": len(machines) - _MOST_OBJECTS}
    return {kind: count for kind, count in counts.items() if count > 0}


def _events(api: Api, wanted: Wanted, involved: Objects, unreadable: dict[str, str]) -> Objects:
    """Events of the namespaces, the nodes, and the objects involved, in the order of time."""
    names = {(item["metadata"]["namespace"], name_of(item)) for item in involved}
    try:
        found = [event for event in api.list(EVENTS) if _is_about(event, names, wanted.namespaces)]
    except ApiError as error:
        unreadable["events of other namespaces"] = str(error)
        found = [event for namespace in wanted.namespaces for event in _events_of(api, namespace, unreadable)]
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


def _logs(api: Api, agents: Objects, wanted: Wanted, unreadable: dict[str, str]) -> dict[str, str]:
    """The end of the logs of pods that hand out VFs, those in trouble first; also before their last restart."""
    logs: dict[str, str] = {}
    chosen = sorted(agents, key=lambda pod: (not pod_trouble(pod), pod["metadata"]["namespace"], name_of(pod)))
    if len(chosen) > wanted.pods:
        unreadable["logs of more pods"] = f"{wanted.pods} of {len(chosen)} are here, those in trouble first"
    for pod in chosen[: wanted.pods]:
        namespace, name, container = pod["metadata"]["namespace"], name_of(pod), pod["spec"]["containers"][0]["name"]
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
        query: dict[str, Any] = {"container": container, "tailLines": wanted.lines, "limitBytes": _LOG_BYTES}
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
