# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the QAT functions of a node and its vfio-pci into ``model.py``'s data. Reads only, through the System it is
given."""

from __future__ import annotations

import errno
from dataclasses import replace

from .devices import VENDOR, Family, family_of_pf
from .holders import find_holders, holders_of
from .model import ENABLE_IOMMU, Holder, Pf, Problem, Vf, Vfio, group_nodes, parse_services
from .pci import DEVICES, DRIVERS, device_path
from .sysfs import System

_DENYLIST = "/sys/module/vfio_pci/parameters/disable_denylist"


def observe(system: System) -> tuple[tuple[Pf, ...], Vfio]:
    """The PFs of the node and its vfio-pci."""
    return observe_pfs(system, find_holders(system)), observe_vfio(system)


def observe_vfio(system: System) -> Vfio:
    """The denylist and its switch came with Linux 5.9 (``drivers/vfio/pci/vfio_pci.c``); a kernel without the switch
    has no denylist."""
    text = system.get(_DENYLIST)
    return Vfio(system.exists(DRIVERS + "/vfio-pci"), None if text is None else text == "Y")


def observe_pfs(system: System, holders: dict[str, tuple[Holder, ...]]) -> tuple[Pf, ...]:
    """Every QAT PF of the node, in address order. ``holders``: as :func:`holders.find_holders` returns them.

    Raises FileNotFoundError where sysfs is not mounted: a node whose devices cannot be read is no node without devices.
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
    """One PF as it is now. ``device``, ``family``: of the PF at ``address``."""
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


def _number(text: str | None, default: int) -> int:
    try:
        return default if text is None else int(text, 0)
    except ValueError:
        return default


def _heartbeat(system: System, address: str, driver: str | None) -> str | None:
    """What the driver says of the device's health (debugfs ``heartbeat/status``, Linux 6.6): 0 alive, -1 dead."""
    text = system.get(f"/sys/kernel/debug/qat_{driver}_{address}/heartbeat/status") if driver else None
    return None if text is None else ("dead" if text.startswith("-1") else "ok")


def _vf_links(system: System, path: str) -> dict[int, str]:
    """Addresses of the VFs by VF number."""
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


def device_nodes(system: System, address: str, group: str | None) -> tuple[str, ...]:
    """The device nodes through which a process can use a VF: vfio group (also without an IOMMU), vfio character device,
    uio device."""
    path = device_path(address)
    cdevs = tuple("/dev/vfio/devices/" + name for name in system.names(path + "/vfio-dev"))
    return group_nodes(group) + cdevs + tuple("/dev/" + name for name in system.names(path + "/uio"))


def _vf_problems(address: str, group: str | None, members: list[str]) -> tuple[Problem, ...]:
    if group is None:
        return (
            Problem(
                "IOMMU",
                f"VF {address} has no IOMMU group",
                f"{ENABLE_IOMMU}, then create the VFs again",
            ),
        )
    if len(members) > 1:
        return (
            Problem(
                "GROUP",
                "VF {0} shares IOMMU group {1} with {2}; a VF for a virtual machine must be alone in its group".format(
                    address, group, ", ".join(name for name in members if name != address)
                ),
                "enable ACS on the PCIe port above the device (BIOS), or move the card to a slot that isolates them",
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
                "load {0} ({1}); where it is loaded, dmesg says why it refused the PF: firmware {2} missing, or "
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
                "run intel.qatvirt.qat_vf, which brings the PF up, and read dmesg where that fails",
            )
        )
    if pf.heartbeat == "dead":
        found.append(
            Problem(
                "PFDOWN",
                f"PF {pf.address} does not answer the driver's heartbeat",
                "restart the platform; do not use the PCI reset of a Gen4 device (erratum QAT20-41604: the device then "
                "needs a power cycle)",
            )
        )
    if pf.iommu_group is None:
        found.append(
            Problem(
                "IOMMU",
                f"PF {pf.address} has no IOMMU group",
                ENABLE_IOMMU,
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
