# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a test, as the report has it. Pure."""

from __future__ import annotations

from typing import Any

from .answer import Judgement, expected_functions
from .diagnosis import Diagnosis
from .model import FAIL, VM, GivenVf, NodeTest, RunSettings


def result(
    test: NodeTest,
    settings: RunSettings,
    verdict: str,
    reason: str | None,
    judgement: Judgement | None = None,
    given: tuple[GivenVf, ...] = (),
    phases: dict[str, float] | None = None,
    diagnosis: Diagnosis | None = None,
) -> dict[str, Any]:
    """One entry of ``tests`` of the report. ``given``: where there is no judgement. ``phases``: seconds by name."""
    kind = "virtual machine" if test.kind == VM else "pod"
    return {
        "node": test.node,
        "kind": test.kind,
        "object": f"{kind} {settings.namespace}/{test.name}",
        "verdict": verdict,
        "reason": reason,
        "resource": test.resource or None,
        "count": settings.count,
        "given": [vf.address for vf in (judgement.given if judgement else given)],
        "expected": judgement.expected if judgement else expected_functions(test, settings.count, given),
        "seen": judgement.seen if judgement else [],
        "functional": judgement.functional if judgement else None,
        "phases": [{"name": name, "seconds": round(seconds, 1)} for name, seconds in (phases or {}).items()],
        "diagnosis": diagnosis.as_data() if diagnosis else None,
    }


def not_made(test: NodeTest, settings: RunSettings, diagnosis: Diagnosis) -> dict[str, Any]:
    """The result of a trial that gave no answer."""
    return result(test, settings, FAIL, diagnosis.message, diagnosis=diagnosis)
