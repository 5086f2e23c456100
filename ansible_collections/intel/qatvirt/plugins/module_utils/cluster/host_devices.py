# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI devices that virtual machines may have: our entries in a list that is not ours alone.

Pure. Facts of KubeVirt: the selector is compared without regard to case (pull request 4940), of two entries with one
selector the last counts and no error is made, and the whole list is one field to the API (``listType: atomic``), so
that it is read, changed and written as a whole. HyperConverged hands its list on as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import Refused
from ..node.devices import FAMILIES, VENDOR, family_of_pf
from .kubevirt_config import ConfigOwner
from .nodes import PLUGIN_PREFIX
from .objects import Object, Objects
from .update import Keys, look_up, prune, set_at

GATE = "HostDevices"
_QAT_IDS = {f"{VENDOR}:{device}" for family in FAMILIES for device in family.pf + family.vf}
_SELECTOR = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}", re.IGNORECASE)
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_RESOURCE = re.compile(rf"(?=.{{1,253}}/){_LABEL}(\.{_LABEL})*/[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
"""A qualified name as Kubernetes wants it (apimachinery, ``util/validation``)."""


@dataclass(frozen=True)
class Entry:
    """One permitted device. ``external``: another device plugin than KubeVirt's advertises it."""

    selector: str
    resource_name: str
    external: bool = False

    @property
    def key(self) -> str:
        """The selector as it is compared."""
        return self.selector.lower()


def parse_entries(raw: list[dict[str, Any]], *, absent: bool = False) -> list[Entry]:
    """Entries of the module's option. Raises Refused that names each that is none, or of no use.

    ``absent``: they are to go; then they need not be of use.
    """
    entries = [Entry(item["selector"], item["resource_name"], bool(item["external_resource_provider"])) for item in raw]
    wrong = [text for entry in entries for text in _malformed(entry) or ([] if absent else _useless(entry))]
    _refuse(wrong + ([] if absent else _contradictions(entries)))
    return entries


def _contradictions(entries: list[Entry]) -> list[str]:
    wrong = []
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.key, entry)
        if other.resource_name != entry.resource_name:
            wrong.append(_duplicate(entry, other.resource_name, "another entry"))
        elif other.external != entry.external:
            wrong.append(
                f"selector {entry.selector} is given with and without external_resource_provider. Decide for one"
            )
    return wrong


def _refuse(wrong: list[str]) -> None:
    if wrong:
        raise Refused(f"nothing was changed: {'; '.join(wrong)}")


def _malformed(entry: Entry) -> list[str]:
    wrong = []
    if not _SELECTOR.fullmatch(entry.selector):
        wrong.append(f"selector '{entry.selector}' is not vendor and device in hex, such as 8086:4941")
    if not _RESOURCE.fullmatch(entry.resource_name):
        wrong.append(f"resource name '{entry.resource_name}' is not DOMAIN/NAME, such as intel.com/qat")
    return wrong


def _useless(entry: Entry) -> list[str]:
    wrong = [f"{text}. Take that" for text in [of_pf(entry)] if text]
    if entry.resource_name.startswith(PLUGIN_PREFIX):
        wrong.append(f"resource name {entry.resource_name}: {_PLUGINS_NAME[entry.external]}")
    return wrong


def of_pf(entry: Entry) -> str | None:
    """Why an entry is of no use where its selector is that of a PF, else None."""
    vendor, _colon, device = entry.key.partition(":")
    family = family_of_pf(device) if vendor == VENDOR else None
    if family is None:
        return None
    return (
        f"selector {entry.selector} is the PF of a {family.name}; a virtual machine gets VFs, which are "
        f"{VENDOR}:{family.vf_of(device)}"
    )


_PLUGINS_NAME = {
    True: (
        f"{PLUGIN_PREFIX}* is advertised by Intel's plugin, which does not tell virt-launcher what it gave (no "
        "PCI_RESOURCE_* variable), so that such a virtual machine never starts. Take another name, such as "
        "intel.com/qat, without external_resource_provider: KubeVirt's own plugin then advertises the VFs"
    ),
    False: (
        f"{PLUGIN_PREFIX}* are names of Intel's plugin; KubeVirt's would advertise VFs under the same name beside it, "
        "and kubelet would give them away twice. Take another name, such as intel.com/qat"
    ),
}


