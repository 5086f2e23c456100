# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a device node open.

A VF is in use when a process has ``/dev/vfio/<group>`` (or the VFIO character device, or a uio device) of it open:
QEMU, DPDK and qatlib keep that file open for as long as they use the VF. ``/proc/<pid>/fd`` shows it for containers
too, under the same path as on the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .model import Holder
from .sysfs import System

KVM = "/dev/kvm"
_WATCHED = ("/dev/vfio/", "/dev/uio", KVM)
#: ``/dev/vfio/vfio`` is the container device: everybody may have it open.
_SHARED = "/dev/vfio/vfio"
_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")
#: libvirt starts QEMU with ``-name guest=<domain>,...``; KubeVirt's domain is <namespace>_<vmi>.
_GUEST = re.compile(r"\bguest=([^,\s\0]+)")


def find_holders(system: System) -> dict[str, tuple[Holder, ...]]:
    """Device node -> processes that have it open, for vfio groups and devices, uio devices and /dev/kvm."""
    found: dict[str, list[Holder]] = {}
    for name in system.names("/proc"):
        if name.isdigit():
            for path in _open_nodes(system, name):
                found.setdefault(path, []).append(_holder(system, name, path))
    return {path: tuple(holders) for path, holders in found.items()}


def holders_of(nodes: Iterable[str], holders: dict[str, tuple[Holder, ...]]) -> tuple[Holder, ...]:
    """Who holds any of these device nodes; ``holders``: of :func:`find_holders`."""
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
