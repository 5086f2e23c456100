# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a test, an entry of ``tests`` of the report. Pure."""

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
    """The result of a test.

    ``judgement``: of the test's answer, where there is one; else ``given`` are the VFs that it is known to have been
    given. ``phases``: seconds since the start by name. ``diagnosis``: why there is no answer.
    """
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


def not_started(test: NodeTest, settings: RunSettings, diagnosis: Diagnosis) -> dict[str, Any]:
    """The result of a test that cannot be started."""
    return result(test, settings, FAIL, diagnosis.message, diagnosis=diagnosis)
