# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that go wrong on nodes, on demand.

Each fault works on a running node and can be taken back. What must be so from the start is a matter of the node's
spec: iommu=off, ids=... of a family, driver=off.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shlex import quote

from lab.errors import LabError
from lab.node import Node

HOLDER = "/usr/lib/qatlab/qatlab-hold"
_ALL = 0xFFFFFFFF


def parameter(node: Node, name: str, value: str | int) -> None:
    """Set a knob of all stand-in drivers that are loaded on the node.

    name: fail_up, fail_up_times, busy, dead, compat (see qat_common/qatlab_pf.h).
    Raises LabError where no driver is loaded or the driver refuses the value.
    """
    files = f"/sys/module/qat_*/parameters/{quote(name)}"
    if node.run(f"ls {files}", check=False).returncode:
        raise LabError(f"{node.name}: no QAT driver stand-in is loaded.")
    done = node.run(f"for file in {files}; do echo {quote(str(value))} > $file || exit; done", check=False)
    if done.returncode:
        raise LabError(f"{node.name}: the driver stand-in refuses {name}={value}.")


def fail_up(node: Node, on: bool, pfs: int = _ALL, times: int = 0) -> None:
    """Bringing a PF up fails. pfs: bit mask of qat_devN. times: then it works again; 0 for never."""
    parameter(node, "fail_up_times", times if on else 0)
    parameter(node, "fail_up", pfs if on else 0)


def busy(node: Node, on: bool, pfs: int = _ALL) -> None:
    """PFs are in use by the kernel's own crypto: state and SR-IOV changes are refused. pfs: bit mask of qat_devN."""
    parameter(node, "busy", pfs if on else 0)


def dead(node: Node, on: bool, pfs: int = _ALL) -> None:
    """The heartbeat of PFs says that they are dead. pfs: bit mask of qat_devN."""
    parameter(node, "dead", pfs if on else 0)


def old_kernel(node: Node, on: bool) -> None:
    """The drivers behave as those of Linux 6.1 (sriov_numvfs 0 is EINVAL, only sym;asym and dc)."""
    parameter(node, "compat", "6.1" if on else "6.12")


def new_kernel(node: Node, on: bool) -> None:
    """The drivers behave as those of Linux 7.x (services in any order, read back in the kernel's order)."""
    parameter(node, "compat", "7.x" if on else "6.12")


def no_firmware(node: Node, on: bool) -> None:
    """The firmware files are missing: the next start of a PF fails."""
    if on:
        node.run("mkdir -p /var/lib/qatlab && mv /lib/firmware/qat_*.bin /var/lib/qatlab/")
    else:
        node.run("mv /var/lib/qatlab/qat_*.bin /lib/firmware/")


def hold(node: Node, address: str) -> int:
    """A process opens a VF through vfio, as a virtual machine does, and keeps it. Gives the process id.

    address: the VF's, bound to vfio-pci. Raises LabError where it cannot be opened.
    """
    node.write(HOLDER, Path(__file__).with_name("hold_vf.py").read_text())
    done = node.run(f"chmod +x {HOLDER} && exec {HOLDER} {quote(address)}", check=False)
    if done.returncode:
        raise LabError(f"{node.name}: cannot hold {address}: {done.stderr.strip()}")
    return int(done.stdout)


def release(node: Node) -> None:
    """End all processes that hold() has started."""
    node.run("pkill -x qatlab-hold; while pgrep -x qatlab-hold >/dev/null; do sleep 0.1; done")


def hold_first_vf(node: Node, on: bool) -> None:
    """A process holds the first VF that is bound to vfio-pci."""
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
"""Faults by the name that the command line has for them."""
