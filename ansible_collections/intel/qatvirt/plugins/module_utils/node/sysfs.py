# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge of the node layer: sysfs, procfs, device nodes and modprobe.

``sysfs.py``, ``worker.py`` and ``files.py`` are the only files of the node layer that touch the node. All others get a
:class:`System` as an argument: small text reads, links, names, and writes that are bounded in time. The unit tests put
a simulated kernel behind the same methods.
"""

from __future__ import annotations

import errno
import os
import subprocess
import time
from typing import Any

from .worker import Worker

WRITE_TIMEOUT = 60.0
"""Seconds that a sysfs write may take. Enabling 16 VFs takes well under a second. The kernel waits without limit when a
VF that has to go is held open (vfio "Relaying device request to user", drivers/vfio/vfio_main.c), and that wait must
not become a hung play."""
READ_TIMEOUT = 10.0
"""Seconds that a read may take which needs the lock of a device."""


class WriteBlocked(OSError):
    """A sysfs write did not return in time. The kernel goes on waiting, and the writing process stays in the kernel.

    ``pid``: the process that has not returned from the write.
    """

    def __init__(self, path: str, value: str, seconds: float, pid: int) -> None:
        super().__init__(
            errno.ETIMEDOUT,
            f"writing {value!r} has not returned after {seconds:g} s (process {pid} still waits in the kernel)",
            path,
        )
        self.pid = pid


class ReadBlocked(OSError):
    """A sysfs read did not return in time: another process is in a write to that device and has its lock."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(
            errno.ETIMEDOUT,
            f"the read has not returned after {seconds:g} s: another process changes this device, and most likely the "
            "kernel waits until a VF is released. Find the process that holds a VF (fuser -v /dev/vfio/*), let that "
            "process end, and run again",
            path,
        )


class Claim:
    """An exclusive open of a device node. No other process can open the device node until :meth:`release`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def release(self) -> None:
        os.close(self._fd)


class System:
    """The node below ``root`` (default: the running system)."""

    def __init__(self, root: str = "/") -> None:
        self._root = root.rstrip("/")
        self._worker: Worker | None = None

    def _at(self, path: str) -> str:
        return self._root + path

    def read(self, path: str) -> str:
        """Text of a file without trailing white space. Raises OSError."""
        with open(self._at(path), encoding="utf-8", errors="replace") as file:
            return file.read().rstrip()

    def get(self, path: str) -> str | None:
        """As :meth:`read`; None where the file is missing or the kernel refuses the read."""
        try:
            return self.read(path)
        except OSError:
            return None

    def get_bounded(self, paths: list[str], timeout: float = READ_TIMEOUT) -> dict[str, str | None]:
        """As :meth:`get`, for several files whose reads take the device's lock (sriov_numvfs, driver_override).

        A process that removes or unbinds a held VF has that lock for as long as the kernel waits (drivers/pci/iov.c,
        pci-sysfs.c, Linux 6.1 to 6.12), so these reads run in a child process. Raises :class:`ReadBlocked`.
        """
        found: dict[str, str | None] = {}
        for path in paths:
            answer = self._ask({"op": "read", "path": self._at(path)}, timeout)
            if answer is None:
                raise ReadBlocked(path, timeout)
            found[path] = None if answer["errno"] else answer["text"].rstrip()
        return found

    def _ask(self, request: dict[str, str], timeout: float) -> dict[str, Any] | None:
        """The worker's answer. A worker that has not answered in time is given up, and the next call starts another."""
        worker, self._worker = self._worker or Worker(), None
        answer = worker.ask(request, timeout)
        if answer is not None:
            self._worker = worker
        return answer

    def target(self, path: str) -> str | None:
        """The target of a symbolic link as it is stored; None where there is no such link."""
        try:
            return os.readlink(self._at(path))
        except OSError:
            return None

    def link(self, path: str) -> str | None:
        """Last component of the target of a symbolic link (in sysfs: the name of the driver, group or VF); None where
        there is no such link."""
        target = self.target(path)
        return None if target is None else os.path.basename(target)

    def names(self, path: str) -> list[str]:
        """Sorted names in a directory; empty where there is no such directory."""
        try:
            return sorted(os.listdir(self._at(path)))
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        return os.path.exists(self._at(path))

    def write(self, path: str, value: str, timeout: float = WRITE_TIMEOUT) -> None:
        """One write(2) of ``value`` to a sysfs file, given up after ``timeout`` seconds.

        The write runs in a child process, because a process that waits inside the kernel cannot be interrupted. Raises
        OSError with the kernel's errno, or :class:`WriteBlocked`.
        """
        worker = self._worker = self._worker or Worker()
        answer = self._ask({"op": "write", "path": self._at(path), "value": value}, timeout)
        if answer is None:
            raise WriteBlocked(path, value, timeout, worker.pid)
        if answer["errno"]:
            raise OSError(answer["errno"], os.strerror(answer["errno"]), path)

    def claim(self, path: str) -> Claim:
        """Open a device node that only one process may hold (a vfio group). Raises OSError: EBUSY where another process
        holds the device node."""
        return Claim(os.open(self._at(path), os.O_RDWR | os.O_CLOEXEC))

    def wait(self, seconds: float) -> None:
        """Let time pass. (A simulated node has a clock of its own.)"""
        time.sleep(seconds)

    def load_module(self, name: str) -> None:
        """Load a kernel module with modprobe. Raises no error where modprobe fails: the plan names a missing driver."""
        # No AnsibleModule at boot: pylint: disable-next=ansible-bad-function
        subprocess.run(["/sbin/modprobe", name], check=False)
