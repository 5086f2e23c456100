# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is, and how checks are answered. Pure.

A check looks at a :class:`~.site.Site` and yields findings. What it yields because of something that another check
already names is dropped, so that a cause is told once: a PF without a driver has no VFs either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .site import CheckedNode, Site

FAIL = "fail"
WARN = "warn"
PASS = "pass"
SKIPPED = "skipped"

NODE = "node"
CLUSTER = "cluster"
VM = "vm"
LAYERS = (NODE, CLUSTER, VM)

DOCUMENT = "docs/checks.md"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    ``message``: what was found and what was expected. ``fix``: what to do. ``node``: as the inventory names it, and
    ``pf``: address of its PF; None where it is not about one. ``object``: what it is about. ``evidence``: the file or
    command that shows it. ``severity``: None for that of the check.
    """

    message: str
    fix: str
    node: str | None = None
    object: str | None = None
    evidence: str = ""
    pf: str | None = None
    severity: str | None = None


Findings = Iterable[Finding]
Need = Callable[["Site"], "str | None"]
"""Why a check cannot be made on a site, None where it can."""


@dataclass(frozen=True)
class Check:
    """One row of the catalogue.

    ``decide``: what is wrong on a site now. ``hinders``: what of a node keeps a run from doing its work, known before
    anything is changed; None where a run cures it or where it cannot be known. ``needs``: what must be there to
    decide. ``reads``: parts of the snapshot it looks at. ``explained_by``: ids of checks whose findings on the same
    node, or the same PF, make this one's a mere consequence.
    """

    id: str
    layer: str
    severity: str
    question: str
    cause: str
    fix: str
    decide: Callable[[Site], Findings]
    hinders: Callable[[CheckedNode], Findings] | None = None
    needs: tuple[Need, ...] = ()
    reads: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Where the catalogue explains it."""
        return f"{DOCUMENT}#{self.id.lower()}"


@dataclass(frozen=True)
class Answer:
    """A check's verdict on a site: pass, warn, fail or skipped, then with a ``reason``."""

    check: Check
    verdict: str
    reason: str | None = None
    findings: tuple[Finding, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """As the report has it."""
        check = self.check
        return {
            "id": check.id,
            "layer": check.layer,
            "question": check.question,
            "verdict": self.verdict,
            "reason": self.reason,
            "cause": check.cause,
            "doc": check.anchor,
            "findings": [_finding_data(finding, check) for finding in self.findings],
        }


def _finding_data(finding: Finding, check: Check) -> dict[str, Any]:
    return {
        "severity": finding.severity or check.severity,
        "node": finding.node,
        "object": finding.object,
        "message": finding.message,
        "fix": finding.fix,
        "evidence": finding.evidence,
    }


class _Told:
    """Whom earlier checks have blamed: by check id and node the PFs, None among them for the whole node."""

    def __init__(self) -> None:
        self._pfs: dict[str, dict[str | None, set[str | None]]] = {}

    def add(self, check: Check, findings: list[Finding]) -> None:
        for finding in findings:
            self._pfs.setdefault(check.id, {}).setdefault(finding.node, set()).add(finding.pf)

    def who_explains(self, check: Check, finding: Finding) -> str | None:
        """The id of the check that has named the cause of a finding.

        A finding about a whole node has its cause in any PF of it, one about no node in any node.
        """
        return next((other for other in check.explained_by if self._covers(self._pfs.get(other, {}), finding)), None)

    def _covers(self, nodes: dict[str | None, set[str | None]], finding: Finding) -> bool:
        if None in nodes or (nodes and finding.node is None):
            return True
        pfs = nodes.get(finding.node, set())
        return None in pfs or finding.pf in pfs or (bool(pfs) and finding.pf is None)


def answer_all(checks: Iterable[Check], site: Site) -> list[Answer]:
    """Each check's answer, in their order; a check comes after those that explain it."""
    told = _Told()
    return [_answer(check, site, told) for check in checks]


def _answer(check: Check, site: Site, told: _Told) -> Answer:
    reason = _why_not(check, site)
    if reason:
        return Answer(check, SKIPPED, reason)
    found, explained = [], set()
    for finding in check.decide(site):
        cause = told.who_explains(check, finding)
        if cause:
            explained.add(cause)
        else:
            found.append(finding)
    told.add(check, found)
    if not found and explained:
        return Answer(check, SKIPPED, f"what it finds is a consequence of {', '.join(sorted(explained))}")
    severities = {finding.severity or check.severity for finding in found}
    verdict = FAIL if FAIL in severities else WARN if WARN in severities else PASS
    return Answer(check, verdict, findings=tuple(found))


def _why_not(check: Check, site: Site) -> str | None:
    for need in check.needs:
        reason = need(site)
        if reason:
            return reason
    unread = site.snapshot.unread if site.snapshot else {}
    missing = [part for part in check.reads if part in unread]
    return f"{', '.join(missing)} could not be read" if missing else None
