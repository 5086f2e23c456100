# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has each VF of a node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import ClusterNode
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.vf_owners import (
    VfOwner,
    given_to_pods,
    plugin_resource,
    vf_owners,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import Holder, Pf, Vf
from ansible_collections.intel.qatvirt.tests.unit.cluster.objects import launcher, node_object, pod_object

ADDRESS = "0000:6b:00.1"
FREE = Vf(
    index=0,
    address=ADDRESS,
    device="4941",
    driver="vfio-pci",
    driver_override=None,
    iommu_group="7",
    group_members=(),
    numa_node=0,
    holders=(),
    problems=(),
)
QEMU = Holder(pid=1, command="qemu-kvm", path="/dev/vfio/7", pod="uid-virt-launcher-web-x1")
DPDK = Holder(pid=2, command="dpdk", path="/dev/vfio/7", pod="uid-nginx")
HOST = Holder(pid=3, command="dpdk", path="/dev/vfio/7")
VMS, CONTAINERS = ClusterNode("n"), ClusterNode("n", workload="container")
RESOURCES = {"8086:4941": "intel.com/qat"}


def pf_with(vf: Vf, services: tuple[str, ...] | None = ("sym", "asym")) -> Pf:
    return Pf(
        address="0000:6b:00.0",
        device="4940",
        family="4xxx",
        module="qat_4xxx",
        driver="4xxx",
        driver_loaded=True,
        vf_driver_loaded=False,
        numa_node=0,
        iommu_group="6",
        vfs_possible=1,
        vfs_enabled=1,
        autoprobe=False,
        state="up",
        services=services,
        heartbeat=None,
        offset=1,
        stride=1,
        vfs=(vf,),
        problems=(),
    )


def owners_of(
    vf: Vf, node: ClusterNode = VMS, allocatable: dict[str, str] | None = None, pods: list[dict[str, Any]] | None = None
) -> list[tuple[str, str]]:
    item = node_object("n", allocatable)
    found = vf_owners(node, (pf_with(vf),), item, pods or [], RESOURCES)[ADDRESS]
    return [(owner.kind, owner.text) for owner in found]


def test_the_owner_of_an_open_vf_is_the_machine_or_pod_of_the_process() -> None:
    pods = [launcher("web", "n"), pod_object("nginx", "n")]
    assert owners_of(replace(FREE, holders=(QEMU,)), pods=pods) == [("vm", "virtual machine apps/web")]
    assert owners_of(replace(FREE, holders=(DPDK,)), pods=pods) == [("pod", "apps/nginx")]
    assert owners_of(replace(FREE, holders=(HOST,)), pods=pods) == [("process", "dpdk (pid 3)")]


def test_a_process_whose_pod_is_gone_is_named_by_itself() -> None:
    assert owners_of(replace(FREE, holders=(DPDK,))) == [("process", "dpdk (pid 2, pod uid uid-nginx)")]


def test_processes_of_one_pod_are_one_owner_and_of_two_pods_two() -> None:
    pods = [launcher("web", "n"), pod_object("nginx", "n")]
    one = replace(FREE, holders=(DPDK, replace(DPDK, pid=9)))
    assert owners_of(one, pods=pods) == [("pod", "apps/nginx")]
    two = replace(FREE, holders=(DPDK, QEMU))
    assert owners_of(two, pods=pods) == [("pod", "apps/nginx"), ("vm", "virtual machine apps/web")]


def test_a_vf_that_nobody_has_open_belongs_to_the_resource_that_offers_it() -> None:
    assert owners_of(FREE, allocatable={"intel.com/qat": "1"}) == [("resource", "intel.com/qat")]
    assert owners_of(FREE, CONTAINERS, {"qat.intel.com/cy": "1"}) == [("resource", "qat.intel.com/cy")]


def test_a_free_vf_says_why_it_is_free() -> None:
    assert owners_of(FREE) == [("free", "the node does not offer intel.com/qat")]
    assert owners_of(replace(FREE, device="37c9")) == [("free", "no resource is for its kind of VF")]
    (alone,) = vf_owners(VMS, (pf_with(FREE),), None, [], RESOURCES)[ADDRESS]
    assert (alone.kind, alone.text) == ("free", "no cluster was looked at")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"driver": None}, "on no driver"),
        ({"driver": "4xxxvf"}, "on 4xxxvf"),
        ({"iommu_group": None}, "no IOMMU group"),
        ({"group_members": ("0000:6b:00.2",)}, "shares its IOMMU group"),
    ],
)
def test_an_unusable_vf_says_why(change: dict[str, Any], reason: str) -> None:
    assert owners_of(replace(FREE, **change), allocatable={"intel.com/qat": "1"}) == [("unusable", reason)]


@pytest.mark.parametrize(
    ("services", "name"),
    [
        (("sym", "asym"), "qat.intel.com/cy"),
        (("asym", "sym"), "qat.intel.com/cy"),
        (("dc",), "qat.intel.com/dc"),
        (("sym", "dc"), "qat.intel.com/sym-dc"),
        (("dcc",), "qat.intel.com/dcc"),
        (None, "qat.intel.com/generic"),
    ],
)
def test_intels_plugin_names_a_resource_by_the_services(services: tuple[str, ...] | None, name: str) -> None:
    assert plugin_resource(pf_with(FREE, services)) == name


def test_vfs_are_given_to_pods_that_have_a_node() -> None:
    waiting = pod_object("waiting", "", asks="intel.com/qat")
    pods = [
        launcher("web", "n", asks="intel.com/qat"),
        pod_object("a", "m", asks="qat.intel.com/dc"),
        pod_object("b", "n", asks="qat.intel.com/dc"),
        pod_object("gpu", "n", asks="nvidia.com/gpu"),
        waiting,
    ]
    assert given_to_pods(pods, {"intel.com/qat"}) == {"intel.com/qat": 1, "qat.intel.com/dc": 2}


def test_an_owner_reads_as_what_it_is() -> None:
    owners = [VfOwner("pod", "a/b"), VfOwner("process", "dpdk (pid 1)"), VfOwner("resource", "intel.com/qat")]
    assert [str(owner) for owner in owners] == ["pod a/b", "process dpdk (pid 1)", "intel.com/qat"]
