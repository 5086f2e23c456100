# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PFs as text for people: one line for messages, several for diffs. Also PFs as they will be after a plan. Pure."""

from __future__ import annotations

from dataclasses import replace

from .model import Pf, Vf
from .plan import PfTarget, Plan, VfTarget
from .policy import ordered


def summary(pf: Pf) -> str:
    """A PF in a few words: state, services, VFs and their drivers."""
    drivers = sorted({vf.driver or "no driver" for vf in pf.vfs})
    parts = [pf.driver or "without driver", pf.state, ";".join(pf.services) if pf.services else None]
    parts.append(
        "{0} of {1} VFs{2}".format(pf.vfs_enabled, pf.vfs_possible, " on " + ", ".join(drivers) if drivers else "")
    )
    return ", ".join(part for part in parts if part)


def describe(pfs: tuple[Pf, ...]) -> str:
    """One line for each PF and each VF, for a diff line by line."""
    return "".join(_pf_lines(pf) for pf in pfs)


def _pf_lines(pf: Pf) -> str:
    services = ";".join(ordered(set(pf.services))) if pf.services else "-"
    head = "{0} {1} driver={2} state={3} services={4} autoprobe={5} vfs={6}\n".format(
        pf.address,
        pf.family,
        pf.driver or "-",
        pf.state or "-",
        services,
        "on" if pf.autoprobe else "off",
        pf.vfs_enabled,
    )
    return head + "".join(_vf_line(vf) for vf in pf.vfs)


def _vf_line(vf: Vf) -> str:
    return "  {0} driver={1} override={2}\n".format(vf.address, vf.driver or "-", vf.driver_override or "-")


def predict(pfs: tuple[Pf, ...], plan: Plan, skipped: tuple[str, ...] = ()) -> tuple[Pf, ...]:
    """The PFs as they will be after the plan. ``skipped``: addresses of PFs that will not be touched."""
    targets = {pf.address: pf.target for pf in plan.pfs if pf.steps and pf.target and pf.address not in skipped}
    return tuple(_predict_pf(pf, targets[pf.address]) if pf.address in targets else pf for pf in pfs)


def _predict_pf(pf: Pf, target: PfTarget) -> Pf:
    return replace(
        pf,
        driver=pf.driver or pf.kind.pf_driver,
        state="up" if pf.kind.sysfs and target.vf_targets else target.state,
        services=pf.services if target.services is None else tuple(ordered(target.services)),
        autoprobe=target.autoprobe,
        vfs_enabled=len(target.vf_targets),
        vfs=tuple(_predict_vf(pf, index, vf_target) for index, vf_target in enumerate(target.vf_targets)),
    )


def _predict_vf(pf: Pf, index: int, target: VfTarget) -> Vf:
    vf = pf.vf_at(index) or Vf(
        index, pf.expected_vf(index), pf.kind.vf_of(pf.device), None, None, None, (), pf.numa_node, (), ()
    )
    return replace(vf, driver=target.driver, driver_override=target.override)
