# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a node's facts to what Kubernetes has to count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    ClusterNode,
    allocatable,
    cluster_node,
    match_nodes,
    resource_names,
    resources_of,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError, Refused
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import pfs_from_facts
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.cluster.objects import node_object
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel

GEN4 = PfSpec("0000:6b:00.0", "4940", totalvfs=2)
LATER = PfSpec("0000:f3:00.0", "4944", totalvfs=3)
GEN2 = PfSpec("0000:3d:00.0", "37c8", totalvfs=2)


def converged(*pfs: PfSpec, policy: list[dict[str, Any]] | None = None) -> SimKernel:
    node = with_host(SimKernel(pfs, disable_denylist=True))
    converge(node, parse_policy(policy or [{}]))
    return node


def read(node: SimKernel, tmp_path: Path, **named: str) -> ClusterNode:
    facts = facts_of(node, tmp_path)
    return cluster_node("worker1", facts, pfs_from_facts(facts), **named)


def test_vfs_are_counted_by_vendor_and_device_and_drivers_named_as_the_plugin_does(tmp_path: Path) -> None:
    node = read(converged(GEN4, LATER, GEN2), tmp_path)
    assert node.vf_counts == {"8086:37c9": 2, "8086:4941": 2, "8086:4945": 3}
    assert node.families == {"8086:37c9": "c62x", "8086:4941": "4xxx", "8086:4945": "402xx"}
    assert node.drivers == ("4xxxvf", "c6xxvf")
    assert (node.total, node.workload, node.problems) == (7, "vm", ())


def test_expected_is_per_resource_and_leaves_out_what_no_resource_names(tmp_path: Path) -> None:
    node = read(converged(GEN4, LATER, GEN2), tmp_path)
    resources = {"8086:4941": "intel.com/qat", "8086:4945": "intel.com/qat", "8086:4943": "intel.com/other"}
    assert node.expected(resources) == {"intel.com/qat": 5, "intel.com/other": 0}


def test_each_kind_of_vf_for_machines_has_the_resource_of_its_family() -> None:
    machines = ClusterNode("a", families={"8086:4941": "4xxx", "8086:37c9": "c62x"})
    containers = ClusterNode("b", workload="container", families={"8086:4945": "402xx"})
    found = resources_of([machines, containers], "intel.com/qat", {"c62x": "intel.com/qat-gen2"})
    assert found == {"8086:37c9": "intel.com/qat-gen2", "8086:4941": "intel.com/qat"}


def test_a_vf_without_a_known_family_has_the_resource_of_all_others() -> None:
    node = ClusterNode("a", vf_counts={"8086:4941": 16})
    assert resources_of([node], "intel.com/qat", {"c62x": "intel.com/qat-gen2"}) == {"8086:4941": "intel.com/qat"}


def test_each_resource_name_is_told_once() -> None:
    assert resource_names("intel.com/qat", {"c62x": "intel.com/old", "c3xxx": "intel.com/old"}) == [
        "intel.com/qat",
        "intel.com/old",
    ]


def test_a_vf_that_is_not_on_vfio_counts_not_and_is_a_problem(tmp_path: Path) -> None:
    kernel = converged(GEN4)
    kernel.write("/sys/bus/pci/devices/0000:6b:00.1/driver/unbind", "0000:6b:00.1")
    node = read(kernel, tmp_path)
    assert node.vf_counts == {"8086:4941": 1}
    assert node.problems == ("VF 0000:6b:00.1 is on no driver, not on vfio-pci",)


def test_a_vf_that_shares_its_group_counts_not(tmp_path: Path) -> None:
    node = read(converged(PfSpec("0000:6b:00.0", "4940", totalvfs=2, isolated=False)), tmp_path)
    assert node.total == 0
    assert any("GROUP" in problem for problem in node.problems)


def test_a_node_without_vfs_says_so(tmp_path: Path) -> None:
    node = read(with_host(SimKernel((GEN4,))), tmp_path)
    assert "the node has no VF on vfio-pci" in node.problems


@pytest.mark.parametrize(
    ("policy", "label"),
    [
        ([{"services": ["asym", "sym"]}], "sym-asym"),
        ([{"services": ["asym", "sym"]}, {"match": {"device": "4944"}, "services": ["dc"]}], "dc_sym-asym"),
    ],
)
def test_services_become_one_label(policy: list[dict[str, Any]], label: str, tmp_path: Path) -> None:
    assert read(converged(GEN4, LATER, policy=policy), tmp_path).services == label


def test_gen2_has_no_services_label(tmp_path: Path) -> None:
    assert read(converged(GEN2), tmp_path).services is None


def test_holders_travel_with_their_pod(tmp_path: Path) -> None:
    kernel = converged(GEN4)
    kernel.hold("0000:6b:00.1", pid=4711, command="qemu-kvm")
    assert read(kernel, tmp_path).held == ((None, "VF 0000:6b:00.1 is held by qemu-kvm (pid 4711)"),)


def test_data_makes_the_same_node_again(tmp_path: Path) -> None:
    kernel = converged(GEN4, GEN2)
    kernel.hold("0000:6b:00.1", pid=4711, command="qemu-kvm")
    node = read(kernel, tmp_path, workload="container")
    assert ClusterNode.from_data(json.loads(json.dumps(node.as_data()))) == node


def test_wrong_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="worker1: qatvirt_workload is 'both'; expected vm or container"):
        read(converged(GEN4), tmp_path, workload="both")


def test_a_node_is_found_by_inventory_name_then_by_host_name() -> None:
    objects = [node_object("a"), node_object("b")]
    found = match_nodes([ClusterNode("a"), ClusterNode("b.example.net", names=("b.example.net", "b"))], objects)
    assert [item["metadata"]["name"] for _node, item in found] == ["a", "b"]


def test_a_variable_decides_the_name(tmp_path: Path) -> None:
    node = read(converged(GEN4), tmp_path, node_name="rack7")
    assert (node.name, node.names) == ("rack7", ())


def test_nodes_of_another_cluster_are_refused() -> None:
    with pytest.raises(Refused, match=r"no node c, d; it has a\. Check that qatvirt_kubeconfig leads to the cluster"):
        match_nodes([ClusterNode("a"), ClusterNode("c"), ClusterNode("d")], [node_object("a")])


def test_allocatable_sums_a_prefix() -> None:
    item = node_object("a", {"qat.intel.com/cy": "8", "qat.intel.com/dc": "4", "intel.com/qat": "2"})
    assert (allocatable(item, "qat.intel.com/"), allocatable(item, "intel.com/qat"), allocatable(item, "x/y")) == (
        12,
        2,
        0,
    )
