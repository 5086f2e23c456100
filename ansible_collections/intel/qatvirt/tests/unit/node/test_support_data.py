# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Support data of a node: complete, bounded in size, and with the reason where something is missing."""

from __future__ import annotations

import errno
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.checkpoint import CHECKPOINT
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.paths import POLICY, PROGRAM, STATUS
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.support_data import collect_node
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import DEVICES, SimKernel

PF, VF = "0000:6b:00.0", "0000:6b:00.1"
DEBUGFS = f"/sys/kernel/debug/qat_4xxx_{PF}"
KERNEL_LOG = f"""\
Linux version 6.12.0-test
4xxx {PF}: qat_dev0 started 10 acceleration engines
usb 1-1: new high-speed USB device
DMAR: IOMMU enabled
pcieport 0000:00:01.0: AER: Corrected error received: {PF}
pci {VF}: [8086:4941] type 00
RATE: not an error
"""
KUBELET_LOG = "Got registration from device plugin intel.com/qat\nSyncLoop (PLEG)\n"


class Commands:
    """The node's commands: what each prints, or why it fails."""

    def __init__(self, **said: Any) -> None:
        self.failures = {key: answer for key, answer in said.items() if isinstance(answer, Exception)}
        self.said = {
            "kernel": KERNEL_LOG,
            "unit": "VFs as wanted\n",
            "kubelet": KUBELET_LOG,
            "dmesg": KERNEL_LOG,
            **said,
        }

    def __call__(self, words: list[str]) -> str:
        which = "dmesg" if words[0] == "dmesg" else "unit" if "--unit=qatvirt.service" in words else "kubelet"
        key = "kernel" if "--dmesg" in words else which
        if key in self.failures:
            raise self.failures[key]
        return str(self.said[key])


@pytest.fixture
def node() -> SimKernel:
    """A converged node, with what the simulated kernel leaves out."""
    node = with_host(SimKernel())
    converge(node, parse_policy([{}]))
    for path, text in {
        "/proc/version": "Linux version 6.12.0-test",
        f"{DEBUGFS}/dev_cfg": "[GENERAL]\nServicesEnabled = sym;asym",
        f"{DEBUGFS}/fw_counters": "AE 0 Firmware Requests 7",
        "/sys/module/intel_qat/srcversion": "ABCD",
        "/sys/module/intel_qat/parameters/verbose": "0",
        f"/sys/devices/pci0000:6b/{PF}/resource": "0x00001000 0x00001fff 0x00140204\n0x0 0x0 0x0",
    }.items():
        node.add_file(path, text)
    return node


def collected(node: SimKernel, root: Path, lines: int = 500, **said: Any) -> dict[str, Any]:
    """What the module returns, after its way through JSON."""
    found: dict[str, Any] = json.loads(json.dumps(collect_node(node, Files(str(root)), Commands(**said), lines)))
    return found


