# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes have a device node open. Reads only, through the System it is given.

A VF is in use while a process has the VF's ``/dev/vfio/<group>`` (or VFIO character device, or uio device) open: QEMU,
DPDK and qatlib keep that file open for as long as they use the VF. ``/proc/<pid>/fd`` shows the files of containers,
too, under the same path as on the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .model import Holder
from .sysfs import System

KVM = "/dev/kvm"
_WATCHED = ("/dev/vfio/", "/dev/uio", KVM)
_SHARED = "/dev/vfio/vfio"
"""The container device of VFIO, which any number of processes may have open."""
_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")
_GUEST = re.compile(r"\bguest=([^,\s\0]+)")
"""libvirt starts QEMU with ``-name guest=<domain>,...``; KubeVirt's domain is <namespace>_<vmi>."""


def find_holders(system: System) -> dict[str, tuple[Holder, ...]]:
    """By device node, the processes that have it open: vfio groups and devices, uio devices, /dev/kvm."""
    found: dict[str, list[Holder]] = {}
    for name in system.names("/proc"):
        if name.isdigit():
            for path in _open_nodes(system, name):
                found.setdefault(path, []).append(_holder(system, name, path))
    return {path: tuple(holders) for path, holders in found.items()}


def holders_of(nodes: Iterable[str], holders: dict[str, tuple[Holder, ...]]) -> tuple[Holder, ...]:
    """The holders of any of these device nodes. ``holders``: as :func:`find_holders` returns them."""
    return tuple(holder for node in nodes for holder in holders.get(node, ()))


def _open_nodes(system: System, pid: str) -> list[str]:
    fds = f"/proc/{pid}/fd"
    targets = {system.target(f"{fds}/{fd}") for fd in system.names(fds)}
    return sorted(target for target in targets if target and target.startswith(_WATCHED) and target != _SHARED)


def _holder(system: System, pid: str, path: str) -> Holder:
    proc = f"/proc/{pid}/"
    pod = _POD.search(system.get(proc + "cgroup") or "")
    guest = _GUEST.search(system.get(proc + "cmdline") or "")
    return Holder(
        pid=int(pid),
        command=system.get(proc + "comm") or "?",
        path=path,
        pod=pod.group(1).replace("_", "-") if pod else None,
        guest=guest.group(1) if guest else None,
    )
