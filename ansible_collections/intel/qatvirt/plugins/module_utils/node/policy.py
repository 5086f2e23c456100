# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy (variable ``qat_vf_policy``): a list of rules, checked and applied to the PFs of a node. Pure.

::

    - match: {}                 # address, device, family, numa_node; all given keys must fit
      services: [sym, asym]     # without this key the services stay as they are
      vfs: max                  # max (default), 0, or a number where the driver can enable fewer
      driver: vfio-pci          # vfio-pci (default), kernel, none

Later rules win: for each PF the keys of later matching rules replace those of earlier ones. A PF that no rule matches
is not changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import PolicyError
from .devices import FAMILIES, SERVICES, VENDOR
from .model import Pf
from .pci import parse_address

MATCH_KEYS = ("address", "device", "family", "numa_node")
DRIVERS = ("vfio-pci", "kernel", "none")
MAX = "max"
_RULE_KEYS = ("match", "services", "vfs", "driver")


@dataclass(frozen=True)
class Rule:
    """One rule. ``number``: its position in the policy, from 1. ``match``: (key, value) pairs. ``services``, ``vfs``,
    ``driver``: None where the rule does not set them."""

    number: int
    match: tuple[tuple[str, str], ...]
    services: frozenset[str] | None
    vfs: int | str | None
    driver: str | None

    def fits(self, pf: Pf) -> bool:
        """Whether the rule matches a PF."""
        found = {
            "address": pf.address,
            "device": pf.device,
            "family": pf.family,
            "numa_node": str(pf.numa_node),
        }
        return all(found[key] == value for key, value in self.match)

    def __str__(self) -> str:
        match = ", ".join(f"{key}: {value}" for key, value in self.match)
        return f"rule {self.number} (match {{{match}}})"


@dataclass(frozen=True)
class PfSettings:
    """What the policy says about one PF. ``services``: None leaves them as they are."""

    services: frozenset[str] | None = None
    vfs: int | str = MAX
    driver: str = "vfio-pci"


Policy = tuple[Rule, ...]


def parse_policy(raw: object) -> Policy:
    """The rules of a policy as a user wrote it. Raises PolicyError that names every wrong value."""
    if not isinstance(raw, list) or not raw:
        raise PolicyError([f"the policy is {raw!r}; expected a list of rules such as [{{'match': {{}}}}]"])
    errors: list[str] = []
    rules = tuple(_parse_rule(number, raw_rule, errors) for number, raw_rule in enumerate(raw, start=1))
    if errors:
        raise PolicyError(errors)
    return tuple(rule for rule in rules if rule is not None)


def _parse_rule(number: int, raw_rule: object, errors: list[str]) -> Rule | None:
    where = f"policy rule {number}"
    if not isinstance(raw_rule, dict):
        errors.append(
            "{0} is {1!r}; expected a mapping with the keys {2}".format(where, raw_rule, ", ".join(_RULE_KEYS))
        )
        return None
    _check_keys(where, raw_rule, _RULE_KEYS, errors)
    return Rule(
        number=number,
        match=_parse_match(where + ": match", raw_rule.get("match"), errors),
        services=_parse_services(where + ": services", raw_rule.get("services"), errors),
        vfs=_parse_vfs(where + ": vfs", raw_rule.get("vfs"), errors),
        driver=_parse_driver(where + ": driver", raw_rule.get("driver"), errors),
    )


def _check_keys(where: str, found: dict[str, Any], known: tuple[str, ...], errors: list[str]) -> None:
    for key in found:
        if key not in known:
            errors.append("{0}: unknown key {1!r}; expected {2}".format(where, key, ", ".join(known)))


def _parse_match(where: str, match: object, errors: list[str]) -> tuple[tuple[str, str], ...]:
    if match is None:
        return ()
    if not isinstance(match, dict):
        errors.append("{0} is {1!r}; expected a mapping with the keys {2}".format(where, match, ", ".join(MATCH_KEYS)))
        return ()
    _check_keys(where, match, MATCH_KEYS, errors)
    pairs = []
    for key, value in match.items():
        if key in MATCH_KEYS and value is not None:
            try:
                pairs.append((key, _MATCHERS[key](value)))
            except ValueError as error:
                errors.append(f"{where}.{key}: {error}")
    return tuple(pairs)


def _match_device(value: object) -> str:
    text = str(value).lower()
    for prefix in (VENDOR + ":", "0x"):
        text = text[len(prefix) :] if text.startswith(prefix) else text
    known = {device: family for family in FAMILIES for device in family.pf}
    for family in FAMILIES:
        if text in family.vf:
            raise ValueError(
                f"{value!r} is the id of a VF; expected that of the PF, {family.pf[family.vf.index(text)]}"
            )
    if text not in known:
        raise ValueError(
            "{0!r} is no QAT PF id; expected one of {1} (in quotes: YAML reads digits as numbers)".format(
                value, ", ".join(known)
            )
        )
    return text


def _match_family(value: object) -> str:
    names = [family.name for family in FAMILIES]
    if str(value) not in names:
        raise ValueError("{0!r} is no QAT family; expected one of {1}".format(value, ", ".join(names)))
    return str(value)


def _match_numa_node(value: object) -> str:
    try:
        return str(int(str(value)))
    except ValueError:
        raise ValueError(f"{value!r} is no NUMA node; expected a number such as 0") from None


