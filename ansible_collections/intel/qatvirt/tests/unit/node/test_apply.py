# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying plans out: refusals and failures, in the words a person reads."""

from __future__ import annotations

import errno

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ConvergeFailed, InUse, PolicyError, Unmet
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import VFIO, PfSpec, SimKernel

POD = "11111111-2222-3333-4444-555555555555"
TWO = (PfSpec("0000:6b:00.0", "4940", totalvfs=2), PfSpec("0000:f3:00.0", "4940", totalvfs=2))
ALL = parse_policy([{}])
ASYM = parse_policy([{"services": ["asym"]}])


def converged() -> SimKernel:
    node = SimKernel(TWO)
    converge(node, ALL)
    node.writes.clear()
    return node


def test_converge_refuses_naming_vf_process_machine_and_pod() -> None:
    node = converged()
    node.hold("0000:6b:00.2", pid=4711, command="qemu-kvm", cmdline="qemu-kvm -name guest=shop_vm1,debug=on", pod=POD)
    with pytest.raises(InUse) as refusal:
        converge(node, ASYM)
    assert str(refusal.value) == (
        f"VF 0000:6b:00.2 is held by qemu-kvm (pid 4711, virtual machine shop_vm1, pod uid {POD})"
    )
    assert not node.writes


def test_converge_sees_a_holder_that_proc_does_not_show() -> None:
    node = converged()
    node.claim(node.node_of("0000:6b:00.1"))
    with pytest.raises(ConvergeFailed, match=r"0000:6b:00.1 is held by a process that /proc does not show"):
        converge(node, ASYM)
    assert not node.writes


def test_converge_skipping_converges_the_others() -> None:
    node = converged()
    node.hold("0000:6b:00.2")
    result = converge(node, ASYM, skip_in_use=True)
    assert [vf.address for vf in result.skipped_vfs] == ["0000:6b:00.2"]
    assert result.done == ("0000:f3:00.0",)
    assert node.pf("0000:f3:00.0").services == "asym"
    assert node.pf("0000:6b:00.0").services == "sym;asym"


def test_converge_lets_go_of_every_claim() -> None:
    node = converged()
    converge(node, ASYM)
    for vf in node.vfs():
        node.claim(node.node_of(vf.address)).release()


def test_converge_changes_nothing_when_something_is_missing() -> None:
    node = SimKernel(TWO, iommu=False)
    with pytest.raises(Unmet, match="has no IOMMU group: switch VT-d on"):
        converge(node, ALL)
    assert not node.writes


def test_converge_without_qat_is_a_policy_error() -> None:
    with pytest.raises(PolicyError, match="no QAT PF found"):
        converge(SimKernel(()), ALL)


def test_converge_explains_what_a_kernel_does_not_take() -> None:
    node = SimKernel(TWO, release="6.1")
    with pytest.raises(ConvergeFailed) as failure:
        converge(node, parse_policy([{"services": ["sym"]}]))
    assert "set the services to sym" in str(failure.value)
    assert "Linux 6.5 only sym;asym and dc" in str(failure.value)
    assert "was put back as it was: 4xxx, up, sym;asym, 0 of 2 VFs" in str(failure.value)


def test_converge_says_what_it_could_not_put_back() -> None:
    node = converged()
    node.fail_up["0000:6b:00.0"] = 99
    with pytest.raises(ConvergeFailed) as failure:
        converge(node, ASYM)
    assert "the driver could not start the device" in str(failure.value)
    assert "PF 0000:6b:00.0 could NOT be put back" in str(failure.value)
    assert "it was 4xxx, up, sym;asym, 2 of 2 VFs on vfio-pci" in str(failure.value)
    assert "it is now 4xxx, down, sym;asym, 0 of 2 VFs" in str(failure.value)


def test_converge_names_the_pfs_done_before_a_failure() -> None:
    node = SimKernel(TWO)
    node.fail("*/0000:f3:00.0/sriov_numvfs", errno.ENOMEM)
    with pytest.raises(ConvergeFailed, match="not enough MMIO space or bus numbers") as failure:
        converge(node, ALL)
    assert failure.value.done == ("0000:6b:00.0",)
    assert not node.pf("0000:f3:00.0").vfs


def test_converge_reports_a_write_that_blocks() -> None:
    """Should a claim ever not keep a user out, the write is given up on and says whom the kernel waits for."""
    node = converged()
    victim = "0000:6b:00.1"

    def barge_in() -> None:
        if node.claimed(victim):
            node.survive()
            node.hold(victim, pid=99, command="sneaky")
            node.interrupt = lambda: None

    node.interrupt = barge_in
    with pytest.raises(ConvergeFailed) as failure:
        converge(node, parse_policy([{"match": {"address": "0000:6b:00.0"}, "vfs": 0}]))
    assert "has not returned after 60 s" in str(failure.value)
    assert f"VF {victim} is held by sneaky (pid 99)" in str(failure.value)
    assert "The kernel goes on as soon as the VF is released" in str(failure.value)


def test_converge_leaves_the_other_vfs_bound() -> None:
    node = converged()
    node.write(f"/sys/bus/pci/drivers/{VFIO}/unbind", "0000:6b:00.1")
    before = node.touched()
    converge(node, ALL)
    after = node.touched()
    assert {vf for vf in before if before[vf] != after[vf]} == {"0000:6b:00.1"}
