# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a node, one after the other on one node: each is found by the check that names its cause, and by no other.

What is injected is taken back after each drill; the last test finds the node as the first one did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab import Node, faults
from tests import drills, warm
from tests.plays import POLICY, Site, play, shell

PF = "0000:01:00.0"
GEN2 = "0000:04:00.0"
DEVICES = "/sys/bus/pci/devices"
CONVERGE = "systemctl restart qatvirt.service"
BIND_ALL = f"for vf in {DEVICES}/*/virtfn*; do basename $(readlink $vf) > /sys/bus/pci/drivers_probe; done"
NO_VFS = f"for pf in {DEVICES}/0000:0[123]:00.0/sriov_numvfs; do echo 0 > $pf; done"


@pytest.fixture(scope="module")
def drilled(site: Site) -> Node:
    """The converged node, for all drills."""
    return site.node()


def report_of(site: Site) -> dict[str, Any]:
    """The report on the node, by the modules of validate.yml."""
    facts = site.module("qat_info")["ansible_facts"]["qatvirt"]
    node = {"name": "qat1", "workload": "vm", "facts": facts, "policy": POLICY}
    report: dict[str, Any] = warm.here("qat_validate", hosts=[node], cluster=False)["report"]
    return report


def validated(inventory: Path, directory: Path) -> dict[str, Any]:
    """The report of validate.yml."""
    done = play(inventory, "validate", qat_validate_directory=str(directory), qat_validate_fail=False)
    assert (directory / "report.json").exists(), done.text
    return drills.report_in(directory)


def commands(inject: list[str], undo: list[str]) -> Callable[[Node], AbstractContextManager[None]]:
    """A fault that shell commands make and take back."""

    @contextmanager
    def fault(node: Node) -> Iterator[None]:
        shell(node, *inject)
        try:
            yield
        finally:
            shell(node, *undo)

    return fault


@contextmanager
def dead(node: Node) -> Iterator[None]:
    faults.dead(node, True, pfs=1)
    yield
    faults.dead(node, False)


@contextmanager
def held(node: Node) -> Iterator[None]:
    faults.hold_first_vf(node, True)
    yield
    faults.hold_first_vf(node, False)


@contextmanager
def without_firmware(node: Node) -> Iterator[None]:
    faults.no_firmware(node, True)
    shell(node, f"echo {PF} > /sys/bus/pci/drivers/4xxx/unbind")
    yield
    faults.no_firmware(node, False)
    shell(node, f"echo {PF} > /sys/bus/pci/drivers/4xxx/bind", CONVERGE)


@contextmanager
def kernel_crypto(node: Node) -> Iterator[None]:
    shell(node, f"echo 0 > {DEVICES}/{PF}/sriov_numvfs")
    faults.busy(node, True)
    node.run(CONVERGE, check=False)  # fails, as it has to, and says why in its status
    yield
    faults.busy(node, False)
    shell(node, CONVERGE)


OLDER_POLICY = 'sed -i \'s/"asym"/"dc"/\' /etc/qatvirt/policy.json'

FAULTS: dict[str, Callable[[Node], AbstractContextManager[None]]] = {
    "no-module": commands(
        [
            NO_VFS,
            "rmmod qat_4xxx",
            "module=$(modinfo -n qat_4xxx)",
            "echo $module > /root/module",
            "mv $module /root/hidden.ko",
            "depmod",
        ],
        ["mv /root/hidden.ko $(cat /root/module)", "depmod", "modprobe qat_4xxx", CONVERGE],
    ),
    "no-firmware": without_firmware,
    "unbound-pf": commands(
        [f"echo {PF} > /sys/bus/pci/drivers/4xxx/unbind"], [f"echo {PF} > /sys/bus/pci/drivers/4xxx/bind", CONVERGE]
    ),
    "pf-down": commands([f"echo down > {DEVICES}/{PF}/qat/state"], [CONVERGE]),
    "pf-dead": dead,
    "services": commands(
        [
            f"cd {DEVICES}/{PF}",
            "echo 0 > sriov_numvfs",
            "echo down > qat/state",
            "echo dc > qat/cfg_services",
            "echo 8 > sriov_numvfs",
            "for vf in virtfn*; do echo vfio-pci > $vf/driver_override; done",
            BIND_ALL,
        ],
        [CONVERGE],
    ),
    "kernel-crypto": kernel_crypto,
    "no-vfs": commands([f"echo 0 > {DEVICES}/{PF}/sriov_numvfs"], [CONVERGE]),
    "no-vfio": commands(["rmmod vfio_pci"], ["modprobe vfio_pci", BIND_ALL]),
    "denylist": commands(
        ["rmmod vfio_pci", "modprobe vfio_pci disable_denylist=0", BIND_ALL + " 2>/dev/null || true"],
        ["rmmod vfio_pci", "modprobe vfio_pci", BIND_ALL],
    ),
    "vf-driver": commands(
        [f"basename $(readlink {DEVICES}/{PF}/virtfn3) > /sys/bus/pci/drivers/vfio-pci/unbind"], [BIND_ALL]
    ),
    "held": held,
    "out-of-tree": commands(["touch /etc/init.d/qat_service"], ["rm /etc/init.d/qat_service"]),
    "qatlib": commands(
        ["ln -s /dev/null /etc/systemd/system/multi-user.target.wants/qat.service"],
        ["rm /etc/systemd/system/multi-user.target.wants/qat.service"],
    ),
    "boot-off": commands(["systemctl disable --quiet qatvirt.service"], ["systemctl enable --quiet qatvirt.service"]),
    "boot-policy": commands(
        ["cp -p /etc/qatvirt/policy.json /root", OLDER_POLICY], ["mv /root/policy.json /etc/qatvirt/policy.json"]
    ),
}
WRONG_HOSTS: dict[str, dict[str, Any]] = {
    "policy": {"qat_vf_policy": [*POLICY, {"match": {"family": "c62x"}, "services": ["dc"]}]},
    "reboot": {"qat_host_kernel_args": ["iommu=pt"]},
    "unreachable": {"ansible_host": "127.0.0.1", "ansible_port": 1},
}
"""Faults of an inventory: variables of a host that is the node but for them."""
ELSEWHERE = {"iommu"}
"""Has a node of its own: tests/node/test_host.py."""


def test_every_drill_of_a_node_is_done() -> None:
    assert {*FAULTS, *WRONG_HOSTS, *ELSEWHERE} == set(drills.names(drills.NODE))


@pytest.mark.parametrize("name", FAULTS)
def test_drill(site: Site, drilled: Node, name: str) -> None:
    with FAULTS[name](drilled):
        report = report_of(site)
    drills.assert_found(report, drills.drill(name))


def test_after_all_drills_the_node_is_as_before_and_gives_no_warning(drilled: Node, site: Site, tmp_path: Path) -> None:
    """Beside hosts of which the inventory says something wrong: each is found, and nothing of the node as it is."""
    hosts = {name: {"qat_vf_policy": POLICY, **wrong} for name, wrong in WRONG_HOSTS.items()}
    report = validated(site.with_hosts(tmp_path, {"qat1": {"qat_vf_policy": POLICY}, **hosts}), tmp_path)
    assert report["emulated"]
    for name in WRONG_HOSTS:
        drills.assert_found(report, drills.drill(name), node=name)
    assert drills.complaints(report, node="qat1") == {}