_MATCHERS = {
    "address": parse_address,
    "device": _match_device,
    "family": _match_family,
    "numa_node": _match_numa_node,
}


def _parse_services(where: str, value: object, errors: list[str]) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        errors.append("{0} is {1!r}; expected a list out of {2}".format(where, value, ", ".join(SERVICES)))
        return None
    for name in value:
        if name not in SERVICES:
            errors.append("{0}: {1!r} is no QAT service; expected some of {2}".format(where, name, ", ".join(SERVICES)))
    return frozenset(str(name) for name in value)


def _parse_vfs(where: str, value: object, errors: list[str]) -> int | str | None:
    if value is None or value == MAX:
        return None if value is None else MAX
    text = str(value)
    if not re.fullmatch("[0-9]{1,9}", text):
        errors.append(f"{where} is {value!r}; expected max or a number from 0")
        return None
    return int(text)


def _parse_driver(where: str, value: object, errors: list[str]) -> str | None:
    if value is not None and value not in DRIVERS:
        errors.append("{0} is {1!r}; expected one of {2}".format(where, value, ", ".join(DRIVERS)))
    return None if value is None else str(value)


def settings_for(policy: Policy, pf: Pf) -> PfSettings | None:
    """What the policy says about a PF, None where no rule matches the PF."""
    rules = [rule for rule in policy if rule.fits(pf)]
    if not rules:
        return None
    values = {}
    for rule in rules:
        values.update(
            {key: getattr(rule, key) for key in ("services", "vfs", "driver") if getattr(rule, key) is not None}
        )
    return PfSettings(**values)


def fitting_policy(raw: object, pfs: tuple[Pf, ...]) -> Policy:
    """The rules of a policy that these PFs can follow. Raises PolicyError with every reason why they cannot."""
    policy = parse_policy(raw)
    require_fit(policy, pfs)
    return policy


def require_fit(policy: Policy, pfs: tuple[Pf, ...]) -> None:
    """Raise PolicyError with every reason why these PFs cannot follow the policy."""
    messages = check_policy(policy, pfs)
    if messages:
        raise PolicyError(messages)


def check_policy(policy: Policy, pfs: tuple[Pf, ...]) -> list[str]:
    """Every reason why these PFs cannot follow the policy, one sentence each; empty where they can."""
    if not pfs:
        ids = ", ".join(VENDOR + ":" + device for family in FAMILIES for device in family.pf)
        return [
            f"no QAT PF found on the PCI bus; expected one of {ids}: see whether this processor "
            "has QAT, and whether the BIOS has it on"
        ]
    present = ", ".join(f"{pf.address} ({pf.family} {pf.device}, NUMA node {pf.numa_node})" for pf in pfs)
    messages = []
    for rule in policy:
        if dict(rule.match).get("address") and not any(rule.fits(pf) for pf in pfs):
            messages.append(f"policy {rule} matches no PF; this node has {present}")
    if not messages and not any(rule.fits(pf) for rule in policy for pf in pfs):
        rules = ", ".join(str(rule) for rule in policy)
        messages.append(f"the policy matches none of this node's PFs; it has {rules}, the node has {present}")
    for pf in pfs:
        settings = settings_for(policy, pf)
        if settings is not None:
            messages += _check_settings(settings, pf)
    return messages


def _check_settings(settings: PfSettings, pf: Pf) -> list[str]:
    messages = _check_services(settings.services, pf) if settings.services is not None else []
    name = f"PF {pf.address} ({pf.family})"
    if isinstance(settings.vfs, int) and pf.vfs_possible:
        if settings.vfs > pf.vfs_possible:
            messages.append(f"{name}: vfs is {settings.vfs}, the device has {pf.vfs_possible} at most")
        elif 0 < settings.vfs < pf.vfs_possible and pf.kind.intree_since:
            messages.append(
                f"{name}: vfs is {settings.vfs}, but the in-tree driver enables all {pf.vfs_possible} VFs or "
                "none; use max or 0"
            )
    if settings.driver == "kernel" and pf.kind.vf_driver is None:
        messages.append(f"{name}: driver is kernel, but Linux has no VF driver for {pf.family}; use vfio-pci")
    return messages


def _check_services(services: frozenset[str], pf: Pf) -> list[str]:
    name = f"PF {pf.address} ({pf.family})"
    text = ", ".join(ordered(services))
    if not pf.kind.sysfs or (pf.driver is not None and pf.services is None):
        return [
            f"{name}: services {text} cannot be set, its driver has no qat/cfg_services (Gen4 and later, Linux 6.0 and "
            "later have it); leave services out"
        ]
    lacking = services - set(pf.kind.services)
    if lacking:
        return [
            "{0}: the device has no service {1}; it offers {2}".format(
                name, ", ".join(ordered(lacking)), ", ".join(pf.kind.services)
            )
        ]
    if "dcc" in services and len(services) > 1:
        return [f"{name}: services {text}: dcc works only alone"]
    if len(services) > pf.kind.max_services:
        return [f"{name}: {len(services)} services ({text}), the device takes {pf.kind.max_services} at once"]
    return []


def ordered(services: frozenset[str] | set[str]) -> list[str]:
    """Services in the order that every kernel takes."""
    return [name for name in SERVICES if name in services]
