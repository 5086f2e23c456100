# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab needs of the machine it runs on, checked before anything is started."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

TUN = Path("/dev/net/tun")
MEMINFO = Path("/proc/meminfo")
QEMU_MB = 200
"""What QEMU takes beside the guest's memory and the translated code."""
CONTROL_PLANE_MB = 800


@dataclass(frozen=True)
class AvailableResources:
    """What this machine has. memory: MiB that can be had without swapping. disk: free GB by directory."""

    memory: int
    disk: dict[Path, float]
    tun: bool


@dataclass(frozen=True)
class RequiredResources:
    """What is to be started. nodes: MiB of each node. disk: GB by directory."""

    nodes: Sequence[int]
    control_plane: bool
    disk: dict[Path, float]

    @property
    def memory(self) -> int:
        """MiB in all."""
        nodes = sum(memory + translation_cache_mb(memory) + QEMU_MB for memory in self.nodes)
        return nodes + CONTROL_PLANE_MB * self.control_plane


def translation_cache_mb(memory: int) -> int:
    """MiB for the translated code of a node of so much memory.

    QEMU throws all of it away when it is full. 512 MiB are, five minutes after a node with KubeVirt began.
    """
    return max(512, memory // 5)


def require(need: RequiredResources) -> None:
    """Raise LabError that names everything that does not suffice."""
    found = shortages(need, read_available(need.disk))
    if found:
        raise LabError("\n".join(found))


def read_available(directories: Iterable[Path]) -> AvailableResources:
    """Read what this machine has."""
    fields = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) // 1024
    disk = {directory: shutil.disk_usage(_existing(directory)).free / 1e9 for directory in directories}
    return AvailableResources(available, disk, TUN.is_char_device())


def shortages(need: RequiredResources, machine: AvailableResources) -> list[str]:
    """What does not suffice, with what was found, what was expected and what to do: a line each."""
    found = []
    if need.nodes and not machine.tun:
        found.append(
            f"no character device {TUN}: the nodes' network devices are made with it. "
            "Load the module tun, or give this container the device."
        )
    if need.nodes and machine.memory < need.memory:
        found.append(
            f"{machine.memory} MiB of memory can be had, {need.memory} MiB are needed for {len(need.nodes)} nodes of "
            f"{' + '.join(map(str, need.nodes))} MiB: start fewer (--nodes), or smaller ones (--node NAME:memory=MiB)."
        )
    found += [
        f"{machine.disk[directory]:.1f} GB are free below {directory}, {wanted:.1f} GB are needed: make room there, "
        f"or have it elsewhere with QATVIRT_CACHE and QATVIRT_STATE."
        for directory, wanted in need.disk.items()
        if machine.disk[directory] < wanted
    ]
    return found


def require_free_port(address: str, port: int, what: str) -> None:
    """Raise LabError where a port of this host that what is to listen at is taken."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LabError(f"{what} cannot listen at {address}:{port}: {os.strerror(error.errno or 0)}.") from None
            raise LabError(
                f"port {port} of {address} is taken, and {what} is to listen there: "
                f"'ss -tlnp sport = :{port}' shows by whom; end that, or have it listen at one address only."
            ) from None


def _existing(path: Path) -> Path:
    """The nearest directory that exists."""
    return path if path.exists() else _existing(path.parent)
