# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests a run makes: on each node a virtual machine or a pod, as the node's workload says. Pure."""

from __future__ import annotations

import re
from typing import Any

from ..cluster.nodes import CONTAINER, PLUGIN_PREFIX, ClusterNode, allocatable
from ..cluster.objects import Object, Objects, labels_of, name_of
from ..cluster.pods import devices_of, has_ended
from .diagnosis import NO_KUBEVIRT, no_vf
from .model import HOSTNAME_LABEL, NODE_CORDONED, POD, SKIPPED, VM, NodeTest, RunSettings, run_name
from .result import not_started, result

_NAME_MAX = 50
"""Characters of a name: a virtual machine's name becomes part of longer names."""


def test_name(run: str, node: str, taken: set[str]) -> str:
    """A name for the test on a node. ``taken``: names of the run's other tests."""
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
    has_kubevirt: bool,
) -> tuple[list[NodeTest], list[dict[str, Any]]]:
    """The tests to make, and the results of the nodes on which no test can be made.

    ``nodes``: each with its Node object. ``pods``: of the whole cluster. ``resources``: KubeVirt's, by selector.
    ``has_kubevirt``: whether the API knows virtual machines.
    """
    tests: list[NodeTest] = []
    results: list[dict[str, Any]] = []
    for node, item in nodes:
        name = test_name(settings.run, name_of(item), {test.name for test in tests})
        test = _node_test(node, item, pods, resources, settings.count, name)
        if item.get("spec", {}).get("unschedulable"):
            results.append(result(test, settings, SKIPPED, NODE_CORDONED))
        elif test.kind == VM and not has_kubevirt:
            results.append(not_started(test, settings, NO_KUBEVIRT))
        elif not test.resource:
            advertised = {name: allocatable(item, name) for name in _offered_resources(node, item, resources)}
            diagnosis = no_vf(test.node, settings.count, advertised, node.vf_counts or {})
            results.append(not_started(test, settings, diagnosis))
        else:
            tests.append(test)
    return tests, results


def _node_test(
    node: ClusterNode, item: Object, pods: Objects, resources: dict[str, str], count: int, name: str
) -> NodeTest:
    """The test of a node; without a resource where the node does not advertise ``count`` VFs of any."""
    resource = _resource_to_test(node, item, pods, resources, count)
    selectors = node.vf_counts or {}
    for_containers = node.workload == CONTAINER
    return NodeTest(
        node=name_of(item),
        hostname=labels_of(item).get(HOSTNAME_LABEL, name_of(item)),
        kind=POD if for_containers else VM,
        name=name,
        resource=resource,
        selectors=tuple(
            sorted(selector for selector in selectors if for_containers or resources.get(selector) == resource)
        ),
    )


def _resource_to_test(node: ClusterNode, item: Object, pods: Objects, resources: dict[str, str], count: int) -> str:
    """The resource with the most free VFs, so that no test waits for VFs while others are free; empty for none."""
    here = [pod for pod in pods if pod["spec"].get("nodeName") == name_of(item)]
    enough = [name for name in _offered_resources(node, item, resources) if allocatable(item, name) >= count]
    return max(enough, key=lambda name: allocatable(item, name) - _used(here, name), default="")


def _offered_resources(node: ClusterNode, item: Object, resources: dict[str, str]) -> list[str]:
    """The names under which the VFs of a node can be asked for."""
    if node.workload == CONTAINER:
        return sorted(name for name in item["status"].get("allocatable") or () if name.startswith(PLUGIN_PREFIX))
    return sorted({resources[selector] for selector in node.vf_counts or {} if selector in resources})


def _used(pods: Objects, resource: str) -> int:
    """How many of a resource pods have that have not ended."""
    return sum(devices_of(pod).get(resource, 0) for pod in pods if not has_ended(pod))
