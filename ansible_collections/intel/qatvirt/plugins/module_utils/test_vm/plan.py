# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests a run makes: one a node, a virtual machine where its VFs are for virtual machines, else a pod. Pure."""

from __future__ import annotations

import re
from typing import Any

from ..cluster.nodes import CONTAINER, PLUGIN_PREFIX, ClusterNode, allocatable
from ..cluster.objects import Object, Objects, labels_of, name_of
from ..cluster.pods import devices_of, has_ended
from .diagnosis import NO_KUBEVIRT, no_vf
from .model import CORDONED, HOSTNAME_LABEL, POD, SKIPPED, VM, NodeTest, RunSettings, run_name
from .result import not_made, result

_NAME_MAX = 50
"""A virtual machine's name becomes part of other names."""


def test_name(run: str, node: str, taken: set[str]) -> str:
    """A name for the trial on a node, which no other trial of the run has."""
    slug = re.sub(r"[^a-z0-9]+", "-", node.lower())
    whole = f"{run_name(run)}-{slug}"[:_NAME_MAX].strip("-")
    name, number = whole, 2
    while name in taken:
        name = f"{whole[: _NAME_MAX - 4].strip('-')}-{number}"
        number += 1
    return name


def plan(
    nodes: list[tuple[ClusterNode, Object]],
    pods: Objects,
    resources: dict[str, str],
    settings: RunSettings,
    kubevirt: bool,
) -> tuple[list[NodeTest], list[dict[str, Any]]]:
    """The trials to make, and the results of the nodes on which none can be made.

    ``pods``: of the whole cluster. ``resources``: KubeVirt's, by selector. ``kubevirt``: whether the API knows it.
    """
    tests: list[NodeTest] = []
    results: list[dict[str, Any]] = []
    for node, item in nodes:
        name = test_name(settings.run, name_of(item), {test.name for test in tests})
        test = _test_of(node, item, pods, resources, settings.count, name)
        if item.get("spec", {}).get("unschedulable"):
            results.append(result(test, settings, SKIPPED, CORDONED))
        elif test.kind == VM and not kubevirt:
            results.append(not_made(test, settings, NO_KUBEVIRT))
        elif not test.resource:
            offered = {name: allocatable(item, name) for name in _resources(node, item, resources)}
            results.append(not_made(test, settings, no_vf(test.node, settings.count, offered, node.vf_counts or {})))
        else:
            tests.append(test)
    return tests, results


def _test_of(
    node: ClusterNode, item: Object, pods: Objects, resources: dict[str, str], count: int, name: str
) -> NodeTest:
    """The trial of a node; without a resource where it does not advertise as many VFs of any."""
    here = [pod for pod in pods if pod["spec"].get("nodeName") == name_of(item)]
    wanted = [resource for resource in _resources(node, item, resources) if allocatable(item, resource) >= count]
    # The one with the most free VFs: nobody's are to be waited for while there are others.
    resource = max(wanted, key=lambda resource: allocatable(item, resource) - _used(here, resource), default="")
    kinds = node.vf_counts or {}
    if node.workload != CONTAINER:
        kinds = {selector: count for selector, count in kinds.items() if resources.get(selector) == resource}
    return NodeTest(
        node=name_of(item),
        hostname=labels_of(item).get(HOSTNAME_LABEL, name_of(item)),
        kind=POD if node.workload == CONTAINER else VM,
        name=name,
        resource=resource,
        selectors=tuple(sorted(kinds)),
    )


def _resources(node: ClusterNode, item: Object, resources: dict[str, str]) -> list[str]:
    """Under which names the VFs of a node can be asked for."""
    if node.workload == CONTAINER:
        return sorted(name for name in item["status"].get("allocatable") or () if name.startswith(PLUGIN_PREFIX))
    return sorted({resources[selector] for selector in node.vf_counts or {} if selector in resources})


def _used(pods: Objects, resource: str) -> int:
    running = [pod for pod in pods if not has_ended(pod)]
    return sum(int(devices_of(pod).get(resource, "0")) for pod in running)
