# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI devices that virtual machines may have: entries of this collection in a list that others write too.

Pure. Facts of KubeVirt: selectors are compared without regard to case (pull request 4940); of two entries with one
selector the last counts, without an error; and the whole list is one field to the API (``listType: atomic``), so that
the list is read, changed and written as a whole. HyperConverged hands its list on unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import Refused
from ..node.devices import FAMILIES, VENDOR, family_of_pf
from .kubevirt_config import ConfigOwner
from .nodes import PLUGIN_PREFIX
from .objects import Keys, Object, Objects, look_up, prune, set_at

GATE = "HostDevices"
"""Feature gate that lets virtual machines have host devices."""
_QAT_IDS = {f"{VENDOR}:{device}" for family in FAMILIES for device in family.pf + family.vf}
_SELECTOR = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}", re.IGNORECASE)
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_RESOURCE = re.compile(rf"(?=.{{1,253}}/){_LABEL}(\.{_LABEL})*/[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
"""A qualified name by the rules of Kubernetes (apimachinery, ``util/validation``)."""


@dataclass(frozen=True)
class Entry:
    """One permitted device. ``external``: another device plugin than KubeVirt's advertises the device."""

    selector: str
    resource_name: str
    external: bool = False

    @property
    def key(self) -> str:
        """The selector in the form in which selectors are compared."""
        return self.selector.lower()


def parse_entries(raw: list[dict[str, Any]], *, absent: bool = False) -> list[Entry]:
    """Entries of the module's option. Raises Refused that names each entry that is malformed or of no use.

    ``absent``: the entries are to be removed, so entries of no use are allowed.
    """
    entries = [
        Entry(
            selector=item["selector"],
            resource_name=item["resource_name"],
            external=bool(item["external_resource_provider"]),
        )
        for item in raw
    ]
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
                f"selector {entry.selector} is given with and without external_resource_provider. Remove one of the two"
            )
    return wrong


def _refuse(wrong: list[str]) -> None:
    if wrong:
        raise Refused(f"nothing was changed: {'; '.join(wrong)}")


def _malformed(entry: Entry) -> list[str]:
    wrong = []
    if not _SELECTOR.fullmatch(entry.selector):
        wrong.append(f"selector '{entry.selector}' is not vendor and device in hexadecimal, such as 8086:4941")
    if not _RESOURCE.fullmatch(entry.resource_name):
        wrong.append(f"resource name '{entry.resource_name}' is not DOMAIN/NAME, such as intel.com/qat")
    return wrong


def _useless(entry: Entry) -> list[str]:
    wrong = [f"{text}. Use the selector of the VFs" for text in [why_not_pf(entry)] if text]
    if entry.resource_name.startswith(PLUGIN_PREFIX):
        wrong.append(f"resource name {entry.resource_name}: {_WHY_NOT_PLUGINS_NAME[entry.external]}")
    return wrong


def why_not_pf(entry: Entry) -> str | None:
    """Why an entry with the selector of a PF is of no use; None for any other entry."""
    vendor, _colon, device = entry.key.partition(":")
    family = family_of_pf(device) if vendor == VENDOR else None
    if family is None:
        return None
    return (
        f"selector {entry.selector} is the PF of a {family.name}; a virtual machine gets VFs, whose selector is "
        f"{VENDOR}:{family.vf_of(device)}"
    )


_WHY_NOT_PLUGINS_NAME = {
    True: (
        f"Intel's plugin advertises {PLUGIN_PREFIX}*, but does not tell virt-launcher which VF it gave (no "
        "PCI_RESOURCE_* variable), so such a virtual machine never starts. Take another name, such as intel.com/qat, "
        "without external_resource_provider: then KubeVirt's own plugin advertises the VFs"
    ),
    False: (
        f"{PLUGIN_PREFIX}* are names of Intel's plugin; KubeVirt's plugin would advertise VFs under the same name, and "
        "kubelet would give the VFs away twice. Take another name, such as intel.com/qat"
    ),
}


def _duplicate(entry: Entry, name: str, where: str) -> str:
    return (
        f"selector {entry.selector} is to have the name {entry.resource_name}, but {where} gives it the name {name}; "
        "KubeVirt takes the last entry without an error. Decide for one name"
    )


def merge(item: Object, owner: ConfigOwner, wanted: list[Entry]) -> Object:
    """The object with the entries in its list, and with the feature gate.

    Raises Refused where an entry of others, or a disabled feature gate, is against an entry.
    """
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
    """Why the object's entry with the same selector is against an entry."""
    name = other.get("resourceName")
    if name != entry.resource_name:
        return [_duplicate(entry, str(name), str(owner))]
    if other.get("disabled"):
        return [
            f"{owner} has {entry.selector} with disabled: true, so an administrator switched this device off. "
            "Remove disabled: true there, if virtual machines are to have VFs"
        ]
    return []


def _key(other: Object, owner: ConfigOwner) -> str:
    return str(other.get(owner.selector, "")).lower()


def _open_gate(item: Object, owner: ConfigOwner, keys: Keys) -> None:
    if GATE in (look_up(item, (*keys, "disabledFeatureGates")) or ()):
        raise Refused(
            f"nothing was changed: {owner} has {GATE} in disabledFeatureGates, so an administrator switched host "
            f"devices off. Remove {GATE} there, if virtual machines are to have VFs"
        )
    gates = look_up(item, (*keys, "featureGates")) or []
    if GATE not in gates:
        set_at(item, (*keys, "featureGates"), [*gates, GATE])


def remove(item: Object, owner: ConfigOwner, unwanted: list[Entry]) -> Object:
    """The object without the entries that have both selector and name of one of ``unwanted``.

    Fields that are empty without these entries are removed too. The feature gate stays, because others may need it.
    """
    gone = {(entry.key, entry.resource_name) for entry in unwanted}
    entries = look_up(item, owner.devices) or []
    left = [other for other in entries if (_key(other, owner), other.get("resourceName")) not in gone]
    if left != entries:
        set_at(item, owner.devices, left)
        prune(item, owner.devices)
    return item


def diff_part(item: Object, owner: ConfigOwner) -> Object:
    """The fields of an object that :func:`merge` and :func:`remove` edit, for a diff."""
    found: Object = {"pciHostDevices": permitted_devices(item, owner)}
    if owner.gates:
        found["featureGates"] = look_up(item, (*owner.gates, "featureGates")) or []
    return found


def permitted_devices(item: Object, owner: ConfigOwner) -> Objects:
    """All permitted PCI devices, as the object has them, those of others included."""
    return list(look_up(item, owner.devices) or ())


def qat_entries(item: Object, owner: ConfigOwner) -> list[Entry]:
    """The permitted devices that are QAT functions, or that have the name of a resource of Intel's plugin."""
    entries = [
        Entry(
            selector=str(raw.get(owner.selector, "")),
            resource_name=str(raw.get("resourceName", "")),
            external=bool(raw.get("externalResourceProvider")),
        )
        for raw in permitted_devices(item, owner)
        if not raw.get("disabled")
    ]
    return [entry for entry in entries if entry.key in _QAT_IDS or entry.resource_name.startswith(PLUGIN_PREFIX)]
