# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is, and how checks are answered. Pure.

A check looks at a :class:`~.site.Site` and yields findings. A finding whose cause another check has already named is
dropped, so that each cause is told once: a PF without a driver has no VFs either.

Four types say that something is wrong, each on its own level:

* ``Problem`` (``node/model.py``): a fault of a PF or a VF that the node itself has seen; part of the node's facts.
* ``Objection`` (``cluster/kubevirt.py``): a reason against a KubeVirt release, before or after it is installed.
* ``Diagnosis`` (``test_vm/diagnosis.py``): the one reason why a virtual machine or a pod does not run.
* :class:`Finding` (here): what a check says and the report shows. Checks make findings of the other three, too.
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

SEVERITIES = (FAIL, WARN)
"""Of findings, the worst first."""
VERDICTS = (*SEVERITIES, PASS, SKIPPED)
"""Of checks, tests and the report, the worst first."""

NODE = "node"
CLUSTER = "cluster"
VM = "vm"
LAYERS = (NODE, CLUSTER, VM)

DOCUMENT = "docs/checks.md"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    ``message``: what was found and what was expected. ``fix``: what to do, None for the check's own ``fix``. ``node``:
    :attr:`.site.CheckedNode.name`, and ``pf``: the PF's address; None where the finding is not about one. ``object``:
    what the finding is about. ``evidence``: the file or the command that shows it. ``severity``: None for the check's.
    """

    message: str
    fix: str | None = None
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

    ``question``: what the check answers with yes or no. ``cause``: what a "no" usually comes from. ``fix``: what to do
    about it, a clause without a full stop; findings that need something else done say so themselves.

    ``validate``: what is wrong on a site now. ``preflight``: what keeps a run from doing its work on a node, known
    before anything is changed; None where a run cures the fault or where it cannot be known before.

    ``needs``: what must be there for the check. ``reads``: parts of the cluster's snapshot that the check looks at.
    ``explained_by``: ids of checks that may name the cause: their findings on the same node, or the same PF, make this
    check's findings mere consequences.
    """

    id: str
    layer: str
    severity: str
    question: str
    cause: str
    fix: str
    validate: Callable[[Site], Findings]
    preflight: Callable[[CheckedNode], Findings] | None = None
    needs: tuple[Need, ...] = ()
    reads: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The place in the catalogue that explains the check."""
        return f"{DOCUMENT}#{self.id.lower()}"

    def severity_of(self, finding: Finding) -> str:
        return finding.severity or self.severity

    def fix_of(self, finding: Finding) -> str:
        return finding.fix or self.fix


@dataclass(frozen=True)
class Answer:
    """A check's verdict on a site: pass, warn, fail or skipped, then with a ``reason``."""

    check: Check
    verdict: str
    reason: str | None = None
    findings: tuple[Finding, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """One entry of ``checks`` of the report."""
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
        "severity": check.severity_of(finding),
        "node": finding.node,
        "object": finding.object,
        "message": finding.message,
        "fix": check.fix_of(finding),
        "evidence": finding.evidence,
    }


class _NamedCauses:
    """The findings of the checks answered so far: PFs by node by check id, None among the PFs for the whole node."""

    def __init__(self) -> None:
        self._pfs: dict[str, dict[str | None, set[str | None]]] = {}

    def add(self, check: Check, findings: list[Finding]) -> None:
        for finding in findings:
            self._pfs.setdefault(check.id, {}).setdefault(finding.node, set()).add(finding.pf)

    def cause_of(self, check: Check, finding: Finding) -> str | None:
        """The id of the check that has named the cause of a finding, None for none.

        Any PF of a node may be the cause of a finding about the whole node, and any node that of a finding about none.
        """
        return next((other for other in check.explained_by if self._covers(self._pfs.get(other, {}), finding)), None)

    def _covers(self, nodes: dict[str | None, set[str | None]], finding: Finding) -> bool:
        if None in nodes or (nodes and finding.node is None):
            return True
        pfs = nodes.get(finding.node, set())
        return None in pfs or finding.pf in pfs or (bool(pfs) and finding.pf is None)


def answer_all(checks: Iterable[Check], site: Site) -> list[Answer]:
    """The answer of each check, in the order of ``checks``, where a check comes after those that explain it."""
    causes = _NamedCauses()
    return [_answer(check, site, causes) for check in checks]


def _answer(check: Check, site: Site, causes: _NamedCauses) -> Answer:
    reason = _why_skipped(check, site)
    if reason:
        return Answer(check, SKIPPED, reason)
    found, explaining = [], set()
    for finding in check.validate(site):
        cause = causes.cause_of(check, finding)
        if cause:
            explaining.add(cause)
        else:
            found.append(finding)
    causes.add(check, found)
    if not found and explaining:
        return Answer(check, SKIPPED, f"what it finds is a consequence of {', '.join(sorted(explaining))}")
    return Answer(check, worst(check.severity_of(finding) for finding in found), findings=tuple(found))


def worst(verdicts: Iterable[str]) -> str:
    """The worst of severities or verdicts; PASS where there is none, or none but skipped ones."""
    given = set(verdicts)
    return next((severity for severity in SEVERITIES if severity in given), PASS)


def _why_skipped(check: Check, site: Site) -> str | None:
    for need in check.needs:
        reason = need(site)
        if reason:
            return reason
    unread = site.snapshot.unread if site.snapshot else {}
    missing = [part for part in check.reads if part in unread]
    return f"{', '.join(missing)} could not be read" if missing else None
