# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks over node facts: what keeps a policy from being carried out, known before anything is changed.

A check is a pure function of a :class:`Subject`; it yields what it found. :data:`PREFLIGHT` is the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..node.apply import held_by
from ..node.facts import pfs_of, vfio_of
from ..node.hostplan import HostPlan, plan_host
from ..node.plan import Plan, plan
from ..node.policy import Policy, PolicyError, parse_policy
from ..node.state import Pf, Problem

FAIL = "fail"
WARN = "warn"


@dataclass(frozen=True)
class Subject:
    """One node under one policy. ``skip_in_use``: PFs whose VFs are held may be left out."""

    facts: dict[str, Any]
    pfs: tuple[Pf, ...]
    policy: Policy
    plan: Plan
    host: HostPlan
    skip_in_use: bool


@dataclass(frozen=True)
class Finding:
    """A problem and how bad it is: ``fail`` stops a play, ``warn`` does not."""

    severity: str
    problem: Problem


Check = Callable[[Subject], Iterator[Finding]]


def preflight(
    facts: dict[str, Any], raw_policy: object, kernel_args: list[str], skip_in_use: bool
) -> list[dict[str, str]]:
    """Everything that is wrong on a node, worst first: ``id``, ``severity``, ``node``, ``message``, ``fix``.

    Raises ValueError for facts of another schema.
    """
    findings = _findings(facts, raw_policy, kernel_args, skip_in_use)
    return [
        {"severity": finding.severity, "node": facts["node"], **vars(finding.problem)}
        for finding in sorted(findings, key=lambda finding: finding.severity)
    ]


def _findings(facts: dict[str, Any], raw_policy: object, kernel_args: list[str], skip: bool) -> list[Finding]:
    pfs = pfs_of(facts)
    try:
        policy: Policy = parse_policy(raw_policy)
        todo = plan(pfs, vfio_of(facts), policy)
    except PolicyError as error:
        fix = (
            "correct qat_vf_policy" if pfs else "take the node out of the group qat_nodes, or switch QAT on in its BIOS"
        )
        check_id = "POLICY" if pfs else "NOQAT"
        return [Finding(FAIL, Problem(check_id, message, fix)) for message in error.messages]
    host = plan_host(facts, pfs, policy, kernel_args, facts["kernel_args_set"])
    subject = Subject(facts, pfs, policy, todo, host, skip)
    return [finding for check in PREFLIGHT for finding in check(subject)]


def _wanted_pfs(subject: Subject) -> list[Pf]:
    """PFs that are to have VFs."""
    wanted = {pf.pf for pf in subject.plan.pfs if pf.target and pf.target.vfs}
    return [pf for pf in subject.pfs if pf.address in wanted]


def _rules(subject: Subject) -> Iterator[Finding]:
    """On a fleet of several models an entry may fit other nodes; on one model it is a slip of the pen."""
    for rule in subject.policy:
        if not any(rule.fits(pf) for pf in subject.pfs):
            fix = "nothing, where it is meant for other nodes; else correct qat_vf_policy"
            yield Finding(WARN, Problem("POLICY", f"policy {rule} matches no PF of this node", fix))


def _conflicts(subject: Subject) -> Iterator[Finding]:
    for conflict in subject.facts["conflicts"]:
        yield Finding(FAIL, Problem(**conflict))


def _host(subject: Subject) -> Iterator[Finding]:
    for problem in subject.host.problems:
        yield Finding(FAIL, problem)
    if subject.host.reboot and subject.facts["boot_loader"] is None:
        yield Finding(
            FAIL,
            Problem(
                "LOADER",
                f"kernel arguments are needed ({', '.join(subject.host.args)}), but the boot loader is not known",
                "set them by hand and reboot; known are update-grub, grubby, rpm-ostree and kernel-install",
            ),
        )


def _devices(subject: Subject) -> Iterator[Finding]:
    for pf in _wanted_pfs(subject):
        for problem in pf.all_problems():
            if problem.id in ("NOSRIOV", "GROUP") or (problem.id == "PFDOWN" and pf.heartbeat == "dead"):
                yield Finding(FAIL, problem)


def _firmware(subject: Subject) -> Iterator[Finding]:
    for pf in _wanted_pfs(subject):
        missing = [name for name in pf.kind.firmware if subject.facts["firmware"].get(name) is None]
        if missing and pf.driver is None:
            yield Finding(
                WARN,
                Problem(
                    "FW",
                    f"firmware {', '.join(missing)} of PF {pf.address} is not in /lib/firmware",
                    "install the distribution's firmware package (linux-firmware, firmware-misc-nonfree, "
                    "firmware-intel-misc) and regenerate the initramfs; the driver will not take the PF without it",
                ),
            )


def _secure_boot(subject: Subject) -> Iterator[Finding]:
    kernel = subject.facts["kernel"]
    if not kernel["secure_boot"] and kernel["lockdown"] in (None, "none"):
        return
    for pf in _wanted_pfs(subject):
        module = subject.facts["modules"][pf.module]
        if not pf.driver_loaded and module["path"] is None and not module["builtin"]:
            yield Finding(
                WARN,
                Problem(
                    "SECUREBOOT",
                    f"module {pf.module} has to be built, and this node takes signed ones only (Secure Boot, lockdown)",
                    "enrol a machine owner key that DKMS signs with (mokutil), or use a distribution that ships it",
                ),
            )


def _in_use(subject: Subject) -> Iterator[Finding]:
    for pf in subject.plan.pfs:
        for vf in pf.blocked:
            yield Finding(
                WARN if subject.skip_in_use else FAIL,
                Problem(
                    "INUSE",
                    f"PF {pf.pf} needs a change ({pf.impact}) that would take away a VF in use: {held_by(vf)}",
                    "stop or move what holds it, or set qat_vf_on_in_use to skip to leave this PF for later",
                ),
            )


PREFLIGHT: tuple[Check, ...] = (_rules, _conflicts, _host, _devices, _firmware, _secure_boot, _in_use)
