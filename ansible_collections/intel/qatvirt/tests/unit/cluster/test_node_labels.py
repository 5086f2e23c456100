# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The labels of a node, and what is in the way of changing hands."""

from __future__ import annotations

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.node_labels import (
    difference,
    marks_of,
    patch,
    resources_of_old_workload,
    users_against,
    wanted_marks,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import ClusterNode
from ansible_collections.intel.qatvirt.tests.unit.cluster.objects import launcher, node_object, pod_object

VMS = ClusterNode("n", workload="vm", vf_counts={"8086:4941": 16}, services="sym-asym")
CONTAINERS = ClusterNode("n", workload="container", vf_counts={"8086:4941": 16}, services="sym-asym")
QAT = ["intel.com/qat"]

WORKLOAD, SERVICES, READY, VFS = (f"qatvirt.intel.com/{name}" for name in ("workload", "services", "ready", "vfs"))


def ready(node: ClusterNode, *, proved: bool = False, **labels: str) -> bool:
    return wanted_marks(node, marks_of(node_object("n", **labels)), proved)[READY] == "true"


def test_a_node_for_containers_is_ready_when_its_vfs_are() -> None:
    assert ready(CONTAINERS)
    assert not ready(ClusterNode("n", workload="container", vf_counts={"8086:4941": 15}, problems=("one is unbound",)))
    assert not ready(ClusterNode("n", workload="container"), workload="container", ready="true")


def test_a_node_for_machines_becomes_ready_by_proof_and_stays_it() -> None:
    assert not ready(VMS)
    assert ready(VMS, proved=True)
    assert ready(VMS, workload="vm", ready="true")
    assert not ready(VMS, workload="container", ready="true")


def test_patch_takes_away_what_is_none_and_leaves_others() -> None:
    assert patch({READY: None, VFS: "16"}) == {
        "metadata": {"labels": {READY: None}, "annotations": {VFS: "16"}},
    }


def test_a_node_that_has_all_its_marks_is_not_touched() -> None:
    item = node_object("n", workload="container", services="sym-asym", ready="true")
    item["metadata"]["annotations"] = {VFS: "16"}
    now = marks_of(item)
    assert difference(now, wanted_marks(CONTAINERS, now, False)) == {}


def test_any_machine_is_in_the_way_of_containers() -> None:
    pods = [launcher("plain", "n"), launcher("fast", "n", asks="intel.com/qat"), launcher("far", "m")]
    assert users_against(CONTAINERS, "n", pods, QAT) == [
        "virtual machine apps/plain (pod apps/virt-launcher-plain-x1)",
        "virtual machine apps/fast (pod apps/virt-launcher-fast-x1)",
    ]
    assert users_against(VMS, "n", pods, QAT) == []


@pytest.mark.parametrize("phase", ["Running", "Pending"])
def test_a_pod_with_a_vf_is_in_the_way_of_machines(phase: str) -> None:
    pods = [pod_object("nginx", "n", asks="qat.intel.com/cy", phase=phase), pod_object("plain", "n")]
    assert users_against(VMS, "n", pods, QAT) == ["pod apps/nginx (qat.intel.com/cy: 1)"]
    assert users_against(CONTAINERS, "n", pods, QAT) == []


def test_a_pod_that_is_done_is_not_users_against() -> None:
    assert users_against(VMS, "n", [pod_object("job", "n", asks="qat.intel.com/cy", phase="Succeeded")], QAT) == []


def test_an_init_container_counts() -> None:
    pod = pod_object("nginx", "n")
    pod["spec"]["initContainers"] = [{"name": "i", "resources": {"limits": {"qat.intel.com/dc": "2"}}}]
    assert users_against(VMS, "n", [pod], QAT) == ["pod apps/nginx (qat.intel.com/dc: 2)"]


def test_a_process_of_the_node_is_in_the_way_of_both_and_a_rightful_pod_of_none() -> None:
    held = ((None, "VF 1 is held by dpdk (pid 5)"), ("uid-virt-launcher-fast-x1", "VF 2 is held by qemu"))
    pods = [launcher("fast", "n", asks="intel.com/qat")]
    vms = ClusterNode("n", workload="vm", held=held)
    assert users_against(vms, "n", pods, QAT) == ["VF 1 is held by dpdk (pid 5)"]
    containers = ClusterNode("n", workload="container", held=held)
    assert users_against(containers, "n", pods, QAT) == [
        "virtual machine apps/fast (pod apps/virt-launcher-fast-x1)",
        "VF 1 is held by dpdk (pid 5)",
    ]


def test_resources_of_the_old_workload_have_to_be_gone() -> None:
    assert resources_of_old_workload(CONTAINERS, QAT) == QAT
    assert resources_of_old_workload(VMS, QAT) == ["qat.intel.com/"]
