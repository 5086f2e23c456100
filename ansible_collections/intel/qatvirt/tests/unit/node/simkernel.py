# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node in memory that answers sysfs, procfs and device nodes as Linux does.

The facts are those of the Debian kernel sources 6.1.192 and 6.12.117 (``drivers/pci/{iov,pci-driver}.c``,
``drivers/base/{bus,dd,driver}.c``, ``drivers/vfio``, ``drivers/crypto/(intel/)qat``) and, where "7.x" is said, 7.3.4.
``tests/contract`` holds this file against a real kernel.

Not modelled: VFs of host drivers taking accelerator ids, PCI reset, hot plug, no-IOMMU mode, ``new_id``.
"""

from __future__ import annotations

import errno
import fnmatch
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.intel.qatvirt.plugins.module_utils.node.devices import Family, family_of_pf
from ansible_collections.intel.qatvirt.plugins.module_utils.node.pci import vf_address
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import (
    READ_TIMEOUT,
    ReadBlocked,
    System,
    WriteBlocked,
)
from ansible_collections.intel.qatvirt.tests.unit.node.simfs import File, Link, Tree, error

DEVICES = "/sys/bus/pci/devices"
DRIVERS = "/sys/bus/pci/drivers"
GROUPS = "/sys/kernel/iommu_groups"
VFIO = "vfio-pci"
PRINT_ORDER = ("asym", "sym", "dc", "decomp", "dcc")
"""Bit order of ``enum adf_base_services`` in which 7.x prints services (adf_cfg_services.c, Linux 7.3)."""


class Killed(BaseException):
    """The process under test was killed here (nothing of it may run on, so no ``except Exception`` sees this)."""


class Hang(BaseException):
    """A read that would never come back: a blocked writer holds the lock of the device."""


@dataclass(frozen=True)
class Release:
    """How a kernel behaves.

    ``services``: what cfg_services takes, None: any order is parsed and printed in bit order. ``numvfs_disables``:
    ``sriov_numvfs`` 0 works (6.1: EINVAL "Already enabled for this device"). ``state_repeats``: ``down`` when down is
    a no-op (6.1: EINVAL; ``up`` when up is a no-op everywhere). ``needs_iommu``: VFs without an IOMMU are refused.
    ``failed_enable_sticks``: after a failed bring-up inside ``sriov_numvfs`` the driver believes it has VFs and
    answers EINVAL until it was up and down again (6.1 leaves ``pf.vf_info`` allocated). ``override_locked``:
    ``driver_override`` takes the device lock, so it hangs while that device cannot be unbound. ``heartbeat``: debugfs
    has it.
    """

    name: str
    services: frozenset[str] | None
    numvfs_disables: bool
    state_repeats: bool
    needs_iommu: bool
    failed_enable_sticks: bool
    override_locked: bool
    heartbeat: bool


_SERVICES_6_12 = frozenset(
    ["sym;asym", "asym;sym", "dc", "dcc", "sym", "asym", "dc;asym", "asym;dc", "dc;sym", "sym;dc"]
)

RELEASES = {
    release.name: release
    for release in (
        Release("6.1", frozenset(("sym;asym", "dc")), False, False, False, True, True, False),
        Release("6.12", _SERVICES_6_12, True, True, False, False, False, True),
        Release("7.3", None, True, True, True, False, False, True),
    )
}


@dataclass(frozen=True)
class PfSpec:
    """A PF to build a node with. ``totalvfs``: None for as many as the family has. ``isolated``: False where the port
    above isolates nothing (no ACS), so that all VFs of the PF are in one IOMMU group."""

    address: str = "0000:6b:00.0"
    device: str = "4940"
    totalvfs: int | None = None
    offset: int = 1
    stride: int = 1
    numa: int = 0
    isolated: bool = True


@dataclass
class Function:
    """A PCI function. ``locked``: a writer waits inside the kernel with its device lock held."""

    address: str
    device: str
    numa: int
    group: str | None = None
    driver: str | None = None
    override: str | None = None
    vfio: str | None = None
    binds: int = 0
    unbinds: int = 0
    locked: bool = False


@dataclass
class Vf(Function):
    """A VF. ``generation``: number of the VF among all that the kernel ever made, so that a VF which went and came back
    has another number."""

    pf: Pf | None = None
    index: int = 0
    generation: int = 0


@dataclass
class Pf(Function):
    spec: PfSpec = field(default_factory=PfSpec)
    family: Family | None = None
    totalvfs: int = 0
    numvfs: int = 0
    vfs: dict[int, Vf] = field(default_factory=dict)
    autoprobe: bool = True
    up: bool = False
    services: str = ""
    accel: int | None = None
    vf_table: bool = False
    waiting: bool = False
    dead: bool = False


@dataclass(frozen=True)
class Driver:
    """A PCI driver: ``probe`` raises OSError to refuse, ``remove`` undoes it, ``ids`` are the device ids it takes by
    itself."""

    name: str
    module: str
    ids: set[str]
    probe: Callable[[Function], None]
    remove: Callable[[Function], None]


@dataclass
class Fault:
    op: str
    pattern: str
    code: int
    times: int


class Grip:
    """What :meth:`SimKernel.claim` returns."""

    def __init__(self, release: Callable[[], None]) -> None:
        self.release = release


class SimKernel(System):
    """A node. Build it, ``load`` modules, then give it to the code under test as its :class:`System`."""

    def __init__(
        self,
        pfs: tuple[PfSpec, ...] = (PfSpec(),),
        release: str = "6.12",
        iommu: bool = True,
        modules: tuple[str, ...] = ("qat_4xxx", "qat_420xx", "qat_6xxx", "qat_c62x", "vfio_pci"),
        disable_denylist: bool = False,
        vfio_ids: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.release = RELEASES[release]
        self.iommu = iommu
        self.disable_denylist = disable_denylist
        self.vfio_ids = vfio_ids
        self.busy: set[str] = set()
        """Addresses of PFs with a user inside the kernel (dm-crypt, IPsec …)."""
        self.fail_up: dict[str, int] = {}
        """By PF address, how many of the next bring-ups fail."""
        self.torn: list[tuple[str, str]] = []
        """(VF address, path) of writes that asked the kernel to take away a held VF, which must never happen."""
        self.writes: list[tuple[str, str]] = []
        """Every write that reached the kernel."""
        self.interrupt: Callable[[], None] = lambda: None
        """Called before every write and claim: other actors of the node."""
        self.clock = 0.0
        self._kill_in: int | None = None
        self._kill_after = False
        self._faults: list[Fault] = []
        self._tree = Tree()
        self._functions: dict[str, Function] = {}
        self._drivers: dict[str, Driver] = {}
        self._generation = 0
        self._open: dict[str, object] = {}
        """By open vfio group, the pid of the process or the token of the claim that has it open."""
        self._users: dict[str, int] = {}
        """By VF, the pid of the process that took the device out of its group."""
        self._blocked: dict[str, Callable[[], None]] = {}
        self._plant()
        for spec in sorted(pfs, key=lambda spec: spec.address):
            self._add_pf(spec)
        for module in modules:
            self.load(module)

    def __repr__(self) -> str:
        """The state in a few lines, for the reports of hypothesis."""
        lines = [f"SimKernel {self.release.name} iommu={self.iommu} drivers={sorted(self._drivers)}"]
        for pf in self.pfs():
            lines.append(
                f"{pf.address} {pf.device} driver={pf.driver} up={pf.up} {pf.services!r} autoprobe={pf.autoprobe}"
            )
            for vf in pf.vfs.values():
                held = " held" if self.held(vf.address) else ""
                lines.append(f"  {vf.address} driver={vf.driver} override={vf.override}{held}")
        return "\n".join(lines)

    # -- System -------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> str:
        self._maybe_fail("read", path)
        node = self._tree.find(path)
        if isinstance(node, dict):
            raise error(errno.EISDIR, path)
        if node.show is None:
            raise error(errno.EACCES, path)
        return node.show().rstrip()

    def target(self, path: str) -> str | None:
        try:
            node = self._tree.find(path, follow=False)
        except OSError:
            return None
        return node.target if isinstance(node, Link) else None

    def names(self, path: str) -> list[str]:
        try:
            node = self._tree.find(path)
        except OSError:
            return []
        return sorted(node) if isinstance(node, dict) else []

    def exists(self, path: str) -> bool:
        try:
            self._tree.find(path)
        except OSError:
            return False
        return True

    def write(self, path: str, value: str, timeout: float = 60.0) -> None:
        self.interrupt()
        self._kill(after=False)
        self._maybe_fail("write", path)
        self._store(path, value, timeout)
        self._kill(after=True)

    def _store(self, path: str, value: str, timeout: float) -> None:
        node = self._tree.find(path)
        if isinstance(node, dict):
            raise error(errno.EISDIR, path)
        if node.store is None:
            raise error(errno.EACCES, path)
        self.writes.append((path, value))
        if not value:
            return  # sysfs_kf_write (fs/sysfs/file.c): a write of no bytes never reaches the attribute
        try:
            node.store(value)
        except _Blocked as blocked:
            self.torn.append((blocked.vf, path))
            raise WriteBlocked(path, value, timeout, 4242) from None
        except OSError as refused:
            raise error(refused.errno, path) from None

    def claim(self, path: str) -> Grip:
        """Open a vfio group. EBUSY when anybody has it open (vfio_group_fops_open, drivers/vfio/group.c)."""
        self.interrupt()
        self._maybe_fail("claim", path)
        self._tree.find(path)
        if path in self._open:
            raise error(errno.EBUSY, path)
        token = object()
        self._open[path] = token

        def release() -> None:
            if self._open.get(path) is token:
                del self._open[path]

        return Grip(release)

    def get_bounded(self, paths: list[str], timeout: float = READ_TIMEOUT) -> dict[str, str | None]:
        """A read that would hang is given up on, without waiting and without the child process of the real one."""
        found = {}
        for path in paths:
            try:
                found[path] = self.get(path)
            except Hang:
                raise ReadBlocked(path, timeout) from None
        return found

    def wait(self, seconds: float) -> None:
        self.clock += seconds

    def load_module(self, name: str) -> None:
        """modprobe of a module that the node has."""
        self.load(name.replace("-", "_"))

    # -- what tests do to the node ------------------------------------------------------------------------------------

    def fail(self, pattern: str, code: int, times: int = 1, op: str = "write") -> None:
        """The next ``times`` writes (``op``: read, write or claim) to a path like ``pattern`` (fnmatch) fail with
        ``code``."""
        self._faults.append(Fault(op, pattern, code, times))

    def kill(self, write: int, after: bool = False) -> None:
        """Die at the ``write``-th write from now (from 1), before it or just ``after`` it was done."""
        self._kill_in, self._kill_after = write, after

    def survive(self) -> None:
        """Take back :meth:`kill`; a killed process has let go of what it had claimed."""
        self._kill_in = None
        self._open = {path: owner for path, owner in self._open.items() if isinstance(owner, int)}

    def add_file(self, path: str, text: str) -> None:
        """A plain readable file."""
        self._tree.put(path, File(show=lambda: text))

    def save(self, directory: Path) -> None:
        """The node's files on disk, as they read now, for code that must read real ones."""
        self._tree.save(directory)

    def pf(self, address: str = "0000:6b:00.0") -> Pf:
        found = self._functions[address]
        assert isinstance(found, Pf)
        return found

    def pfs(self) -> list[Pf]:
        return [function for function in self._functions.values() if isinstance(function, Pf)]

    def vfs(self) -> list[Vf]:
        return [function for function in self._functions.values() if isinstance(function, Vf)]

    def vf(self, address: str) -> Vf:
        found = self._functions[address]
        assert isinstance(found, Vf)
        return found

    def touched(self) -> dict[str, tuple[int, int, int]]:
        """VF address -> (generation, binds, unbinds): equal before and after means nobody touched that VF."""
        return {vf.address: (vf.generation, vf.binds, vf.unbinds) for vf in self.vfs()}

    def node_of(self, address: str) -> str:
        """The vfio group node of a function."""
        return f"/dev/vfio/{self._functions[address].group}"

    def held(self, address: str) -> bool:
        """Whether a process (not only a claim) has the group of the VF open."""
        return isinstance(self._open.get(self.node_of(address)), int)

    def claimed(self, address: str) -> bool:
        """Whether the code under test has claimed the VF."""
        owner = self._open.get(self.node_of(address))
        return owner is not None and not isinstance(owner, int)

    def start(self, pid: int, command: str, cmdline: str = "", pod: str | None = None) -> None:
        """A process appears below /proc."""
        cgroup = "0::/kubepods.slice/kubepods-pod{}.slice/x".format(pod.replace("-", "_")) if pod else "0::/user.slice"
        for name, text in (("comm", command), ("cmdline", cmdline or command), ("cgroup", cgroup)):
            self.add_file(f"/proc/{pid}/{name}", text)
        self._tree.mkdir(f"/proc/{pid}/fd")

    def open(self, pid: int, fd: int, target: str) -> None:
        """An entry of a process's /proc/<pid>/fd, and nothing more."""
        self._tree.put(f"/proc/{pid}/fd/{fd}", Link(target))

    def hold(
        self, address: str, pid: int = 1000, command: str = "qemu-system-x86", cmdline: str = "", pod: str | None = None
    ) -> None:
        """A process opens a VF's vfio group and gets the device from it. ENOENT: not on vfio-pci, EBUSY: somebody has
        it."""
        node = self.node_of(address)
        self._tree.find(node)
        if node in self._open:
            raise error(errno.EBUSY, node)
        self._open[node] = pid
        self._users[address] = pid
        if not self.exists(f"/proc/{pid}"):
            self.start(pid, command, cmdline, pod)
        self.open(pid, len(self.names(f"/proc/{pid}/fd")) + 3, node)

    def exit(self, pid: int) -> None:
        """A process ends: what it held is free, and what the kernel had to wait for goes on."""
        self._tree.drop(f"/proc/{pid}")
        self._open = {path: owner for path, owner in self._open.items() if owner != pid}
        for vf in [vf for vf, user in self._users.items() if user == pid]:
            del self._users[vf]
            go_on = self._blocked.pop(vf, None)
            if go_on:
                with suppress(OSError, _Blocked):
                    go_on()

    def load(self, module: str) -> None:
        """modprobe: the driver appears and takes what it matches."""
        self._tree.mkdir("/sys/module/" + module)
        if module == "vfio_pci":
            self._tree.put(
                "/sys/module/vfio_pci/parameters/disable_denylist",
                File(show=lambda: "Y" if self.disable_denylist else "N"),
            )
        for driver in self._drivers_of(module):
            self._register(driver)
        for function in list(self._functions.values()):
            self._probe_any(function)

    def unload(self, module: str) -> None:
        """rmmod: every device of its drivers is unbound. A held VF must not be among them."""
        for driver in [driver for driver in self._drivers.values() if driver.module == module]:
            for function in [function for function in self._functions.values() if function.driver == driver.name]:
                self._unbind(function)
            del self._drivers[driver.name]
            self._tree.drop(f"{DRIVERS}/{driver.name}")
        self._tree.drop("/sys/module/" + module)

    def reboot(self) -> SimKernel:
        """The same hardware after a boot that loads the same modules: nothing of the configuration is left."""
        modules = tuple(dict.fromkeys(driver.module for driver in self._drivers.values()))
        specs = tuple(pf.spec for pf in self.pfs())
        return SimKernel(specs, self.release.name, self.iommu, modules, self.disable_denylist, self.vfio_ids)

    # -- faults -------------------------------------------------------------------------------------------------------

    def _kill(self, after: bool) -> None:
        if self._kill_in is None or after != self._kill_after:
            return
        self._kill_in -= 1
        if self._kill_in == 0:
            raise Killed

    def _maybe_fail(self, op: str, path: str) -> None:
        for fault in self._faults:
            if fault.op == op and fault.times and fnmatch.fnmatchcase(path, fault.pattern):
                fault.times -= 1
                raise error(fault.code, path)

    # -- hardware -----------------------------------------------------------------------------------------------------

    def _plant(self) -> None:
        """What a node has before any device."""
        for path in (DEVICES, DRIVERS, GROUPS, "/sys/class/iommu", "/proc", "/dev/vfio"):
            self._tree.mkdir(path)
        if self.iommu:
            self._tree.put("/sys/class/iommu/dmar0", Link("../../devices/virtual/iommu/dmar0"))
        self._tree.put("/dev/vfio/vfio", File(show=str))
        self._tree.put("/sys/bus/pci/drivers_probe", File(store=self._store_drivers_probe))

    def _add_pf(self, spec: PfSpec) -> None:
        family = family_of_pf(spec.device)
        total = family.max_vfs if spec.totalvfs is None else spec.totalvfs
        pf = Pf(spec.address, spec.device, spec.numa, spec=spec, family=family, totalvfs=total)
        self._add_function(pf)
        if total:
            self._add_sriov(pf)

    def _add_sriov(self, pf: Pf) -> None:
        """The attributes of a function with the SR-IOV capability (sriov_vf_attrs_are_visible)."""
        for name, file in {
            "sriov_totalvfs": File(lambda: str(pf.totalvfs)),
            "sriov_numvfs": File(lambda: self._show_numvfs(pf), lambda text: self._store_numvfs(pf, text)),
            "sriov_offset": File(lambda: str(pf.spec.offset)),
            "sriov_stride": File(lambda: str(pf.spec.stride)),
            "sriov_vf_device": File(lambda: pf.family.vf_of(pf.device)),
            "sriov_drivers_autoprobe": File(
                lambda: str(int(pf.autoprobe)), lambda text: self._store_autoprobe(pf, text)
            ),
        }.items():
            self._tree.put(f"{_directory(pf)}/{name}", file)

    def _add_function(self, function: Function) -> None:
        self._functions[function.address] = function
        directory = _directory(function)
        for name, file in {
            "vendor": File(lambda: "0x8086"),
            "device": File(lambda: "0x" + function.device),
            "class": File(lambda: "0x0b4000"),
            "numa_node": File(lambda: str(function.numa)),
            "driver_override": File(
                lambda: self._show_override(function), lambda text: self._store_override(function, text)
            ),
        }.items():
            self._tree.put(f"{directory}/{name}", file)
        self._tree.put(f"{DEVICES}/{function.address}", Link("../../../" + _below_sys(function)))
        if self.iommu:
            self._join_group(function)

    def _join_group(self, function: Function) -> None:
        """A group of its own, with the lowest free number (ida, drivers/iommu/iommu.c), or that of the VFs before."""
        used = self._tree.mkdir(GROUPS)
        function.group = next(str(number) for number in range(len(used) + 1) if str(number) not in used)
        if isinstance(function, Vf) and not function.pf.spec.isolated:
            function.group = function.pf.vfs[0].group or function.group
        self._tree.put(
            f"{GROUPS}/{function.group}/devices/{function.address}", Link("../../../../" + _below_sys(function))
        )
        self._tree.put(_directory(function) + "/iommu_group", Link("../../../kernel/iommu_groups/" + function.group))

    def _remove_function(self, function: Function) -> None:
        self._unbind(function)
        self._tree.drop(f"{DEVICES}/{function.address}")
        self._tree.drop(_directory(function))
        if function.group:
            self._tree.drop(f"{GROUPS}/{function.group}/devices/{function.address}")
            if not self.names(f"{GROUPS}/{function.group}/devices"):
                self._tree.drop(f"{GROUPS}/{function.group}")
        del self._functions[function.address]

    # -- drivers (drivers/base/dd.c, drivers/pci/pci-driver.c) --------------------------------------------------------

    def _drivers_of(self, module: str) -> list[Driver]:
        if module == "vfio_pci":
            return [Driver(VFIO, module, set(self.vfio_ids), self._probe_vfio, self._remove_vfio)]
        families = {pf.family.name: pf.family for pf in self.pfs()}.values()
        pf_drivers: dict[str, set[str]] = {}
        vf_drivers: dict[str, set[str]] = {}
        for family in families:
            if family.module == module:
                pf_drivers.setdefault(family.pf_driver, set()).update(family.pf)
            if family.vf_module == module:
                vf_drivers.setdefault(family.vf_driver, set()).update(family.vf)
        return [Driver(name, module, ids, self._probe_pf, self._remove_pf) for name, ids in pf_drivers.items()] + [
            Driver(name, module, ids, _accept, _accept) for name, ids in vf_drivers.items()
        ]

    def _register(self, driver: Driver) -> None:
        self._drivers[driver.name] = driver
        directory = f"{DRIVERS}/{driver.name}"
        self._tree.put(directory + "/bind", File(store=lambda text: self._store_bind(driver, text)))
        self._tree.put(directory + "/unbind", File(store=lambda text: self._store_unbind(driver, text)))
        self._tree.put(directory + "/module", Link("../../../../module/" + driver.module))

    def _matches(self, driver: Driver, function: Function) -> bool:
        """pci_match_device: an override names the only driver that may match, and makes it match."""
        if function.override is not None:
            return function.override == driver.name
        return function.device in driver.ids

    def _probe_any(self, function: Function) -> None:
        """device_attach: refusals of a driver are swallowed, the device stays unbound."""
        for driver in self._drivers.values():
            if function.driver is None and self._matches(driver, function):
                with suppress(OSError):
                    self._bind(driver, function)

    def _bind(self, driver: Driver, function: Function) -> None:
        if isinstance(function, Vf) and not function.pf.autoprobe and function.override is None:
            raise OSError(errno.ENODEV, "pci_device_can_probe")
        driver.probe(function)
        function.driver = driver.name
        function.binds += 1
        self._tree.put(f"{_directory(function)}/driver", Link("../../../bus/pci/drivers/" + driver.name))
        self._tree.put(f"{DRIVERS}/{driver.name}/{function.address}", Link("../../../../" + _below_sys(function)))

    def _unbind(self, function: Function) -> None:
        """__device_release_driver: the links go first, then the driver lets go, which may take its time."""
        if function.driver is None:
            return
        name = function.driver
        self._tree.drop(f"{_directory(function)}/driver")
        self._tree.drop(f"{DRIVERS}/{name}/{function.address}")
        self._drivers[name].remove(function)
        function.driver = None
        function.unbinds += 1

    def _named(self, text: str) -> Function:
        function = self._functions.get(text.strip())
        if function is None:
            raise OSError(errno.ENODEV, text)
        return function

    def _store_drivers_probe(self, text: str) -> None:
        self._probe_any(self._named(text))

    def _store_bind(self, driver: Driver, text: str) -> None:
        function = self._named(text)
        if not self._matches(driver, function):
            raise OSError(errno.ENODEV, text)
        if function.driver is not None:
            raise OSError(errno.EBUSY, text)
        self._bind(driver, function)

    def _store_unbind(self, driver: Driver, text: str) -> None:
        function = self._named(text)
        if function.driver != driver.name:
            raise OSError(errno.ENODEV, text)
        self._until_done(lambda: self._unbind(function))

    def _show_override(self, function: Function) -> str:
        if function.locked and self.release.override_locked:
            raise Hang(function.address)
        return "(null)" if function.override is None else function.override

    def _store_override(self, function: Function, text: str) -> None:
        """Up to the first newline; a newline alone clears it (driver_set_override, drivers/base/driver.c)."""
        function.override = text.split("\n", 1)[0] or None

    # -- vfio (drivers/vfio) ------------------------------------------------------------------------------------------

    def _probe_vfio(self, function: Function) -> None:
        family = function.family if isinstance(function, Pf) else function.pf.family
        if family.denylist and not self.disable_denylist:
            raise OSError(errno.EINVAL, "exists in vfio-pci device denylist")
        if function.group is None:
            raise OSError(errno.EINVAL, "no IOMMU group")
        used = {other.vfio for other in self._functions.values()}
        function.vfio = next(name for name in (f"vfio{number}" for number in range(len(used) + 1)) if name not in used)
        self._tree.mkdir(f"{_directory(function)}/vfio-dev/{function.vfio}")
        self._tree.put("/dev/vfio/" + function.group, File(show=str))

    def _remove_vfio(self, function: Function) -> None:
        """vfio_unregister_group_dev waits without limit for the last user of the device (drivers/vfio/vfio_main.c). An
        open group without a device taken from it, which is what a claim is, does not make it wait (Linux 6.1 and
        6.12)."""
        function.locked = function.address in self._users
        if function.locked:
            raise _Blocked(function.address)
        function.vfio = None
        self._tree.drop(_directory(function) + "/vfio-dev")
        if not any(other.vfio for other in self._functions.values() if other.group == function.group):
            node = self.node_of(function.address)
            self._tree.drop(node)
            self._open.pop(node, None)  # whoever has it open has a group without devices; a new one may get its number

    # -- SR-IOV (drivers/pci/iov.c) and the PF driver (drivers/crypto/intel/qat/qat_common) ---------------------------

    def _show_numvfs(self, pf: Pf) -> str:
        if pf.locked:
            raise Hang(f"reading sriov_numvfs of {pf.address}")
        return str(pf.numvfs)

    def _store_numvfs(self, pf: Pf, text: str) -> None:
        number = _u16(text)
        if number > pf.totalvfs:
            raise OSError(errno.ERANGE, text)
        self._queue_behind(pf)
        if number == pf.numvfs:
            return
        if pf.driver != pf.family.pf_driver:
            raise OSError(errno.ENOENT, "no driver bound that can configure SR-IOV")
        if number and pf.numvfs:
            raise OSError(errno.EBUSY, "VFs already enabled")
        if number:
            self._enable_vfs(pf)
        else:
            self._disable_vfs(pf)

    def _enable_vfs(self, pf: Pf) -> None:
        """adf_sriov_configure with a number: the number is ignored, all VFs are made and the PF is up afterwards."""
        if self.release.needs_iommu and pf.group is None:
            raise OSError(errno.EINVAL, "no IOMMU")
        if pf.vf_table:
            raise OSError(errno.EINVAL, "Already enabled for this device")
        if pf.up:
            self._refuse_busy(pf)
            self._take_down(pf)
        pf.vf_table = self.release.failed_enable_sticks
        self._bring_up(pf)
        pf.vf_table = True
        for index in range(pf.totalvfs):
            self._add_vf(pf, index)
        pf.numvfs = pf.totalvfs

    def _disable_vfs(self, pf: Pf) -> None:
        """adf_sriov_configure with 0: down, which removes the VFs, and up again. If that fails the PF stays down."""
        if not self.release.numvfs_disables:
            raise OSError(errno.EINVAL, "Already enabled for this device")
        self._refuse_busy(pf)

        def work() -> None:
            pf.locked = True
            self._take_down(pf)
            pf.locked = False
            self._bring_up(pf)

        self._until_done(work)

    def _take_down(self, pf: Pf) -> None:
        """adf_dev_stop: the PF is not started any more, then its VFs go, in order, each waiting for its user."""
        pf.up = False
        self._tree.drop(_heartbeat(pf))
        pf.waiting = True
        for index in sorted(pf.vfs):
            self._tree.drop(f"{_directory(pf)}/virtfn{index}")
            self._remove_function(pf.vfs[index])
            del pf.vfs[index]
        pf.waiting = False
        pf.numvfs = 0
        pf.vf_table = False

    def _bring_up(self, pf: Pf) -> None:
        if self.fail_up.get(pf.address):
            self.fail_up[pf.address] -= 1
            raise OSError(errno.EFAULT, "adf_dev_up")
        pf.up = True
        if self.release.heartbeat:
            self._tree.put(_heartbeat(pf) + "/heartbeat/status", File(lambda: "-1" if pf.dead else "0"))

    def _add_vf(self, pf: Pf, index: int) -> None:
        address = vf_address(pf.address, pf.spec.offset, pf.spec.stride, index)
        self._generation += 1
        vf = Vf(address, pf.family.vf_of(pf.device), pf.numa, pf=pf, index=index, generation=self._generation)
        pf.vfs[index] = vf
        self._add_function(vf)
        self._tree.put(f"{_directory(pf)}/virtfn{index}", Link("../" + address))
        self._tree.put(f"{_directory(vf)}/physfn", Link("../" + pf.address))
        self._probe_any(vf)

    def _store_autoprobe(self, pf: Pf, text: str) -> None:
        pf.autoprobe = _bool(text)

    def _refuse_busy(self, pf: Pf) -> None:
        if pf.address in self.busy:
            raise OSError(errno.EBUSY, "Device busy")

    # -- the driver's qat/ group (adf_sysfs.c) ------------------------------------------------------------------------

    def _probe_pf(self, pf: Function) -> None:
        """Up with default services; the accelerator number is the lowest free one (adf_dev_mgr.c) and decides the
        default."""
        assert isinstance(pf, Pf)
        used = {other.accel for other in self.pfs()}
        pf.accel = next(number for number in range(len(used) + 1) if number not in used)
        try:
            self._bring_up(pf)
        except OSError:
            pf.accel = None
            raise
        if pf.family.sysfs:
            pf.services = "dc" if pf.accel % 2 else "sym;asym"
            group = _directory(pf) + "/qat/"
            self._tree.put(
                group + "state", File(lambda: "up" if pf.up else "down", lambda text: self._store_state(pf, text))
            )
            self._tree.put(
                group + "cfg_services", File(lambda: pf.services, lambda text: self._store_services(pf, text))
            )

    def _remove_pf(self, pf: Function) -> None:
        assert isinstance(pf, Pf)
        self._take_down(pf)
        pf.accel = None
        self._tree.drop(_directory(pf) + "/qat")

    def _store_state(self, pf: Pf, text: str) -> None:
        self._refuse_busy(pf)
        wanted = text.rstrip("\n")
        if wanted == "up":
            self._queue_behind(pf)
            if not pf.up:
                self._bring_up(pf)
        elif wanted == "down" and pf.up:
            self._until_done(lambda: self._take_down(pf))
        elif wanted != "down" or not self.release.state_repeats:
            raise OSError(errno.EINVAL, text)

    def _store_services(self, pf: Pf, text: str) -> None:
        services = self._accepted(pf.family, text.rstrip("\n"))
        if pf.up:
            raise OSError(errno.EINVAL, "must be down to reconfigure the service")
        pf.services = services

    def _accepted(self, family: Family, text: str) -> str:
        """What cfg_services would store for ``text``. Raises EINVAL."""
        if self.release.services is not None:
            if text in self.release.services:
                return text
            raise OSError(errno.EINVAL, text)
        names = text.split(";")
        alone = "dcc" not in names or len(names) == 1
        if alone and len(set(names)) == len(names) <= family.max_services and set(names) <= set(family.services):
            return ";".join(name for name in PRINT_ORDER if name in names)
        raise OSError(errno.EINVAL, text)

    # -- waiting inside the kernel ------------------------------------------------------------------------------------

    def _until_done(self, work: Callable[[], None]) -> None:
        """Do ``work``. When it has to wait for the user of a VF the writer blocks, and the rest is done once that user
        is gone."""
        try:
            work()
        except _Blocked as blocked:
            self._blocked[blocked.vf] = lambda: self._until_done(work)
            raise

    def _queue_behind(self, pf: Pf) -> None:
        """Another writer waits inside the kernel with the lock that this one needs."""
        if pf.waiting:
            raise _Blocked(next(vf.address for vf in pf.vfs.values() if vf.locked))


