# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node tells a maintainer who cannot log in: plain data of bounded size. Reads only, through the System, the
Files and the command runner it is given.

Nothing fails where something cannot be read: ``unreadable`` has the file and the reason.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ..errors import CheckpointError
from .bootloader import GRUB_DROPIN, RunCommand
from .checkpoint import CHECKPOINT
from .devices import FAMILIES, VENDOR
from .facts import collect
from .files import Files
from .host_plan import MODPROBE, MODULES_LOAD
from .paths import POLICY, PROGRAM, SERVICE, STATUS, UNIT
from .pci import DEVICES, device_path
from .sysfs import ReadBlocked, System

SCHEMA = 1

_LONGEST = 65536
"""Characters that are kept of one file or one line of a log."""
_SEARCHED = 20000
"""Lines of a log that are searched."""
_FILES = (POLICY, STATUS, UNIT, CHECKPOINT, MODULES_LOAD, MODPROBE, GRUB_DROPIN, "/etc/os-release")
_DIRECTORIES = {"/etc/qatvirt": "", "/etc/modprobe.d": "qat|vfio", "/etc/modules-load.d": "qat|vfio"}
"""Directories whose files are read, each with a pattern for the names of the files."""
_MOST_FILES = 20
"""Files that are read of one directory."""

_ATTRIBUTES = (
    *("vendor", "device", "class", "revision", "subsystem_vendor", "subsystem_device", "numa_node", "enable"),
    *("power_state", "reset_method", "current_link_speed", "current_link_width", "max_link_speed", "max_link_width"),
    *("sriov_totalvfs", "sriov_offset", "sriov_stride", "sriov_vf_device", "sriov_drivers_autoprobe"),
)
_LOCKED = ("sriov_numvfs", "driver_override")
"""Attributes whose reads take the device's lock, see System.get_bounded."""
_GROUPS = ("qat", "qat_ras", "qat_rl", "qat_svn", "qat_kpt")
_LINKS = ("driver", "iommu_group", "physfn")
_MOST_HANGING = 3
"""Reads that may hang, each for READ_TIMEOUT seconds, before no other such read is tried."""
_DEBUGFS = "/sys/kernel/debug"
_DEBUGFS_FILES = ("dev_cfg", "fw_counters")

_KERNEL = r"qat|4xxx|420xx|6xxx|c6xx|c3xxx|dh895x|vfio|dmar|iommu|\bAER\b|sr-?iov"
_KUBELET = r"qat|device.?plugin|vfio|intel\.com/"
_KUBELETS = ("kubelet", "k3s", "k3s-agent", "rke2-server", "rke2-agent")


def collect_node(system: System, files: Files, run: RunCommand, lines: int) -> dict[str, Any]:
    """What the module ``qat_support_node`` returns, which documents it. ``lines``: lines of each log, at most."""
    reader = _Reader(system, files, run)
    devices = {address: reader.device(address) for address in _functions(system)}
    return {
        "schema": SCHEMA,
        "node": reader.attribute("/proc/sys/kernel/hostname"),
        "kernel": reader.attribute("/proc/version"),
        "command_line": reader.attribute("/proc/cmdline"),
        "facts": reader.facts(),
        "devices": devices,
        "debugfs": reader.debugfs(bool(devices)),
        "modules": reader.modules(),
        "files": reader.configuration(),
        "logs": {
            "kernel": reader.kernel_log(devices, lines),
            SERVICE: reader.log(f"the journal of {SERVICE}", _journal([SERVICE], lines)),
            "kubelet": reader.log("the journal of kubelet", _journal(_KUBELETS, _SEARCHED), _KUBELET, lines),
        },
        "unreadable": reader.unreadable,
    }


def _functions(system: System) -> list[str]:
    """Addresses of all QAT functions, PFs and VFs."""
    ids = {f"0x{device}" for family in FAMILIES for device in family.pf + family.vf}
    return [
        address
        for address in system.names(DEVICES)
        if system.get(device_path(address) + "/vendor") == "0x" + VENDOR
        and system.get(device_path(address) + "/device") in ids
    ]


def _journal(units: tuple[str, ...] | list[str], lines: int) -> list[str]:
    return [*_journalctl(lines), *(f"--unit={unit}" for unit in units)]


def _journalctl(lines: int) -> list[str]:
    return ["journalctl", "--no-pager", "--quiet", "--utc", "--output=short-precise", f"--lines={lines}"]


