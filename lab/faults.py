# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: what can be made to go wrong on a running node, and be undone again.

What is wrong from the node's start is part of its spec: iommu=off, ids=... of a certain family, driver=off.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shlex import quote

from lab.errors import LabError
from lab.node import Node

HOLDER = "/usr/lib/qatlab/qatlab-hold"
_ALL = 0xFFFFFFFF


def set_parameter(node: Node, name: str, value: str | int) -> None:
    """Set a module parameter of all driver stand-ins that are loaded on the node.

    name: fail_up, fail_up_times, busy, dead, compat (see qat_common/qatlab_pf.h).
    Raises LabError when no driver stand-in is loaded or one of them refuses the value.
    """
    files = f"/sys/module/qat_*/parameters/{quote(name)}"
    if node.run(f"ls {files}", check=False).returncode:
        raise LabError(f"{node.name}: no QAT driver stand-in is loaded that could take {name}: install one.")
    done = node.run(f"for file in {files}; do echo {quote(str(value))} > $file || exit; done", check=False)
    if done.returncode:
        raise LabError(f"{node.name}: the driver stand-in refuses {name}={value}.")


def fail_up(node: Node, on: bool, pfs: int = _ALL, times: int = 0) -> None:
    """Make bringing PFs up fail. pfs: bit mask of qat_devN. times: how often it fails, 0 for always."""
    set_parameter(node, "fail_up_times", times if on else 0)
    set_parameter(node, "fail_up", pfs if on else 0)


def busy(node: Node, on: bool, pfs: int = _ALL) -> None:
    """Make PFs look used by the kernel's crypto: they refuse state and SR-IOV changes. pfs: bit mask of qat_devN."""
    set_parameter(node, "busy", pfs if on else 0)


def dead(node: Node, on: bool, pfs: int = _ALL) -> None:
    """Make the heartbeat of PFs say that they are dead. pfs: bit mask of qat_devN."""
    set_parameter(node, "dead", pfs if on else 0)


def old_kernel(node: Node, on: bool) -> None:
    """Make the driver stand-ins behave as Linux 6.1 does (sriov_numvfs 0 is EINVAL, only sym;asym and dc)."""
    set_parameter(node, "compat", "6.1" if on else "6.12")


def new_kernel(node: Node, on: bool) -> None:
    """Make the driver stand-ins behave as Linux 7.x does (services in any order, read back in the kernel's order)."""
    set_parameter(node, "compat", "7.x" if on else "6.12")


def no_firmware(node: Node, on: bool) -> None:
    """Move the firmware files away, so that the next start of a PF fails."""
    if on:
        node.run("mkdir -p /var/lib/qatlab && mv /lib/firmware/qat_*.bin /var/lib/qatlab/")
    else:
        node.run("mv /var/lib/qatlab/qat_*.bin /lib/firmware/")


def hold(node: Node, address: str) -> int:
    """Start a process that opens a VF through vfio, as QEMU does, and holds it. Gives the process id.

    address: PCI address of a VF that is bound to vfio-pci. Raises LabError when the VF cannot be opened.
    """
    node.write(HOLDER, Path(__file__).with_name("hold_vf.py").read_text())
    done = node.run(f"chmod +x {HOLDER} && exec {HOLDER} {quote(address)}", check=False)
    if done.returncode:
        raise LabError(f"{node.name}: cannot hold {address}: {done.stderr.strip()}")
    return int(done.stdout)


def release(node: Node) -> None:
    """End all processes on the node that hold() has started."""
    node.run("pkill -x qatlab-hold; while pgrep -x qatlab-hold >/dev/null; do sleep 0.1; done")


def hold_first_vf(node: Node, on: bool) -> None:
    """Start or end a process that holds the node's first VF that is bound to vfio-pci."""
    if not on:
        release(node)
        return
    found = node.run("ls /sys/bus/pci/drivers/vfio-pci | grep -m 1 :", check=False).stdout.strip()
    if not found:
        raise LabError(f"{node.name}: no VF is bound to vfio-pci.")
    hold(node, found)


FAULTS: dict[str, Callable[[Node, bool], None]] = {
    "fail-up": fail_up,
    "busy": busy,
    "dead": dead,
    "old-kernel": old_kernel,
    "new-kernel": new_kernel,
    "no-firmware": no_firmware,
    "hold": hold_first_vf,
}
"""The faults by their names on the command line."""
