# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node as data: its PFs and VFs, the processes that hold VFs, and the problems found. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import InputError
from .devices import Family, family_named
from .pci import vf_address

SCHEMA = 2
"""Version of the facts that qat_info returns."""
ENABLE_VTD = "switch VT-d on in the BIOS"
"""What to do where the firmware keeps the IOMMU off."""
ENABLE_IOMMU = f"{ENABLE_VTD} and boot with intel_iommu=on (role qat_host)"
"""What to do where the IOMMU is off, and nothing says whether the firmware or the kernel keeps it off."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps a device from being used.

    ``id``: id of the check in docs/checks.md that reports the problem, where there is one. ``message``: what was found
    and what was expected. ``fix``: what to do.
    """

    id: str
    message: str
    fix: str

    def as_data(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Holder:
    """A process with a device node open. ``path``: the device node. ``pod``: uid of the process's Kubernetes pod,
    ``guest``: name of its virtual machine; both None where unknown."""

    pid: int
    command: str
    path: str
    pod: str | None = None
    guest: str | None = None

    def __str__(self) -> str:
        text = f"{self.command} (pid {self.pid}"
        if self.guest:
            text += f", virtual machine {self.guest}"
        if self.pod:
            text += f", pod uid {self.pod}"
        return text + ")"


@dataclass(frozen=True)
class Vf:
    """One virtual function. ``index``: its number, from 0. ``group_members``: addresses of the other devices in its
    IOMMU group."""

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

    def held_by(self) -> str:
        """A sentence that names the VF and its holders."""
        return "VF {0} is held by {1}".format(self.address, ", ".join(str(holder) for holder in self.holders))


@dataclass(frozen=True)
class Pf:
    """One physical function with its VFs.

    ``driver_loaded``, ``vf_driver_loaded``: whether the family's PF and VF drivers are registered, bound to this device
    or not. ``vfs_possible``: sriov_totalvfs. ``vfs_enabled``: sriov_numvfs. ``autoprobe``: whether the kernel binds new
    VFs by itself. ``state``, ``services``: of the driver's ``qat/`` group, None where the driver has no such group.
    ``heartbeat``: ok, dead, or None where the driver offers none. ``offset``, ``stride``: routing ids of the VFs.
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
        """Address of VF number ``index``: the one it has, or the one it will have once it is enabled."""
        vf = self.vf_at(index)
        return vf.address if vf else vf_address(self.address, self.offset, self.stride, index)

    def vf_at(self, index: int) -> Vf | None:
        """VF number ``index``, None while it is not enabled."""
        return next((vf for vf in self.vfs if vf.index == index), None)

    def all_problems(self) -> tuple[Problem, ...]:
        """Problems of the PF itself, then those of its VFs."""
        return self.problems + tuple(problem for vf in self.vfs for problem in vf.problems)

    def held(self) -> tuple[Vf, ...]:
        """The VFs that a process holds."""
        return tuple(vf for vf in self.vfs if vf.holders)

    def as_data(self) -> dict[str, Any]:
        """Lists and dicts as Ansible carries them."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Pf:
        """The opposite of :meth:`as_data`. Raises KeyError or TypeError on data of another schema."""
        values = _field_values(cls, data)
        values["services"] = None if data["services"] is None else tuple(data["services"])
        values["vfs"] = tuple(_vf_from_data(vf) for vf in data["vfs"])
        return cls(**values)


@dataclass(frozen=True)
class Vfio:
    """The driver vfio-pci on this node. ``loaded``: whether it is registered (loaded or built in).
    ``denylist_disabled``: whether it takes the VFs of Gen2 devices, None where the kernel does not say."""

    loaded: bool
    denylist_disabled: bool | None


@dataclass(frozen=True)
class ManagedFile:
    """A file that this collection writes. ``content``: what the file has to hold; None: the collection's file goes, and
    the file that it replaced comes back."""

    path: str
    content: str | bytes | None
    mode: int = 0o644


def parse_services(text: str) -> tuple[str, ...]:
    """``sym;asym`` -> ("sym", "asym"), in the order in which the kernel printed the services. The order differs between
    kernels: compare services as sets."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def group_nodes(group: str | None) -> tuple[str, ...]:
    """The device nodes that a vfio group can have: with an IOMMU, and without one."""
    return ("/dev/vfio/" + group, "/dev/vfio/noiommu-" + group) if group else ()


def _field_values(kind: type[Pf] | type[Vf], data: dict[str, Any]) -> dict[str, Any]:
    values = {field.name: data[field.name] for field in fields(kind)}
    return {**values, "problems": tuple(Problem(**problem) for problem in data["problems"])}


def _vf_from_data(data: dict[str, Any]) -> Vf:
    values = _field_values(Vf, data)
    values["group_members"] = tuple(data["group_members"])
    values["holders"] = tuple(Holder(**holder) for holder in data["holders"])
    return Vf(**values)


def pfs_from_facts(facts: dict[str, Any]) -> tuple[Pf, ...]:
    """The PFs in the facts that qat_info returned. Raises InputError for facts that are missing or of another
    schema."""
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise InputError(
            "these are no facts of intel.qatvirt.qat_info (schema {0!r}, expected {1}); run qat_info first".format(
                facts.get("schema") if isinstance(facts, dict) else facts, SCHEMA
            )
        )
    return tuple(Pf.from_data(pf) for pf in facts["pfs"])


def vfio_from_facts(facts: dict[str, Any]) -> Vfio:
    """vfio-pci in the facts that qat_info returned."""
    return Vfio(facts["vfio"]["loaded"], facts["vfio"]["denylist_disabled"])
