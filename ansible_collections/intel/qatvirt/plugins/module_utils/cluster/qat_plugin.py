# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Intel's QAT device plugin has to be started for the nodes there are.

Pure. Facts of intel-device-plugins-for-kubernetes 0.36 (``cmd/qat_plugin``): it advertises at most
``-max-num-devices`` (default 64: half of a two-socket node of Gen4) and knows the VF drivers of :data:`KNOWN`.
"""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from .nodes import CONTAINER, ClusterNode
from .objects import Object, name_of

KNOWN = ("dh895xccvf", "c6xxvf", "c3xxxvf", "d15xxvf", "4xxxvf", "420xxvf", "c4xxxvf", "6xxxvf")
_DRIVERS = "-kernel-vf-drivers"
_MAX = "-max-num-devices"
_DEFAULT_MAX = 64
_IMAGE = "intel-qat-plugin"


def settings(nodes: list[ClusterNode], daemonsets: list[Object], namespace: str, name: str) -> dict[str, Any]:
    """``drivers`` and ``max_devices`` for one DaemonSet over all nodes for containers; ``nodes``: how many those are.

    ``daemonsets``: of the cluster. What the one of that name serves already it goes on to serve: a play may be limited
    to some nodes. Raises InputError that names nodes with a device that the plugin does not know.
    """
    served = [node for node in nodes if node.workload == CONTAINER]
    unknown = [f"{node.name} ({driver})" for node in served for driver in node.drivers if driver not in KNOWN]
    if unknown:
        raise InputError(
            f"Intel's QAT plugin does not know the device of {', '.join(unknown)}; it knows {', '.join(KNOWN)}. "
            "Set qatvirt_workload of the node to vm"
        )
    now = _arguments(daemonsets, namespace, name)
    drivers = {driver for node in served for driver in node.drivers} | set(
        filter(None, now.get(_DRIVERS, "").split(","))
    )
    return {
        "nodes": len(served),
        "drivers": sorted(drivers),
        "max_devices": max([int(now.get(_MAX, 0)), *(node.total for node in served)]),
    }


def _arguments(daemonsets: list[Object], namespace: str, name: str) -> dict[str, str]:
    """The plugin's arguments in the DaemonSet of that name, by flag."""
    for item in daemonsets:
        if (item["metadata"]["namespace"], name_of(item)) == (namespace, name):
            return _flags(item["spec"]["template"]["spec"]["containers"][0])
    return {}


def _flags(container: Object) -> dict[str, str]:
    return {
        flag: value for argument in container.get("args") or () for flag, _equals, value in [argument.partition("=")]
    }


def image_of(item: Object) -> str | None:
    """The plugin's image in a DaemonSet; None for a DaemonSet that is none of the plugin."""
    images = (str(container["image"]) for container in item["spec"]["template"]["spec"]["containers"])
    return next((image for image in images if _IMAGE in image), None)


def limit_of(item: Object) -> int | None:
    """How many VFs a node the plugin of a DaemonSet offers at most; None for a DaemonSet that is none of the plugin."""
    if image_of(item) is None:
        return None
    given = _flags(item["spec"]["template"]["spec"]["containers"][0]).get(_MAX)
    return int(given) if given and given.isdigit() else _DEFAULT_MAX


def strangers(daemonsets: list[Object], namespace: str, name: str) -> list[str]:
    """DaemonSets that run Intel's QAT plugin beside ours, as ``namespace/name``."""
    return [
        f"{item['metadata']['namespace']}/{name_of(item)}"
        for item in daemonsets
        if (item["metadata"]["namespace"], name_of(item)) != (namespace, name) and image_of(item)
    ]
