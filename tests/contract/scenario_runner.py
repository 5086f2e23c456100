# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays contract scenarios on anything that is a ``System``; run as a program it plays them on the node it runs on.

On a node it has the boot program, which holds the collection's node layer, on its path, takes scenarios as JSON on
standard input and prints the answers as JSON: one process for all of them, because Python takes a second and a half to
start on an emulated node.
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
#: Seconds after which a write that is expected to block is taken to be blocked. The other writes get the usual time.
BLOCKED_AFTER = 2.0


class NodeUnderTest(Protocol):
    """What scenarios are played on: a node's ``system``, and the things only the world around it can do."""

    system: Any
    pf: str
    gen2: str

    def reset(self, release: str) -> None: ...
    def hold(self, vf: str) -> None: ...
    def release(self, vf: str) -> None: ...
    def fail_up(self, pf: str, times: int) -> None: ...
    def busy(self, pf: str, on: bool) -> None: ...


def run_scenario(node: NodeUnderTest, release: str, steps: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Play the steps of one scenario from a fresh start; for each the answer and the answer that was expected, with
    names filled in."""
    node.reset(release)
    names = _Names(node)
    claims: dict[str, Any] = {}
    answers = []
    for step in steps:
        path, value = step["path"].format_map(names), step["value"].format_map(names)
        answers.append((_answer(node, claims, step, path, value), step["answer"].format_map(names)))
    return answers


class _Names(dict):
    """The names in braces. Where VFs are follows from the PF, so that they have a name before and after they exist."""

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
        """{group}, which the kernel numbers anew with each VF: remembered from when it was asked for first."""
        if name != "group":
            raise KeyError(name)
        self[name] = "/dev/vfio/{}".format(self._node.system.link(self["vf"] + "/iommu_group"))
        return self[name]


def _answer(node: NodeUnderTest, claims: dict[str, Any], step: dict[str, str], path: str, value: str) -> str:
    system = node.system

    def write() -> None:
        system.write(path, value, BLOCKED_AFTER if step["answer"] == "blocked" else 60.0)

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
    """The node this program runs on, with the lab's driver stand-ins."""

    _PARAMETERS = "/sys/module/qat_4xxx/parameters/"

    def __init__(self, pf: str, gen2: str) -> None:
        from qatvirt_boot.node.pci import vf_address
        from qatvirt_boot.node.sysfs import System, WriteBlocked

        self.pf, self.gen2 = pf, gen2
        self.vf_address = vf_address
        self._holders: dict[str, int] = {}
        self._waiting: list[int] = []
        outer = self

        class Watched(System):
            """Remembers the writers that the kernel keeps waiting."""

            def write(self, path: str, value: str, timeout: float = 60.0) -> None:
                try:
                    super().write(path, value, timeout)
                except WriteBlocked as blocked:
                    outer._waiting.append(blocked.pid)
                    raise

        self.system = Watched()

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
        """A process takes the VF as QEMU does: opens its group, puts it into a container, takes the device out of it.
        Raises OSError."""
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
        """The holder ends, and the kernel does what it was waiting to do."""
        pid = self._holders.pop(vf)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while self._waiting:
            os.waitpid(self._waiting.pop(), 0)

    def fail_up(self, _pf: str, times: int) -> None:
        """The first PF is device 0 of its driver."""
        self.system.write(self._PARAMETERS + "fail_up_times", str(times))
        self.system.write(self._PARAMETERS + "fail_up", "1")

    def busy(self, _pf: str, on: bool) -> None:
        self.system.write(self._PARAMETERS + "busy", str(int(on)))


def _take_device(group: str, vf: str) -> int:
    """0 or an errno. The numbers are VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU (type 1) and VFIO_GROUP_GET_DEVICE_FD of
    linux/vfio.h."""
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
    """``scenario_runner.py PF GEN2_PF``: scenarios on standard input as [[release, [step, …]], …]."""
    node = LabNode(sys.argv[1], sys.argv[2])
    print(json.dumps([run_scenario(node, release, steps) for release, steps in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
