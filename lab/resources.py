# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab needs of its host: memory, disk, /dev/net/tun and ports. All are checked before anything is started."""

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
"""Memory of a QEMU process beside the guest's memory and the cache of translated code."""
CONTROL_PLANE_MB = 800
"""Memory of etcd, Kubernetes' servers and the registry together."""


@dataclass(frozen=True)
class AvailableResources:
    """What the host has.

    memory: MiB that are available without swapping. disk: free GB by directory. tun: whether /dev/net/tun is usable.
    """

    memory: int
    disk: dict[Path, float]
    tun: bool


@dataclass(frozen=True)
class RequiredResources:
    """What the nodes that are to be started need.

    nodes: MiB of each node. control_plane: whether a control plane is to run, too. disk: GB by directory.
    """

    nodes: Sequence[int]
    control_plane: bool
    disk: dict[Path, float]

    @property
    def memory(self) -> int:
        """MiB of the nodes and the control plane together."""
        nodes = sum(memory + translation_cache_mb(memory) + QEMU_MB for memory in self.nodes)
        return nodes + CONTROL_PLANE_MB * self.control_plane


def translation_cache_mb(memory: int) -> int:
    """MiB of QEMU's cache of translated code for a node of that many MiB of memory.

    QEMU empties the whole cache when it is full. A cache of 512 MiB is full five minutes after the start of a node with
    KubeVirt.
    """
    return max(512, memory // 5)


def require(need: RequiredResources) -> None:
    """Raise LabError that names every resource of the host that does not suffice."""
    found = shortages(need, read_available(need.disk))
    if found:
        raise LabError("\n".join(found))


def read_available(directories: Iterable[Path]) -> AvailableResources:
    """Read what the host has. directories: where disk space is needed."""
    fields = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) // 1024
    disk = {directory: shutil.disk_usage(_existing(directory)).free / 1e9 for directory in directories}
    return AvailableResources(available, disk, TUN.is_char_device())


def shortages(need: RequiredResources, available: AvailableResources) -> list[str]:
    """A line for each resource that does not suffice: what was found, what was expected and what to do."""
    found = []
    if need.nodes and not available.tun:
        found.append(
            f"no character device {TUN}, which the nodes' network devices are made with: "
            "load the kernel module tun, or give this container the device."
        )
    if need.nodes and available.memory < need.memory:
        found.append(
            f"{available.memory} MiB of memory are available, {need.memory} MiB are needed for "
            f"{len(need.nodes)} nodes of {' + '.join(map(str, need.nodes))} MiB: "
            "start fewer nodes (--nodes) or smaller ones (--node NAME:memory=MiB)."
        )
    found += [
        f"{available.disk[directory]:.1f} GB are free below {directory}, {wanted:.1f} GB are needed: make room there, "
        f"or move the cache (QATVIRT_CACHE) or the state (QATVIRT_STATE) elsewhere."
        for directory, wanted in need.disk.items()
        if available.disk[directory] < wanted
    ]
    return found


def require_free_port(address: str, port: int, what: str) -> None:
    """Raise LabError when a port of the host is taken. what: the server that is to listen at the port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LabError(f"{what} cannot listen at {address}:{port}: {os.strerror(error.errno or 0)}.") from None
            raise LabError(
                f"port {port} of {address} is taken, and {what} is to listen there: "
                f"'ss -tlnp sport = :{port}' shows which process has the port; end that process, "
                "or have it listen at one address only."
            ) from None


def _existing(path: Path) -> Path:
    """The path itself, or the nearest of its parent directories, that exists."""
    return path if path.exists() else _existing(path.parent)
