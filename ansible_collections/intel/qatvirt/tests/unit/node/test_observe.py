# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading PFs and VFs: their attributes, their holders and their problems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.holders import find_holders
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import (
    ENABLE_IOMMU,
    Pf,
    parse_services,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel

TWO = (PfSpec("0000:6b:00.0", "4940", totalvfs=3, numa=1), PfSpec("10000:f3:00.0", "37c8", totalvfs=2))
POD = "11111111-2222-3333-4444-555555555555"


def busy_node() -> SimKernel:
    """Everything there is to see: two generations, VFs, a holder, a domain above ffff."""
    node = SimKernel(TWO, disable_denylist=True)
    converge(node, parse_policy([{}]))
    node.hold("0000:6b:00.2", pid=4711, command="qemu-kvm", cmdline="-name\0guest=shop_vm1,debug=on", pod=POD)
    return node


def test_observe_without_sysfs_is_not_a_node_without_devices(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="sysfs is not mounted"):
        observe(System(str(tmp_path)))


def test_observe_sees_everything() -> None:
    first, second = observe(busy_node())[0]
    assert (first.address, first.family, first.driver, first.numa_node) == ("0000:6b:00.0", "4xxx", "4xxx", 1)
    assert (first.state, first.services, first.heartbeat, first.autoprobe) == ("up", ("sym", "asym"), "ok", False)
    assert (first.vfs_enabled, first.vfs_possible, len(first.vfs)) == (3, 3, 3)
    assert (second.family, second.state, second.services) == ("c62x", None, None)
    assert [vf.driver for vf in first.vfs + second.vfs] == ["vfio-pci"] * 5
    assert not first.problems + second.problems


def test_observe_names_the_holder_of_a_vf() -> None:
    (held,) = observe(busy_node())[0][0].held()
    (holder,) = held.holders
    assert held.address == "0000:6b:00.2"
    assert (holder.pid, holder.command, holder.guest, holder.pod) == (4711, "qemu-kvm", "shop_vm1", POD)


def test_observe_reads_the_same_from_real_files(tmp_path: Path) -> None:
    node = busy_node()
    node.save(tmp_path)
    assert observe(System(str(tmp_path))) == observe(node)


def test_pfs_survive_the_way_through_json() -> None:
    for pf in observe(busy_node())[0]:
        assert Pf.from_data(json.loads(json.dumps(pf.as_data()))) == pf


def test_expected_vf_is_where_the_kernel_puts_it() -> None:
    node = SimKernel(TWO)
    before = [pf.expected_vf(index) for pf in observe(node)[0] for index in range(pf.vfs_possible)]
    converge(node, parse_policy([{"driver": "none"}]))
    assert before == [vf.address for pf in observe(node)[0] for vf in pf.vfs]


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (SimKernel(modules=()), ["UNBOUND-PF"]),
        (SimKernel(iommu=False), ["IOMMU"]),
        (SimKernel((PfSpec(totalvfs=0),)), ["NOSRIOV"]),
    ],
    ids=["no driver", "no IOMMU", "no SR-IOV"],
)
def test_observe_says_what_is_wrong_with_a_pf(node: SimKernel, found: list[str]) -> None:
    assert [problem.id for problem in only_pf(node).problems] == found


def test_observe_sees_a_pf_that_is_down_or_dead() -> None:
    node = SimKernel()
    node.pf().dead = True
    assert only_pf(node).heartbeat == "dead"
    node.write("/sys/bus/pci/devices/0000:6b:00.0/qat/state", "down")
    pf = only_pf(node)
    assert pf.heartbeat is None
    assert [problem.message for problem in pf.problems] == ["PF 0000:6b:00.0 is down, expected up"]


def test_observe_sees_vfs_without_iommu_group() -> None:
    node = SimKernel((PfSpec(totalvfs=1),), iommu=False)
    node.write("/sys/bus/pci/devices/0000:6b:00.0/sriov_numvfs", "1")
    (vf,) = only_pf(node).vfs
    assert [problem.message for problem in vf.problems] == ["VF 0000:6b:00.1 has no IOMMU group"]


def test_observe_gives_one_remedy_for_a_missing_iommu() -> None:
    node = SimKernel((PfSpec(totalvfs=1),), iommu=False)
    node.write("/sys/bus/pci/devices/0000:6b:00.0/sriov_numvfs", "1")
    fixes = [problem.fix for problem in only_pf(node).all_problems() if problem.id == "IOMMU"]
    assert fixes == [ENABLE_IOMMU, f"{ENABLE_IOMMU}, then create the VFs again"]


def test_find_holders_ignores_the_container_device_and_other_files() -> None:
    node = SimKernel()
    node.start(1, "systemd")
    node.start(2, "qemu")
    for fd, target in enumerate(("/dev/vfio/vfio", "/dev/null", "socket:[1]", "/dev/kvm")):
        node.open(2, fd, target)
    assert {path: [holder.pid for holder in holders] for path, holders in find_holders(node).items()} == {
        "/dev/kvm": [2]
    }


@pytest.mark.parametrize(
    ("text", "services"), [("sym;asym", ("sym", "asym")), ("dc", ("dc",)), ("", ()), ("asym; sym;", ("asym", "sym"))]
)
def test_parse_services_keeps_the_order(text: str, services: tuple[str, ...]) -> None:
    assert parse_services(text) == services


def only_pf(node: SimKernel) -> Pf:
    (pf,) = observe(node)[0]
    return pf
