# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real lab: what its nodes show, and that nothing of it stays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab, LabError, Node, NodeSpec, faults
from lab.paths import labs_root

PCI = "/sys/bus/pci/devices"
PF = f"{PCI}/0010:01:00.0"
"""The first PF of the node with drivers."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("lab-self") as lab:
        lab.down()
        yield lab


@pytest.fixture(scope="module")
def bare(lab: Lab) -> Node:
    return lab.start(NodeSpec("bare"))


@pytest.fixture(scope="module")
def driven(lab: Lab) -> Node:
    return lab.start(NodeSpec("driven", ids=("4940", "4942", "4946", "4948", "37c8"), domain=0x10, driver=True))


def show(node: Node, device: str, *names: str) -> list[str]:
    return [node.read(f"{device}/{name}").strip() for name in names]


def vfio_bind(node: Node, vf: str) -> None:
    node.run("modprobe vfio-pci")
    node.write(f"{PCI}/{vf}/driver_override", "vfio-pci")
    node.write("/sys/bus/pci/drivers_probe", vf)


def test_a_node_has_qat_devices_without_a_driver(bare: Node) -> None:
    device = f"{PCI}/0000:01:00.0"
    assert show(bare, device, "vendor", "device", "class", "revision") == ["0x8086", "0x4940", "0x0b4000", "0x40"]
    assert show(bare, device, "sriov_totalvfs", "sriov_vf_device", "sriov_numvfs") == ["8", "4941", "0"]
    assert "Co-processor [0b40]: Intel Corporation 4xxx Series QAT [8086:4940]" in bare.run("lspci -nn").stdout
    assert bare.run(f"ls {device}/driver", check=False).returncode
    assert bare.run("modprobe qat_4xxx", check=False).returncode


def test_copies_of_one_snapshot_are_different_machines(bare: Node, driven: Node, lab: Lab) -> None:
    lab.snapshot("driven", "lab-self")
    twin = lab.start(NodeSpec("twin"), source="lab-self")
    ssh, mac = "/etc/ssh/ssh_host_ed25519_key.pub", "/sys/class/net/eth0/address"
    for file in ("/etc/hostname", "/etc/machine-id", ssh, mac):
        assert len({node.read(file) for node in (bare, driven, twin)}) == 3, file
    assert twin.run("hostname").stdout == "twin\n"
    host = float(subprocess.run(["date", "+%s"], capture_output=True, text=True, check=True).stdout)
    assert abs(float(twin.run("date +%s").stdout) - host) < 60
    assert driven.address not in twin.run("ss -Htn state established").stdout, "a connection of the other machine"
    lab.stop("twin")
    assert "twin" not in lab.nodes


def test_every_family_has_its_driver_and_its_ids(driven: Node) -> None:
    found = {}
    for bus in range(1, 6):
        device = f"{PCI}/0010:{bus:02x}:00.0"
        pf, vf = show(driven, device, "device", "sriov_vf_device")
        found[pf] = (vf, driven.run(f"basename $(readlink {device}/driver)").stdout.strip())
    assert found == {
        "0x4940": ("4941", "4xxx"),
        "0x4942": ("4943", "4xxx"),
        "0x4946": ("4947", "420xx"),
        "0x4948": ("4949", "6xxx"),
        "0x37c8": ("37c9", "c6xx"),
    }
    assert driven.run(f"ls -d {PCI}/0010:05:00.0/qat", check=False).returncode, "gen2 has no qat/ group"


def test_vfs_come_in_groups_of_their_own_and_go_to_vfio(driven: Node) -> None:
    driven.write(f"{PF}/sriov_numvfs", "8")
    groups = driven.run(f"for vf in {PF}/virtfn*; do readlink $vf/iommu_group; done").stdout.split()
    assert len(set(groups)) == 8
    vfio_bind(driven, "0010:01:10.0")
    assert driven.run("ls /dev/vfio").stdout.split() == [Path(groups[0]).name, "vfio"]


def test_the_whole_machine_is_in_its_pci_domain(driven: Node) -> None:
    assert driven.run(f"ls {PCI} | grep -vc ^0010:", check=False).stdout == "0\n"


def test_a_held_vf_is_really_held(driven: Node) -> None:
    driven.write(f"{PF}/sriov_numvfs", "8")
    vfio_bind(driven, "0010:01:10.0")
    pid = faults.hold(driven, "0010:01:10.0")
    assert "vfio-device" in driven.run(f"ls -l /proc/{pid}/fd").stdout
    unbind = "echo 0010:01:10.0 > /sys/bus/pci/drivers/vfio-pci/unbind; touch /run/unbound"
    driven.run(f"({unbind}) >/dev/null 2>&1 & until dmesg | grep -q 'blocked until released'; do sleep 0.2; done")
    assert driven.run("ls /run/unbound", check=False).returncode
    faults.release(driven)
    driven.run("until [ -e /run/unbound ]; do sleep 0.2; done")


def test_gen2_vfs_are_refused_by_vfio(driven: Node) -> None:
    driven.write(f"{PCI}/0010:05:00.0/sriov_numvfs", "8")
    vfio_bind(driven, "0010:05:10.0")
    assert driven.run(f"ls {PCI}/0010:05:10.0/driver", check=False).returncode
    assert "8086:37c9 exists in vfio-pci device denylist" in driven.run("dmesg").stdout


def test_faults_come_and_go(driven: Node) -> None:
    state = f"{PF}/qat/state"
    faults.fail_up(driven, True, times=1)
    driven.write(state, "down")
    with pytest.raises(LabError, match="Bad address"):
        driven.write(state, "up")
    driven.write(state, "up")

    faults.busy(driven, True)
    with pytest.raises(LabError, match="Device or resource busy"):
        driven.write(state, "down")
    faults.busy(driven, False)

    faults.no_firmware(driven, True)
    driven.write(state, "down")
    with pytest.raises(LabError, match="Bad address"):
        driven.write(state, "up")
    faults.no_firmware(driven, False)
    driven.write(state, "up")

    faults.old_kernel(driven, True)
    driven.write(f"{PF}/sriov_numvfs", "8")
    with pytest.raises(LabError, match="Invalid argument"):
        driven.write(f"{PF}/sriov_numvfs", "0")
    faults.old_kernel(driven, False)
    driven.write(f"{PF}/sriov_numvfs", "0")


def test_a_fault_without_a_driver_says_so(bare: Node) -> None:
    with pytest.raises(LabError, match="no QAT driver stand-in is loaded"):
        faults.busy(bare, True)


def test_up_again_changes_nothing_and_repairs_what_is_broken(lab: Lab, bare: Node) -> None:
    before = bare.boot_id()
    assert lab.start(NodeSpec("bare")).boot_id() == before
    bare.machine.stop()
    assert lab.start(NodeSpec("bare")).run("hostname").stdout == "bare\n"


def test_a_running_node_is_not_turned_into_another(lab: Lab, bare: Node) -> None:
    with pytest.raises(LabError, match="bare runs as"):
        lab.start(NodeSpec("bare", ids=("4944",)))


def test_unknown_names_are_said(lab: Lab) -> None:
    with pytest.raises(LabError, match="no node 'nobody'"):
        lab.node("nobody")
    with pytest.raises(LabError, match="no snapshot 'nothing'"):
        lab.start(NodeSpec("x"), source="nothing")


def test_down_leaves_nothing(bare: Node) -> None:
    with Lab("lab-self-end") as lab:
        node = lab.start(NodeSpec("qat1"))
        assert node.run("hostname").stdout == "qat1\n"
        assert node.address != bare.address
        directory = labs_root() / "lab-self-end"
        network = json.loads((directory / "lab.json").read_text())["network"]
    assert not directory.exists()
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert f"qlab{network}:" not in links
    assert f"qlab{network}t" not in links
    for process in Path("/proc").glob("[0-9]*"):
        try:
            assert not (process / "cwd").readlink().is_relative_to(directory)
        except OSError:
            continue
    assert bare.run("hostname").stdout == "bare\n", "the other lab goes on"
