# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster counts against what is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.allocatable import (
    NodeAllocatable,
    explain,
    is_stale,
    node_allocatable,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import ClusterNode
from ansible_collections.intel.qatvirt.tests.unit.cluster.objects import node_object, pod_object

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
VMS = ClusterNode("n", workload="vm", vf_counts={"8086:4941": 16})
CONTAINERS = ClusterNode("n", workload="container", vf_counts={"8086:4941": 16})
RESOURCES = {"8086:4941": "intel.com/qat"}


BEGUN = NOW - timedelta(seconds=300)


def handler(ready_for: int = 600, status: str = "True") -> dict[str, Any]:
    return agent("virt-handler-1", {"kubevirt.io": "virt-handler"}, ready_for, status)


def plugin(status: str = "True") -> dict[str, Any]:
    return agent("intel-qat-plugin-1", {"app.kubernetes.io/name": "intel-qat-plugin"}, 600, status)


def agent(name: str, labels: dict[str, str], ready_for: int, status: str) -> dict[str, Any]:
    pod = pod_object(name, "n", labels=labels)
    since = (NOW - timedelta(seconds=ready_for)).strftime("%Y-%m-%dT%H:%M:%SZ")
    pod["status"]["conditions"] = [{"type": "Ready", "status": status, "lastTransitionTime": since}]
    return pod


def going(pod: dict[str, Any]) -> dict[str, Any]:
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    return pod


def counted(node: ClusterNode, allocatable: dict[str, str], *pods: dict[str, Any]) -> NodeAllocatable:
    return node_allocatable(node, node_object("n", allocatable), list(pods), RESOURCES)


def test_each_vf_once_is_right() -> None:
    assert counted(VMS, {"intel.com/qat": "16"}, handler()).right
    assert counted(CONTAINERS, {"qat.intel.com/cy": "8", "qat.intel.com/dc": "8"}, plugin()).right
    # What kubelet keeps of an owner that has gone.
    assert counted(VMS, {"intel.com/qat": "16", "qat.intel.com/cy": "0"}, handler()).right


def test_a_stale_list_is_one_that_had_its_time() -> None:
    found = counted(VMS, {"intel.com/qat": "8"}, handler())
    assert not found.right
    assert is_stale(found, 30, BEGUN, NOW)
    assert not is_stale(found, 30, NOW - timedelta(seconds=10), NOW)
    assert not is_stale(counted(VMS, {"intel.com/qat": "8"}, handler(ready_for=10)), 30, BEGUN, NOW)
    assert not is_stale(counted(VMS, {"intel.com/qat": "8"}, handler(status="False")), 30, BEGUN, NOW)
    assert not is_stale(counted(VMS, {"intel.com/qat": "16"}, handler()), 30, BEGUN, NOW)
    assert not is_stale(counted(VMS, {}), 30, BEGUN, NOW)


def test_intels_plugin_is_never_restarted() -> None:
    assert not is_stale(counted(CONTAINERS, {}, plugin()), 0, BEGUN, NOW)


def test_a_pod_that_is_going_is_no_owner_and_what_it_advertised_goes_with_it() -> None:
    found = counted(VMS, {"intel.com/qat": "16"}, going(handler()))
    assert found.agent is None
    assert not found.right
    assert "the pod virt-handler-1 of virt-handler is being deleted and has not ended yet" in explain(found)
    assert not counted(VMS, {"intel.com/qat": "16"}, going(handler()), handler()).right


def test_numbers_of_a_pod_that_is_not_ready_are_not_its_own() -> None:
    assert not counted(VMS, {"intel.com/qat": "16"}, handler(status="False")).right
    assert not counted(CONTAINERS, {"qat.intel.com/cy": "16"}, plugin(status="False")).right


def test_two_owners_are_told_by_name() -> None:
    twice = {"intel.com/qat": "16", "qat.intel.com/cy": "16"}
    assert not counted(VMS, twice, handler()).right
    text = explain(counted(VMS, twice, handler()))
    assert (
        "VFs are for virtual machines, but Intel's plugin advertises them too (qat.intel.com/*: 16 allocatable)" in text
    )
    text = explain(counted(CONTAINERS, twice, plugin()))
    assert "VFs are for containers, but KubeVirt advertises them too (intel.com/qat: 16 allocatable)" in text


def test_kubevirt_on_a_site_with_nodes_for_containers_only_is_seen() -> None:
    item = node_object("n", {"intel.com/qat": "16", "qat.intel.com/cy": "16"})
    found = node_allocatable(CONTAINERS, item, [plugin()], {}, ["intel.com/qat"])
    assert not found.right
    assert "KubeVirt advertises them too (intel.com/qat: 16 allocatable)" in explain(found)


def test_what_is_missing_is_explained() -> None:
    text = explain(counted(VMS, {"intel.com/qat": "8"}))
    assert (
        "n: expected intel.com/qat: 16 allocatable, found intel.com/qat: 8; no pod of virt-handler is on the node"
        in text
    )
    cordoned = node_object("n")
    cordoned["spec"]["unschedulable"] = True
    assert "cordoned" in explain(node_allocatable(VMS, cordoned, [], RESOURCES))
    assert "kubectl logs -n apps virt-handler-1" in explain(counted(VMS, {}, handler()))
    text = explain(counted(CONTAINERS, {}))
    assert "no pod of Intel's QAT plugin is on the node. The node's label qatvirt.intel.com/ready must be true" in text


def test_an_image_that_cannot_be_pulled_is_named() -> None:
    pod = plugin(status="False")
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    container = {"name": "main", "image": "mirror/intel-qat-plugin:nowhere", "state": {"waiting": waiting}}
    pod["status"]["containerStatuses"] = [container]
    text = explain(counted(CONTAINERS, {}, pod))
    assert "n: expected qat.intel.com/*: 16 allocatable, found qat.intel.com/*: 0; Intel's QAT plugin: pod" in text
    assert "image mirror/intel-qat-plugin:nowhere cannot be pulled (ImagePullBackOff: not found)" in text