def _duplicate(entry: Entry, name: str, where: str) -> str:
    return (
        f"selector {entry.selector} is to be {entry.resource_name}, but {where} makes it {name}; KubeVirt takes the "
        "last without a word. Decide for one name"
    )


def merge(item: Object, owner: ConfigOwner, wanted: list[Entry]) -> Object:
    """The object with the entries in its list, and the feature gate. Raises Refused where others stand against it."""
    if not wanted:
        return item
    entries = list(look_up(item, owner.devices) or ())
    for entry in wanted:
        _put(entries, owner, entry)
    set_at(item, owner.devices, entries)
    if owner.gates:
        _open_gate(item, owner, owner.gates)
    return item


def _put(entries: list[Object], owner: ConfigOwner, entry: Entry) -> None:
    found = [index for index, other in enumerate(entries) if _key(other, owner) == entry.key]
    for index in found:
        _refuse(_against(entries[index], owner, entry))
        if bool(entries[index].get("externalResourceProvider")) != entry.external:
            entries[index] = {**entries[index], "externalResourceProvider": entry.external}
    if not found:
        external = {"externalResourceProvider": True} if entry.external else {}
        entries.append({owner.selector: entry.selector, "resourceName": entry.resource_name, **external})


def _against(other: Object, owner: ConfigOwner, entry: Entry) -> list[str]:
    """Why an entry that is there with the same selector cannot be ours."""
    name = other.get("resourceName")
    if name != entry.resource_name:
        return [_duplicate(entry, str(name), str(owner))]
    if other.get("disabled"):
        return [
            f"{owner} has {entry.selector} with disabled: true, so somebody switched it off. "
            "Take that out there, if virtual machines are to have VFs"
        ]
    return []


def _key(other: Object, owner: ConfigOwner) -> str:
    return str(other.get(owner.selector, "")).lower()


def _open_gate(item: Object, owner: ConfigOwner, keys: Keys) -> None:
    if GATE in (look_up(item, (*keys, "disabledFeatureGates")) or ()):
        raise Refused(
            f"nothing was changed: {owner} has {GATE} in disabledFeatureGates, so somebody switched host devices off. "
            "Take it out there, if virtual machines are to have VFs"
        )
    gates = look_up(item, (*keys, "featureGates")) or []
    if GATE not in gates:
        set_at(item, (*keys, "featureGates"), [*gates, GATE])


def remove(item: Object, owner: ConfigOwner, unwanted: list[Entry]) -> Object:
    """The object without these entries (selector and name), and without what becomes empty by that.

    The feature gate stays: others may need it.
    """
    ours = {(entry.key, entry.resource_name) for entry in unwanted}
    entries = look_up(item, owner.devices) or []
    left = [other for other in entries if (_key(other, owner), other.get("resourceName")) not in ours]
    if left != entries:
        set_at(item, owner.devices, left)
        prune(item, owner.devices)
    return item


def shown(item: Object, owner: ConfigOwner) -> Object:
    """The parts of an object that this edits, for a diff."""
    found: Object = {"pciHostDevices": listed(item, owner)}
    if owner.gates:
        found["featureGates"] = look_up(item, (*owner.gates, "featureGates")) or []
    return found


def listed(item: Object, owner: ConfigOwner) -> Objects:
    """All permitted PCI devices, as the object has them."""
    return list(look_up(item, owner.devices) or ())


def qat_entries(item: Object, owner: ConfigOwner) -> list[Entry]:
    """The permitted devices that are QAT functions, or have the name of a resource of Intel's plugin."""
    entries = [
        Entry(
            str(raw.get(owner.selector, "")),
            str(raw.get("resourceName", "")),
            bool(raw.get("externalResourceProvider")),
        )
        for raw in listed(item, owner)
        if not raw.get("disabled")
    ]
    return [entry for entry in entries if entry.key in _QAT_IDS or entry.resource_name.startswith(PLUGIN_PREFIX)]
