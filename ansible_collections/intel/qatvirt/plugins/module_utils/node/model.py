# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node as plain data: PFs, VFs, who holds them, what is wrong. Pure: imports nothing that reads or writes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..errors import InputError
from .devices import Family, family_named
from .pci import vf_address

SCHEMA = 2


@dataclass(frozen=True)
class Problem:
    """Something that keeps a device from being used: what was found and expected (``message``), and what to do
    (``fix``)."""

    id: str
    message: str
    fix: str


@dataclass(frozen=True)
class Holder:
    """A process with a device node open. ``pod``: uid of its Kubernetes pod, ``guest``: name of the virtual machine;
    None where unknown."""

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

    def held_by(self) -> str:
        """Who holds the VF, in a sentence."""
        return "VF {0} is held by {1}".format(self.address, ", ".join(str(holder) for holder in self.holders))


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


@dataclass(frozen=True)
class Vfio:
    """vfio-pci on this node: loaded or built in, and whether it takes the denylisted Gen2 ids (None: cannot be
    told)."""

    loaded: bool
    denylist_disabled: bool | None


@dataclass(frozen=True)
class ManagedFile:
    """Wanted ``content`` of a file; None: there is to be no such file of ours (what was there before us comes back)."""

    path: str
    content: str | bytes | None
    mode: int = 0o644


def parse_services(text: str) -> tuple[str, ...]:
    """``sym;asym`` -> ("sym", "asym"), in the order the kernel printed them (which differs between kernels: compare
    as sets)."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def group_nodes(group: str | None) -> tuple[str, ...]:
    """The device nodes of a vfio group, with and without an IOMMU."""
    return ("/dev/vfio/" + group, "/dev/vfio/noiommu-" + group) if group else ()


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


def pfs_of(facts: dict[str, Any]) -> tuple[Pf, ...]:
    """The PFs of collected facts. Raises InputError for facts that are missing or of another schema."""
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise InputError(
            "these are no facts of intel.qatvirt.qat_info (schema {0!r}, expected {1}); run that module first".format(
                facts.get("schema") if isinstance(facts, dict) else facts, SCHEMA
            )
        )
    return tuple(pf_from_dict(pf) for pf in facts["pfs"])


def vfio_of(facts: dict[str, Any]) -> Vfio:
    return Vfio(facts["vfio"]["loaded"], facts["vfio"]["denylist_disabled"])
