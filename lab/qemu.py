# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine of a node: QEMU's command line (pure), its process and its monitor.

QEMU emulates in software only: the lab behaves the same on a host with, without, or with a broken /dev/kvm.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qemu.qmp import QMPError
from qemu.qmp.legacy import QEMUMonitorProtocol

from lab.errors import LabError
from lab.image import DiskImage
from lab.network import Network
from lab.processes import Process
from lab.resources import translation_cache_mb
from lab.shell import copy_sparse, run
from lab.spec import NodeSpec

PROGRAM = "qemu-system-x86_64"
SNAPSHOT_TAG = "lab"
"""Name of the machine state inside the disk of a snapshot."""

_KERNEL_ARGUMENTS = (
    "root=/dev/vda rw console=ttyS0 quiet mitigations=off net.ifnames=0 random.trust_cpu=on no_timer_check tsc=reliable"
)


def hardware(spec: NodeSpec) -> list[str]:
    """The arguments of QEMU that the guest can tell: a snapshot only loads into a machine with exactly the same.

    The machine has one processor: with two, one boot in four hung for good under emulation (a lost interrupt).
    """
    devices = [
        "virtio-blk-pci,drive=root,bus=pcie.0,addr=3",
        "virtio-rng-pci,bus=pcie.0,addr=5",
        *(device for index in range(len(spec.ids)) for device in _pf(spec, index)),
    ]
    return [
        *("-machine", "q35,sata=off,smbus=off,vmport=off,hpet=off"),
        *("-accel", f"tcg,tb-size={translation_cache_mb(spec.memory)}"),
        *("-cpu", "max", "-smp", "1", "-m", str(spec.memory)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-rtc", "base=utc,clock=host"),
        *("-smbios", f"type=11,value=qatlab.pf={'+'.join(spec.ids)}"),
        *("-device", "intel-iommu,intremap=on"),
        *(word for device in devices for word in ("-device", device)),
    ]


def _pf(spec: NodeSpec, index: int) -> list[str]:
    """The devices of one PF: a root port, and the donor alone below it, as the kernel module qatlab_mask needs it."""
    port = f"pcie-root-port,id=rp{index},chassis={index + 1},slot={index + 1},bus=pcie.0,addr={0x10 + index:x}"
    if spec.donor == "igb":
        return [port, f"igb,bus=rp{index},id=qat{index},romfile="]
    return [
        port,
        f"nvme-subsys,id=ss{index}",
        f"nvme,bus=rp{index},id=qat{index},subsys=ss{index},serial=q{index},sriov_max_vfs=16,"
        "sriov_vq_flexible=32,sriov_vi_flexible=16,max_ioqpairs=36,msix_qsize=40",
    ]


def command(spec: NodeSpec, image: DiskImage, network: Network, index: int, restore: bool) -> list[str]:
    """The arguments of QEMU. It is to run in the machine's directory, where disk, initramfs and identity are.

    restore: load the machine state that is in the disk.
    """
    disk = {"driver": "qcow2", "node-name": "root", "discard": "unmap", "cache": {"no-flush": True}}
    disk["file"] = {"driver": "file", "filename": "disk.qcow2", "aio": "threads"}
    return [
        *("-name", spec.name),
        *hardware(spec),
        *("-blockdev", json.dumps(disk)),
        *("-netdev", f"tap,id=net0,ifname={network.tap(index)},script=no,downscript=no,vhost=off"),
        *("-device", f"virtio-net-pci,id=nic0,netdev=net0,mac={network.mac(index)},romfile=,bus=pcie.0,addr=4"),
        # The generation id is new with each start: by the change a restored guest knows that it is a copy.
        *("-device", f"vmgenid,guid={uuid.uuid4()}"),
        *("-fw_cfg", "name=opt/org.qatvirt/identity,file=identity"),
        *("-serial", "file:console.log", "-qmp", "unix:qmp.sock,server=on,wait=off"),
        *_boot(spec, image),
        *(("-loadvm", SNAPSHOT_TAG) if restore else ()),
    ]


def _boot(spec: NodeSpec, image: DiskImage) -> list[str]:
    if spec.boot == "grub":
        return ["-kernel", str(image.grub)]
    arguments = _KERNEL_ARGUMENTS if spec.iommu else f"{_KERNEL_ARGUMENTS} intel_iommu=off"
    return ["-kernel", str(image.kernel), "-initrd", "initrd.cpio", "-append", arguments]


def version() -> str:
    """QEMU's own version line."""
    return run(PROGRAM, "--version").splitlines()[0]


def make_overlay(base: Path, target: Path) -> None:
    """Make a disk whose content is that of base until the machine writes; base is never written to."""
    kind = "raw" if base.suffix == ".img" else "qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", base, target)