def test_a_node_tells_its_devices_settings_and_logs(node: SimKernel, tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    files.replace(POLICY, '{"policy": []}\n')
    files.replace(STATUS, '{"ok": true}\n')
    files.replace(CHECKPOINT, '{"version": 1}\n')
    files.replace(PROGRAM, b"\x00\xff" * 10)
    files.replace("/etc/modprobe.d/blacklist-qat-vfs.conf", "blacklist qat_c62xvf\n")
    node.add_file("/etc/modprobe.d/blacklist-qat-vfs.conf", "")
    node.add_file("/etc/modprobe.d/sound.conf", "")
    found = collected(node, tmp_path)
    assert found["facts"] == json.loads(json.dumps(facts_of(node, tmp_path)))
    assert (found["node"], found["kernel"]) == ("node1", "Linux version 6.12.0-test")
    assert len(found["devices"]) == 17
    pf, vf = found["devices"][PF], found["devices"][VF]
    assert (pf["qat/state"], pf["qat/cfg_services"], pf["sriov_numvfs"], pf["driver"]) == (
        "up",
        "sym;asym",
        "16",
        "4xxx",
    )
    assert pf["resource_sizes"] == [4096, 0]
    assert (vf["driver"], vf["driver_override"], vf["physfn"]) == ("vfio-pci", "vfio-pci", PF)
    assert vf["iommu_group"] == node.vf(VF).group
    assert "ServicesEnabled" in found["debugfs"][f"{DEBUGFS}/dev_cfg"]
    assert found["debugfs"][f"{DEBUGFS}/fw_counters"] == "AE 0 Firmware Requests 7"
    assert found["modules"]["intel_qat"] == {"srcversion": "ABCD", "parameters": {"verbose": "0"}}
    assert found["files"][POLICY] == '{"policy": []}\n'
    assert {STATUS, CHECKPOINT, "/etc/modprobe.d/blacklist-qat-vfs.conf"} <= set(found["files"])
    assert "/etc/modprobe.d/sound.conf" not in found["files"]
    assert "20 bytes, SHA-256 " in found["files"][PROGRAM]
    assert found["logs"]["qatvirt.service"] == "VFs as wanted\n"
    assert found["logs"]["kubelet"] == KUBELET_LOG.splitlines(keepends=True)[0]
    assert found["unreadable"] == {}


def test_the_kernels_log_is_cut_down_to_what_matters(node: SimKernel, tmp_path: Path) -> None:
    log = collected(node, tmp_path)["logs"]["kernel"]
    for wanted in ("qat_dev0", "DMAR", "AER: Corrected", "[8086:4941]"):
        assert wanted in log
    for other in ("usb", "RATE", "Linux version"):
        assert other not in log
    assert collected(node, tmp_path, lines=1)["logs"]["kernel"] == f"pci {VF}: [8086:4941] type 00\n"


@pytest.mark.parametrize("journal", ["", RuntimeError("no journal")])
def test_without_a_journal_the_kernel_is_asked_itself(journal: object, node: SimKernel, tmp_path: Path) -> None:
    found = collected(node, tmp_path, kernel=journal)
    assert "qat_dev0" in found["logs"]["kernel"]
    assert found["unreadable"] == {}


def test_what_cannot_be_read_says_why_and_the_rest_is_there(node: SimKernel, tmp_path: Path) -> None:
    node.fail(f"{DEVICES}/{PF}/qat/state", errno.EIO, times=9, op="read")
    node.fail(f"{DEBUGFS}/fw_counters", errno.EPERM, times=9, op="read")
    (tmp_path / CHECKPOINT[1:]).parent.mkdir(parents=True)
    (tmp_path / CHECKPOINT[1:]).write_text("{")
    broken = RuntimeError("this node has no journalctl")
    found = collected(node, tmp_path, kernel=broken, dmesg=RuntimeError("dmesg failed: not permitted"), unit=broken)
    assert found["facts"] is None
    assert found["logs"]["kernel"] is None
    assert found["devices"][PF]["qat/state"] is None
    assert found["devices"][VF]["driver"] == "vfio-pci"
    unreadable = found["unreadable"]
    assert unreadable[f"{DEVICES}/{PF}/qat/state"] == "Input/output error"
    assert "refuses" in unreadable[f"{DEBUGFS}/fw_counters"]
    assert "is damaged" in unreadable["facts"]
    assert unreadable["the kernel's log"] == "dmesg failed: not permitted"
    assert unreadable["the journal of qatvirt.service"] == "this node has no journalctl"


def test_a_node_whose_kernel_waits_for_somebody_is_not_waited_for(node: SimKernel, tmp_path: Path) -> None:
    """Another tool asked for the VFs of a running machine: reads of that PF would hang."""
    node.hold("0000:6b:00.2", pid=1000)
    with suppress(OSError):
        node.write(f"{DEVICES}/{PF}/sriov_numvfs", "0")
    found = collected(node, tmp_path)
    assert "another process changes this device" in found["unreadable"]["facts"]
    assert "another process changes this device" in found["unreadable"][f"{DEVICES}/{PF}/sriov_numvfs"]
    assert found["devices"][PF]["sriov_totalvfs"] == "16"
    assert "qat_dev0" in found["logs"]["kernel"]


def test_everything_is_bounded(node: SimKernel, tmp_path: Path) -> None:
    Files(str(tmp_path)).replace(POLICY, "x" * 1_000_000)
    node.add_file(f"{DEBUGFS}/dev_cfg", "y" * 1_000_000)
    for number in range(100):
        Files(str(tmp_path)).replace(f"/etc/qatvirt/{number}", "z")
        node.add_file(f"/etc/qatvirt/{number}", "z")
    found = collected(node, tmp_path, unit="VF" + "v" * 1_000_000, kernel="qat\n" * 1_000_000)
    assert len(json.dumps(found)) < 400_000
    assert "934464 more characters are left out" in found["files"][POLICY]


def test_a_node_without_qat_tells_that_too(tmp_path: Path) -> None:
    found = collected(with_host(SimKernel(pfs=())), tmp_path)
    assert (found["devices"], found["debugfs"]) == ({}, {})
    assert found["facts"]["pfs"] == []
    assert found["unreadable"] == {"/proc/version": "No such file or directory"}
