# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs contract scenarios on a node under test: the simulated kernel, or, as a program, the node it is started on.

As a program on a node, it imports the collection's node layer from the boot program on its path, reads scenarios as
JSON from standard input and prints the answers as JSON. One process runs all scenarios, because Python takes a second
and a half to start on an emulated node.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, Protocol

DEVICES = "/sys/bus/pci/devices/"
BLOCKED_AFTER = 2.0
"""Seconds after which a write that is expected to block counts as blocked."""
TIMEOUT = 60.0
"""Seconds after which any other write counts as blocked."""


class NodeUnderTest(Protocol):
    """A node that scenarios run on.

    system: reads and writes the node's sysfs. pf, gen2: addresses of a 4xxx PF and of a c6xx PF. The methods do what
    comes from outside the node layer: other processes, failing hardware, the kernel's own use of a PF.
    """

    system: Any
    pf: str
    gen2: str

    def reset(self, release: str) -> None: ...
    def hold(self, vf: str) -> None: ...
    def release(self, vf: str) -> None: ...
    def fail_up(self, pf: str, times: int) -> None: ...
    def busy(self, pf: str, on: bool) -> None: ...


def run_scenario(node: NodeUnderTest, release: str, steps: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Reset the node and run the steps of one scenario: for each step the found and the expected answer.

    Names in braces are filled in, in paths and in answers.
    """
    node.reset(release)
    names = _Names(node)
    claims: dict[str, Any] = {}
    answers = []
    for step in steps:
        path, value = step["path"].format_map(names), step["value"].format_map(names)
        answers.append((_run_step(node, claims, step, path, value), step["answer"].format_map(names)))
    return answers


class _Names(dict):
    """Values of the names in braces. A VF's address follows from its PF, so it has a value before the VF exists."""

    def __init__(self, node: NodeUnderTest) -> None:
        super().__init__()
        self._node = node
        self._add("", node.pf)
        self._add("gen2_", node.gen2)
        self.update(pf=DEVICES + node.pf, bdf=node.pf, gen2=DEVICES + node.gen2)

    def _add(self, prefix: str, pf: str) -> None:
        total, offset, stride = (
            int(self._node.system.read(DEVICES + pf + "/sriov_" + name)) for name in ("totalvfs", "offset", "stride")
        )
        vf = self._node.vf_address(pf, offset, stride, 0)
        found = {"total": total, "over": total + 1, "last": total - 1, "vf_bdf": vf, "vf": DEVICES + vf}
        self.update({prefix + name: str(text) for name, text in found.items()})

    def __missing__(self, name: str) -> str:
        """The value of {group}, read when it is first asked for: the kernel gives each new VF a new group number."""
        if name != "group":
            raise KeyError(name)
        self[name] = "/dev/vfio/{}".format(self._node.system.link(self["vf"] + "/iommu_group"))
        return self[name]


def _run_step(node: NodeUnderTest, claims: dict[str, Any], step: dict[str, str], path: str, value: str) -> str:
    """Run one step and give the answer in the words of scenarios.py."""
    system = node.system

    def write() -> None:
        system.write(path, value, BLOCKED_AFTER if step["answer"] == "blocked" else TIMEOUT)

    def claim() -> None:
        claims[path] = system.claim(path)

    actions: dict[str, Callable[[], object]] = {
        "write": write,
        "read": lambda: system.read(path),
        "link": lambda: system.link(path) or "none",
        "names": lambda: " ".join(system.names(path)),
        "exists": lambda: "yes" if system.exists(path) else "no",
        "claim": claim,
        "unclaim": lambda: claims.pop(path).release(),
        "hold": lambda: node.hold(path),
        "release": lambda: node.release(path),
        "fail_up": lambda: node.fail_up(path, int(value)),
        "busy": lambda: node.busy(path, value == "1"),
    }
    try:
        found = actions[step["op"]]()
    except OSError as error:
        return "blocked" if error.errno == errno.ETIMEDOUT else errno.errorcode[error.errno or 0]
    return "ok" if found is None else str(found)


class LabNode:
    """The lab node that this program runs on, with the lab's driver stand-ins."""

    _PARAMETERS = "/sys/module/qat_4xxx/parameters/"

    def __init__(self, pf: str, gen2: str) -> None:
        from qatvirt_boot.node.pci import vf_address
        from qatvirt_boot.node.sysfs import System, WriteBlocked

        self.pf, self.gen2 = pf, gen2
        self.vf_address = vf_address
        self._holders: dict[str, int] = {}
        self._waiting: list[int] = []
        outer = self

        class WatchedSystem(System):
            """A system that keeps the ids of the writing processes that the kernel blocks."""

            def write(self, path: str, value: str, timeout: float = TIMEOUT) -> None:
                try:
                    super().write(path, value, timeout)
                except WriteBlocked as blocked:
                    outer._waiting.append(blocked.pid)
                    raise

        self.system = WatchedSystem()

    def reset(self, release: str) -> None:
        for vf in list(self._holders):
            self.release(vf)
        for name, value in (("fail_up", "0"), ("fail_up_times", "0"), ("busy", "0"), ("compat", release)):
            self.system.write(self._PARAMETERS + name, value)
        for pf, driver in ((self.pf, "4xxx"), (self.gen2, "c6xx")):
            directory = "/sys/bus/pci/drivers/" + driver
            if self.system.exists(DEVICES + pf + "/driver"):
                self.system.write(directory + "/unbind", pf)
            self.system.write(DEVICES + pf + "/sriov_drivers_autoprobe", "1")
            self.system.write(directory + "/bind", pf)

    def hold(self, vf: str) -> None:
        """Start a process that holds a VF as QEMU does: it opens the VF's group, sets a container, opens the device.

        Raises OSError when one of these steps fails.
        """
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, struct.pack("i", _take_device(self.system.link(DEVICES + vf + "/iommu_group"), vf)))
            signal.pause()
        code = struct.unpack("i", os.read(reader, 4))[0]
        if code:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise OSError(code, os.strerror(code), vf)
        self._holders[vf] = pid

    def release(self, vf: str) -> None:
        """End the process that holds a VF and wait for the writes that the kernel blocked meanwhile."""
        pid = self._holders.pop(vf)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while self._waiting:
            os.waitpid(self._waiting.pop(), 0)

    def fail_up(self, _pf: str, times: int) -> None:
        """Make bringing up the first PF, which is device 0 of its driver, fail so many times."""
        self.system.write(self._PARAMETERS + "fail_up_times", str(times))
        self.system.write(self._PARAMETERS + "fail_up", "1")

    def busy(self, _pf: str, on: bool) -> None:
        self.system.write(self._PARAMETERS + "busy", str(int(on)))


def _take_device(group: str, vf: str) -> int:
    """Open a VF through vfio: 0, or the errno of the step that failed.

    The ioctls are VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU (type 1) and VFIO_GROUP_GET_DEVICE_FD of linux/vfio.h.
    """
    import fcntl

    try:
        container = os.open("/dev/vfio/vfio", os.O_RDWR)
        opened = os.open("/dev/vfio/" + group, os.O_RDWR)
        fcntl.ioctl(opened, 0x3B68, struct.pack("i", container))
        fcntl.ioctl(container, 0x3B66, 1)
        fcntl.ioctl(opened, 0x3B6A, vf.encode() + b"\0")
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def main() -> None:
    """``scenario_runner.py PF GEN2_PF``: reads scenarios from standard input as [[release, [step, …]], …]."""
    node = LabNode(sys.argv[1], sys.argv[2])
    print(json.dumps([run_scenario(node, release, steps) for release, steps in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