@dataclass(frozen=True)
class Machine:
    """The virtual machine that is a node: a QEMU process and its files in one directory."""

    directory: Path

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    @property
    def process(self) -> Process:
        return Process(self.directory, PROGRAM)

    def start(self, argv: list[str]) -> None:
        """Start QEMU in the background, where it outlives this process. Returns when QEMU runs or has failed."""
        for name in ("qmp.sock", "console.log"):
            (self.directory / name).unlink(missing_ok=True)
        (self.directory / "command.json").write_text(json.dumps([PROGRAM, *argv], indent=1))
        self.process.start(argv)

    def pid(self) -> int | None:
        """Process id of QEMU, None when it does not run."""
        return self.process.pid()

    def failure(self) -> str | None:
        """Why this machine will never answer: QEMU has ended, or the guest's kernel has panicked. Else None."""
        if ended := self.process.failure():
            return ended
        if self.console.exists() and b"Kernel panic" in self.console.read_bytes():
            return "its kernel panicked"
        return None

    def stop(self) -> None:
        """End QEMU, whatever the guest does at the moment."""
        if self.pid() is None:
            return
        try:
            self.execute("quit")
        except EOFError:
            pass  # QEMU ended before it answered
        except (QMPError, OSError):
            self.process.kill()
        self.wait()

    def wait(self) -> None:
        """Wait until QEMU has ended."""
        self.process.wait()

    def execute(self, command: str, /, **arguments: Any) -> Any:
        """Run one command of QEMU's monitor (QMP) and give its answer."""
        with self.monitor() as qmp:
            return qmp.cmd(command, **arguments)

    @contextmanager
    def monitor(self) -> Iterator[QEMUMonitorProtocol]:
        """A connection to QEMU's monitor."""
        # By a path in /proc: a socket's path has at most 107 characters, and the machine's directory may have more.
        directory = os.open(self.directory, os.O_PATH)
        qmp = QEMUMonitorProtocol(f"/proc/self/fd/{directory}/qmp.sock")
        try:
            qmp.connect()
            yield qmp
        finally:
            qmp.close()
            os.close(directory)

    def mac(self) -> str:
        """The MAC address that the guest's network card uses at the moment."""
        (filter_,) = self.execute("query-rx-filter", name="nic0")
        return str(filter_["main-mac"])

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The guest stands still for the block."""
        self.execute("stop")
        try:
            yield
        finally:
            self.execute("cont")

    def save(self, copy: Path) -> None:
        """Save the machine's state into its disk and copy the disk. The guest is paused meanwhile."""
        with self.monitor() as qmp:
            qmp.cmd("stop")
            try:
                _job(qmp, "snapshot-delete", tag=SNAPSHOT_TAG, devices=["root"])
                _job(qmp, "snapshot-save", tag=SNAPSHOT_TAG, vmstate="root", devices=["root"])
                copy_sparse(self.directory / "disk.qcow2", copy)
            finally:
                qmp.cmd("cont")


def _job(qmp: QEMUMonitorProtocol, name: str, /, **arguments: Any) -> None:
    """Run a job of QEMU's monitor and wait for its end. Raises LabError when the job fails."""
    job = f"{name}-{uuid.uuid4().hex[:8]}"
    qmp.cmd(name, **{"job-id": job, **arguments})
    while True:
        jobs: Any = qmp.cmd("query-jobs")
        (state,) = (entry for entry in jobs if entry["id"] == job)
        if state["status"] == "concluded":
            break
        time.sleep(0.05)
    qmp.cmd("job-dismiss", id=job)
    if "error" in state:
        raise LabError(f"QEMU's {name} failed: {state['error']}")
