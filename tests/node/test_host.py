# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that has to be rebooted: not without leave, and never under a running virtual machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab, Node, NodeSpec
from tests import drills
from tests.plays import play, shell

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("tests-host") as lab:
        lab.start(NodeSpec("qat1", ids=("4940",), iommu=False, driver=True, boot="grub"))
        yield lab


@pytest.fixture
def node(lab: Lab) -> Iterator[Node]:
    """The node, which has to come out of each test without a reboot."""
    node = lab.node("qat1")
    boot = node.boot_id()
    yield node
    assert node.boot_id() == boot


@pytest.fixture
def inventory(lab: Lab, tmp_path: Path) -> Path:
    return lab.inventory(tmp_path)


def test_an_iommu_that_is_off_is_the_one_finding(node: Node, inventory: Path, tmp_path: Path) -> None:
    """Also on a node to which nothing has been done yet."""
    done = play(inventory, "validate", qat_validate_directory=str(tmp_path), qat_validate_fail=True)
    assert done.code != 0 and done.says("It does not hold"), done.text
    drills.assert_found(drills.report_in(tmp_path), drills.drill("iommu"))


def test_reboot_is_asked_for_not_done_by_default(node: Node, inventory: Path) -> None:
    stopped = play(inventory, "nodes", qat_host_reboot=False)
    assert stopped.code != 0
    assert stopped.says("qat1 has to be rebooted", "intel_iommu=on", "qat_host_reboot"), stopped.text
    assert "intel_iommu=on" in node.read("/boot/grub/grub.cfg")


def test_reboot_under_a_virtual_machine_is_refused(node: Node, inventory: Path) -> None:
    machine = "-name guest=default_vm1 -machine q35,accel=kvm -cpu host -m 64 -nodefaults -display none -S"
    pid = shell(
        node,
        f"systemd-run --quiet --unit=vm qemu-system-x86_64 {machine}",
        "pid=$(systemctl show --value --property=MainPID vm)",
        "until ls -l /proc/$pid/fd | grep -q /dev/kvm; do sleep 0.2; done",
        "echo $pid",
    ).strip()
    refused = play(inventory, "nodes", qat_host_reboot=True)
    assert refused.code != 0
    assert refused.says("qat1 has to be rebooted", f"pid {pid}", "default_vm1"), refused.text
    assert node.run("systemctl is-active vm").stdout.strip() == "active"