class _Reader:
    """Reads, and notes in ``unreadable`` what could not be read."""

    def __init__(self, system: System, files: Files, run: RunCommand) -> None:
        self.unreadable: dict[str, str] = {}
        self._system = system
        self._files = files
        self._run = run
        self._hanging = 0

    def attribute(self, path: str) -> str | None:
        """Text of a file of the kernel."""
        try:
            return _bounded(self._system.read(path))
        except OSError as error:
            self._note(path, error)
            return None

    def locked(self, path: str) -> str | None:
        """As :meth:`attribute`, for reads that may hang."""
        if self._hanging >= _MOST_HANGING:
            self.unreadable[path] = "not read, because reads of other files on this node hang"
            return None
        try:
            text = self._system.get_bounded([path])[path]
        except ReadBlocked as error:
            self._hanging += 1
            self._note(path, error)
            return None
        except OSError as error:
            self._note(path, error)
            return None
        if text is None:
            self.unreadable[path] = "the kernel refuses the read"
            return None
        return _bounded(text)

    def _note(self, what: str, error: Exception) -> None:
        self.unreadable[what] = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)

    def facts(self) -> dict[str, Any] | None:
        """The facts that qat_info returns, None where they cannot be read."""
        try:
            return collect(self._system, self._files)
        except (OSError, CheckpointError) as error:
            self._note("facts", error)
            return None

    def device(self, address: str) -> dict[str, Any]:
        """What sysfs says about a PCI function."""
        path = device_path(address)
        names = set(self._system.names(path))
        found: dict[str, Any] = {name: self.attribute(f"{path}/{name}") for name in _ATTRIBUTES if name in names}
        found.update({name: self.locked(f"{path}/{name}") for name in _LOCKED if name in names})
        found.update({name: self._system.link(f"{path}/{name}") for name in _LINKS if name in names})
        for group in _GROUPS:
            for name in self._system.names(f"{path}/{group}"):
                found[f"{group}/{name}"] = self.attribute(f"{path}/{group}/{name}")
        if "resource" in names:
            found["resource_sizes"] = _sizes(self.attribute(path + "/resource") or "")
        return found

    def debugfs(self, expected: bool) -> dict[str, str]:
        """Configuration and counters of the PF drivers in debugfs, by path. ``expected``: whether the node has QAT."""
        directories = [name for name in self._system.names(_DEBUGFS) if name.startswith("qat_")]
        if expected and not directories:
            self.unreadable[_DEBUGFS] = (
                "it has no directory of a QAT driver: no PF has its driver, debugfs is not mounted, or the kernel is "
                "locked down"
            )
        paths = [f"{_DEBUGFS}/{directory}/{name}" for directory in directories for name in _DEBUGFS_FILES]
        read = {path: self.locked(path) for path in paths if self._system.exists(path)}
        return {path: text for path, text in read.items() if text is not None}

    def modules(self) -> dict[str, dict[str, Any]]:
        """The loaded modules of QAT and vfio: version, references, taint and parameters, by name."""
        names = {"intel_qat", "vfio", "vfio_pci", "vfio_iommu_type1", "usdm_drv"}
        names |= {name for family in FAMILIES for name in (family.module, family.vf_module) if name}
        return {name: self._module(name) for name in sorted(names) if self._system.exists("/sys/module/" + name)}

    def _module(self, name: str) -> dict[str, Any]:
        path = "/sys/module/" + name
        there = self._system.names(path)
        found: dict[str, Any] = {
            key: self.attribute(f"{path}/{key}") for key in ("version", "srcversion", "refcnt", "taint") if key in there
        }
        parameters = self._system.names(path + "/parameters")
        return {**found, "parameters": {key: self.attribute(f"{path}/parameters/{key}") for key in parameters}}

    def configuration(self) -> dict[str, str]:
        """Files about QAT and vfio by path, of this collection and of others. A program is a line with its checksum."""
        paths = dict.fromkeys(_FILES)
        for directory, pattern in _DIRECTORIES.items():
            names = [name for name in self._system.names(directory) if re.search(pattern, name)]
            paths.update(dict.fromkeys(f"{directory}/{name}" for name in names[:_MOST_FILES]))
        read = {path: self._file(path) for path in paths}
        return {path: text for path, text in {**read, PROGRAM: self._program()}.items() if text is not None}

    def _file(self, path: str) -> str | None:
        try:
            text = self._files.read(path)
        except OSError as error:
            self._note(path, error)
            return None
        return None if text is None else _bounded(text)

    def _program(self) -> str | None:
        try:
            data = self._files.read_bytes(PROGRAM)
        except OSError as error:
            self._note(PROGRAM, error)
            return None
        return None if data is None else f"a program, {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}\n"

    def kernel_log(self, addresses: dict[str, Any], lines: int) -> str | None:
        """What the kernel has logged about QAT, vfio and the IOMMU since it started."""
        pattern = "|".join([_KERNEL, *map(re.escape, addresses)])
        try:
            found = self._run([*_journalctl(_SEARCHED), "--dmesg", "--boot"])
        except (OSError, RuntimeError):
            found = ""  # a node without a journal: dmesg has the kernel's own buffer
        return _chosen(found, pattern, lines) if found else self.log("the kernel's log", ["dmesg"], pattern, lines)

    def log(self, what: str, command: list[str], pattern: str = "", lines: int = _SEARCHED) -> str | None:
        """The last lines of a command's output that match a pattern."""
        try:
            return _chosen(self._run(command), pattern, lines)
        except (OSError, RuntimeError) as error:
            self._note(what, error)
            return None


def _chosen(text: str, pattern: str, lines: int) -> str:
    matching = re.compile(pattern, re.IGNORECASE)
    found = [line[:_LONGEST] for line in text.splitlines() if matching.search(line)]
    return "".join(f"{line}\n" for line in found[-lines:])


def _bounded(text: str) -> str:
    """The beginning of a long text, and how many characters were left out."""
    left = len(text) - _LONGEST
    return text if left <= 0 else f"{text[:_LONGEST]}\n({left} more characters are left out)\n"


def _sizes(resources: str) -> list[int]:
    """Sizes of the BARs in bytes. Each line of ``resource`` has first address, last address and flags of one BAR."""
    found = []
    for line in resources.splitlines():
        first, last = (int(word, 16) for word in line.split()[:2])
        found.append(last - first + 1 if last else 0)
    return found
