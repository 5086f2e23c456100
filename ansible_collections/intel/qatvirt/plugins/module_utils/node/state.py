# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is: the QAT functions of a node, read once and passed on as plain data.

:func:`observe_pfs` reads; :func:`pf_from_dict` builds the same objects from facts that travelled through Ansible.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, fields, replace
from typing import Any

from .devices import VENDOR, Family, family_named, family_of_pf
from .holders import Holder, holders_of
from .pci import DEVICES, DRIVERS, device_path, vf_address
from .sysfs import System


@dataclass(frozen=True)
class Problem:
    """Something that keeps a device from being used: what was found and expected (``message``), and what to do
    (``fix``)."""

    id: str
    message: str
    fix: str


@dataclass(frozen=True)
class Vf:
    """One virtual function. ``group_members``: the other devices of its IOMMU group; ``index`` counts from 0."""

    index: int
    address: str
    device: str
    driver: str | None
    driver_override: str | None
    iommu_group: str | None
    group_members: tuple[str, ...]
    numa_node: int
    holders: tuple[Holder, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Pf:
    """One physical function with its VFs.

    ``driver_loaded``, ``vf_driver_loaded``: the family's PF and VF drivers are registered, whoever they took.
    ``vfs_possible``/``vfs_enabled``: sriov_totalvfs/sriov_numvfs. ``autoprobe``: whether the kernel binds new VFs by
    itself. ``state``,
    ``services``: the driver's ``qat/`` group, None where it has none. ``heartbeat``: ok | dead | None (not offered).
    ``offset``/``stride``: where VFs appear (routing ids).
    """

    address: str
    device: str
    family: str
    module: str
    driver: str | None
    driver_loaded: bool
    vf_driver_loaded: bool
    numa_node: int
    iommu_group: str | None
    vfs_possible: int
    vfs_enabled: int
    autoprobe: bool
    state: str | None
    services: tuple[str, ...] | None
    heartbeat: str | None
    offset: int
    stride: int
    vfs: tuple[Vf, ...]
    problems: tuple[Problem, ...]

    @property
    def kind(self) -> Family:
        return family_named(self.family)

    def expected_vf(self, index: int) -> str:
        """Address VF ``index`` has, or will have once it is enabled."""
        vf = self.vf_at(index)
        return vf.address if vf else vf_address(self.address, self.offset, self.stride, index)

    def vf_at(self, index: int) -> Vf | None:
        """VF number ``index``, None while it is not enabled."""
        return next((vf for vf in self.vfs if vf.index == index), None)

    def all_problems(self) -> tuple[Problem, ...]:
        """Its own problems and those of its VFs."""
        return self.problems + tuple(problem for vf in self.vfs for problem in vf.problems)

    def held(self) -> tuple[Vf, ...]:
        return tuple(vf for vf in self.vfs if vf.holders)


def observe_pfs(system: System, holders: dict[str, tuple[Holder, ...]]) -> tuple[Pf, ...]:
    """Every QAT PF on the node, in address order. ``holders``: of :func:`holders.find_holders`.

    Raises FileNotFoundError where sysfs is not mounted: that is not the same as no device.
    """
    if not system.exists(DEVICES):
        raise FileNotFoundError(errno.ENOENT, "sysfs is not mounted here", DEVICES)
    found = []
    for address in system.names(DEVICES):
        path = device_path(address)
        if system.get(path + "/vendor") != "0x" + VENDOR:
            continue
        device = (system.get(path + "/device") or "")[2:]
        family = family_of_pf(device)
        if family is not None:
            found.append(observe_pf(system, address, device, family, holders))
    return tuple(found)


def observe_pf(system: System, address: str, device: str, family: Family, holders: dict[str, tuple[Holder, ...]]) -> Pf:
    """One PF as it is now."""
    path = device_path(address)
    driver = system.link(path + "/driver")
    services = system.get(path + "/qat/cfg_services")
    links = _vf_links(system, path)
    numvfs = path + "/sriov_numvfs"
    locked = system.get_bounded([numvfs] + [_override_path(vf) for vf in links.values()])
    pf = Pf(
        address=address,
        device=device,
        family=family.name,
        module=family.module,
        driver=driver,
        driver_loaded=system.exists(f"{DRIVERS}/{family.pf_driver}"),
        vf_driver_loaded=bool(family.vf_driver) and system.exists(f"{DRIVERS}/{family.vf_driver}"),
        numa_node=_number(system.get(path + "/numa_node"), -1),
        iommu_group=system.link(path + "/iommu_group"),
        vfs_possible=_number(system.get(path + "/sriov_totalvfs"), 0),
        vfs_enabled=_number(locked[numvfs], 0),
        autoprobe=system.get(path + "/sriov_drivers_autoprobe") != "0",
        state=system.get(path + "/qat/state"),
        services=None if services is None else parse_services(services),
        heartbeat=_heartbeat(system, address, driver),
        offset=_number(system.get(path + "/sriov_offset"), 0),
        stride=_number(system.get(path + "/sriov_stride"), 0),
        vfs=tuple(_observe_vf(system, index, vf, locked[_override_path(vf)], holders) for index, vf in links.items()),
        problems=(),
    )
    return replace(pf, problems=tuple(_pf_problems(pf)))


def parse_services(text: str) -> tuple[str, ...]:
    """``sym;asym`` -> ("sym", "asym"), in the order the kernel printed them (which differs between kernels: compare
    as sets)."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _number(text: str | None, default: int) -> int:
    try:
        return default if text is None else int(text, 0)
    except ValueError:
        return default


def _heartbeat(system: System, address: str, driver: str | None) -> str | None:
    """The driver's own health answer (debugfs ``heartbeat/status``, Linux 6.6): 0 alive, -1 dead."""
    text = system.get(f"/sys/kernel/debug/qat_{driver}_{address}/heartbeat/status") if driver else None
    return None if text is None else ("dead" if text.startswith("-1") else "ok")


def _vf_links(system: System, path: str) -> dict[int, str]:
    """VF number -> address."""
    numbers = sorted(int(name[len("virtfn") :]) for name in system.names(path) if name.startswith("virtfn"))
    links = {number: system.link(f"{path}/virtfn{number}") for number in numbers}
    return {number: address for number, address in links.items() if address}


def _override_path(address: str) -> str:
    return device_path(address) + "/driver_override"


def _observe_vf(
    system: System, index: int, address: str, override: str | None, holders: dict[str, tuple[Holder, ...]]
) -> Vf:
    path = device_path(address)
    group = system.link(path + "/iommu_group")
    members = system.names(path + "/iommu_group/devices")
    return Vf(
        index=index,
        address=address,
        device=(system.get(path + "/device") or "")[2:],
        driver=system.link(path + "/driver"),
        driver_override=None if override in (None, "", "(null)") else override,
        iommu_group=group,
        group_members=tuple(name for name in members if name != address),
        numa_node=_number(system.get(path + "/numa_node"), -1),
        holders=holders_of(device_nodes(system, address, group), holders),
        problems=_vf_problems(address, group, members),
    )


def group_nodes(group: str | None) -> tuple[str, ...]:
    """The device nodes of a vfio group, with and without an IOMMU."""
    return ("/dev/vfio/" + group, "/dev/vfio/noiommu-" + group) if group else ()


def device_nodes(system: System, address: str, group: str | None) -> tuple[str, ...]:
    """The device nodes through which a process can use a VF: vfio group (also without IOMMU), vfio character device,
    uio."""
    path = device_path(address)
    cdevs = tuple("/dev/vfio/devices/" + name for name in system.names(path + "/vfio-dev"))
    return group_nodes(group) + cdevs + tuple("/dev/" + name for name in system.names(path + "/uio"))


def _vf_problems(address: str, group: str | None, members: list[str]) -> tuple[Problem, ...]:
    if group is None:
        return (
            Problem(
                "IOMMU",
                f"VF {address} has no IOMMU group",
                "switch VT-d on in the BIOS and the IOMMU on in the kernel (intel_iommu=on), then create the VFs again",
            ),
        )
    if len(members) > 1:
        return (
            Problem(
                "GROUP",
                "VF {0} shares IOMMU group {1} with {2}; a VF for a virtual machine must be alone in its group".format(
                    address, group, ", ".join(name for name in members if name != address)
                ),
                "enable ACS on the PCIe port above (BIOS), or move the card to a slot that isolates its functions",
            ),
        )
    return ()


def _pf_problems(pf: Pf) -> list[Problem]:
    found = []
    if pf.driver is None:
        since = pf.kind.since(pf.device)
        found.append(
            Problem(
                "UNBOUND-PF",
                f"PF {pf.address} (8086:{pf.device}) has no driver; expected {pf.kind.pf_driver} of module {pf.module}",
                "load {0} ({1}); if it is loaded, dmesg says why it refused: firmware {2} missing, or "
                "'Invalid NUMA configuration'".format(
                    pf.module,
                    f"in mainline since Linux {since}" if since else "out-of-tree package only",
                    ", ".join(pf.kind.firmware),
                ),
            )
        )
    if pf.driver is not None and pf.state not in (None, "up"):
        found.append(
            Problem(
                "PFDOWN",
                f"PF {pf.address} is {pf.state}, expected up",
                "run intel.qatvirt.qat_vf, which brings it up, and read dmesg if that fails",
            )
        )
    if pf.heartbeat == "dead":
        found.append(
            Problem(
                "PFDOWN",
                f"PF {pf.address} does not answer the driver's heartbeat",
                "restart the platform; do not use the PCI reset of a Gen4 device (erratum QAT20-41604: it then "
                "needs a power cycle)",
            )
        )
    if pf.iommu_group is None:
        found.append(
            Problem(
                "IOMMU",
                f"PF {pf.address} has no IOMMU group",
                "switch VT-d on in the BIOS and boot with intel_iommu=on (role qat_host)",
            )
        )
    if pf.vfs_possible == 0:
        found.append(
            Problem(
                "NOSRIOV",
                f"PF {pf.address} offers no VFs (sriov_totalvfs is 0 or missing)",
                "switch SR-IOV on in the BIOS; inside a virtual machine there is no PF to make VFs from",
            )
        )
    return found


def pf_from_dict(data: dict[str, Any]) -> Pf:
    """A PF from facts (lists and dicts as Ansible carries them). Raises KeyError/TypeError on facts of another
    schema."""
    values = {field.name: data[field.name] for field in fields(Pf)}
    values["services"] = None if data["services"] is None else tuple(data["services"])
    values["vfs"] = tuple(_vf_from_dict(vf) for vf in data["vfs"])
    values["problems"] = tuple(Problem(**problem) for problem in data["problems"])
    return Pf(**values)


def _vf_from_dict(data: dict[str, Any]) -> Vf:
    values = {field.name: data[field.name] for field in fields(Vf)}
    values["group_members"] = tuple(data["group_members"])
    values["holders"] = tuple(Holder(**holder) for holder in data["holders"])
    values["problems"] = tuple(Problem(**problem) for problem in data["problems"])
    return Vf(**values)