class _Blocked(Exception):
    """The writer waits inside the kernel for the user of ``vf``."""

    def __init__(self, vf: str) -> None:
        super().__init__(vf)
        self.vf = vf


def _directory(function: Function) -> str:
    """The directory of a function."""
    return "/sys/" + _below_sys(function)


def _below_sys(function: Function) -> str:
    """Where a function is below /sys: VFs beside their PF, as children of the port above."""
    pf = function.pf if isinstance(function, Vf) else function
    return "devices/pci{}/{}".format(pf.address.rsplit(":", 1)[0], function.address)


def _heartbeat(pf: Pf) -> str:
    return f"/sys/kernel/debug/qat_{pf.family.pf_driver}_{pf.address}"


def _accept(_function: Function) -> None:
    """Probe and remove of a driver that has nothing to do here."""


def _u16(text: str) -> int:
    """kstrtou16(text, 0, …)."""
    try:
        number = int(text, 0)
    except ValueError:
        raise OSError(errno.EINVAL, text) from None
    if not 0 <= number <= 0xFFFF:
        raise OSError(errno.EINVAL, text)
    return number


def _bool(text: str) -> bool:
    """kstrtobool."""
    for value, starts in ((True, ("y", "t", "1", "on")), (False, ("n", "f", "0", "of"))):
        if text.lower().startswith(starts):
            return value
    raise OSError(errno.EINVAL, text)
