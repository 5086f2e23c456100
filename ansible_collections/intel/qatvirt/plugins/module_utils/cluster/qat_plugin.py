# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments with which Intel's QAT device plugin has to be started for given nodes.

Pure. Facts of intel-device-plugins-for-kubernetes 0.36 (``cmd/qat_plugin``): the plugin advertises at most
``-max-num-devices`` VFs a node (default 64: half of a two-socket node of Gen4), and knows the VF drivers of
:data:`KNOWN_DRIVERS`.
"""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from .nodes import CONTAINER, ClusterNode
from .objects import Object, name_of

KNOWN_DRIVERS = ("dh895xccvf", "c6xxvf", "c3xxxvf", "d15xxvf", "4xxxvf", "420xxvf", "c4xxxvf", "6xxxvf")
_DRIVERS = "-kernel-vf-drivers"
_MAX = "-max-num-devices"
_DEFAULT_MAX = 64
_IMAGE = "intel-qat-plugin"


def settings(nodes: list[ClusterNode], daemonsets: list[Object], namespace: str, name: str) -> dict[str, Any]:
    """``drivers`` and ``max_devices`` for one DaemonSet on all nodes for containers; ``nodes``: number of these nodes.

    ``daemonsets``: all of the cluster. Drivers and numbers that the DaemonSet of the given name already has are kept,
    because a play may be limited to some nodes. Raises InputError that names nodes with a device that the plugin does
    not know.
    """
    served = [node for node in nodes if node.workload == CONTAINER]
    unknown = [f"{node.name} ({driver})" for node in served for driver in node.drivers if driver not in KNOWN_DRIVERS]
    if unknown:
        raise InputError(
            f"Intel's QAT plugin does not know the device of {', '.join(unknown)}; it knows "
            f"{', '.join(KNOWN_DRIVERS)}. Set the variable qatvirt_workload of these nodes to vm"
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
    """The plugin's arguments in the DaemonSet of the given name, by flag; none where it does not exist."""
    for item in daemonsets:
        if (item["metadata"]["namespace"], name_of(item)) == (namespace, name):
            return _flags(item["spec"]["template"]["spec"]["containers"][0])
    return {}


def _flags(container: Object) -> dict[str, str]:
    return {
        flag: value for argument in container.get("args") or () for flag, _equals, value in [argument.partition("=")]
    }


def image_of(item: Object) -> str | None:
    """The image of Intel's plugin in a DaemonSet; None where the DaemonSet does not run the plugin."""
    images = (str(container["image"]) for container in item["spec"]["template"]["spec"]["containers"])
    return next((image for image in images if _IMAGE in image), None)


def limit_of(item: Object) -> int | None:
    """Number of VFs a node that a DaemonSet offers at most; None where the DaemonSet does not run the plugin."""
    if image_of(item) is None:
        return None
    given = _flags(item["spec"]["template"]["spec"]["containers"][0]).get(_MAX)
    return int(given) if given and given.isdigit() else _DEFAULT_MAX


def other_daemonsets(daemonsets: list[Object], namespace: str, name: str) -> list[str]:
    """DaemonSets that run Intel's QAT plugin, except the one of the given name, as ``namespace/name``."""
    return [
        f"{item['metadata']['namespace']}/{name_of(item)}"
        for item in daemonsets
        if (item["metadata"]["namespace"], name_of(item)) != (namespace, name) and image_of(item)
    ]
