# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spec of a node: what the node is to be like."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lab.errors import LabError

Donor = Literal["igb", "nvme"]
Boot = Literal["snapshot", "cold", "grub"]

PF_IDS = ("37c8", "4940", "4942", "4944", "4946", "4948")
"""PF device ids that a node can show: those that a driver stand-in supports."""
MAX_PFS = 12
"""Each PF has a root port on the root bus, from slot 0x10 on."""
MEMORY_MB = range(512, 8193)
"""MiB of memory that a node can have."""


@dataclass(frozen=True)
class NodeSpec:
    """The spec of one node.

    name: host name.
    donor: the emulated device behind each PF. igb: 8 VFs, the node can be saved as a snapshot. nvme: 16 VFs at the
        addresses that a real 4xxx has (0000:01:00.1 and on), the node cannot be saved.
    ids: device id of each PF in the order of the PCI addresses, four hexadecimal digits; its VFs have the id + 1.
    domain: PCI domain of the whole machine, 0 to 65535; not with grub.
    iommu: False starts the node's kernel with intel_iommu=off.
    driver: True installs the prebuilt driver stand-in; False leaves the node without a PF driver, as Debian ships it.
    memory: MiB.
    boot: how the node starts: from the golden snapshot (seconds), cold (QEMU starts the kernel), or by grub (GRUB reads
        the node's own grub.cfg).
    """

    name: str
    donor: Donor = "igb"
    ids: tuple[str, ...] = ("4940", "4940")
    domain: int = 0
    iommu: bool = True
    driver: bool = False
    memory: int = 1024
    boot: Boot = "snapshot"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", self.name):
            raise LabError(
                f"node name '{self.name}': expected a host name of at most 31 lower-case letters, digits and '-'."
            )
        _one_of("donor", self.donor, get_args(Donor))
        _one_of("boot", self.boot, get_args(Boot))
        for device in self.ids:
            _one_of("PF device id", device, PF_IDS)
        if not 1 <= len(self.ids) <= MAX_PFS:
            raise LabError(f"{len(self.ids)} PFs: expected 1 to {MAX_PFS}.")
        if self.memory not in MEMORY_MB:
            raise LabError(f"memory={self.memory}: expected {MEMORY_MB[0]} to {MEMORY_MB[-1]} MiB.")
        if self.domain not in range(0x10000):
            raise LabError(f"domain={self.domain}: expected 0 to 65535.")
        if self.boot == "grub" and self.domain:
            raise LabError(
                f"domain={self.domain}: the PCI domain comes with the lab's own initramfs, which GRUB does not load: "
                "use boot=snapshot or boot=cold."
            )
        if self.boot == "snapshot" and self.donor == "nvme":
            raise LabError("QEMU cannot save a machine with an nvme device: use boot=cold or boot=grub, or donor=igb.")

    @property
    def vfs(self) -> int:
        """Number of VFs of each PF (sriov_totalvfs)."""
        return 8 if self.donor == "igb" else 16

    @classmethod
    def parse(cls, text: str, boot: Boot | None = None, memory: int | None = None) -> NodeSpec:
        """The spec that a person writes as NAME or NAME:KEY=VALUE,KEY=VALUE...

        Keys: donor, pfs (a number), ids (joined by +; a single id is for all PFs), domain, iommu and driver (on/off),
        memory (MiB), boot. The arguments boot and memory are defaults for a text without that key.
        Raises LabError that names the word it does not understand.
        """
        name, _, rest = text.partition(":")
        words = dict(_pair(word) for word in rest.split(",") if word)
        fields: dict[str, Any] = {"name": name, "ids": _ids(words.pop("ids", "4940"), words.pop("pfs", None))}
        for key, value in words.items():
            if key not in _READERS:
                known = ", ".join(sorted([*_READERS, "ids", "pfs"]))
                raise LabError(f"'{key}' in '{text}': unknown, expected one of {known}.")
            fields[key] = _READERS[key](key, value)
        if boot:
            fields.setdefault("boot", boot)
        if memory:
            fields.setdefault("memory", memory)
        if fields.get("donor") == "nvme":
            fields.setdefault("boot", "cold")
        return cls(**fields)

    def machine(self) -> dict[str, Any]:
        """The fields that define the machine: all except the node's name and how the node is started."""
        fields = dataclasses.asdict(self)
        del fields["name"], fields["boot"]
        return fields


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise LabError(f"{what} '{value}': expected one of {', '.join(allowed)}.")


def _pair(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not (key and equals and value):
        raise LabError(f"'{word}': expected KEY=VALUE.")
    return key, value


def _number(key: str, value: str) -> int:
    if not value.isdecimal():
        raise LabError(f"{key}={value}: expected a number.")
    return int(value)


def _switch(key: str, value: str) -> bool:
    words = {"on": True, "yes": True, "off": False, "no": False}
    if value not in words:
        raise LabError(f"{key}={value}: expected on or off.")
    return words[value]


def _word(_key: str, value: str) -> str:
    return value


_READERS: dict[str, Any] = {
    "boot": _word,
    "domain": _number,
    "donor": _word,
    "driver": _switch,
    "iommu": _switch,
    "memory": _number,
}


def _ids(ids: str, pfs: str | None) -> tuple[str, ...]:
    listed = tuple(ids.lower().split("+"))
    count = _number("pfs", pfs) if pfs else max(len(listed), 2)
    if len(listed) == 1:
        return listed * count
    if len(listed) != count:
        raise LabError(f"ids={ids} names {len(listed)} PFs, but pfs={pfs}: leave pfs out, or name one id for each PF.")
    return listed
