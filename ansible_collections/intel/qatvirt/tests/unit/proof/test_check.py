# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How checks are answered: verdicts, remedies, and findings whose cause another check has named."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.snapshot import ClusterSnapshot
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.check import (
    SEVERITIES,
    VERDICTS,
    Answer,
    Check,
    Finding,
    answer_all,
    worst,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.site import Site

EMPTY = Site(())
OTHER_PF = Finding("the other PF", node="node1", pf="0000:e8:00.0")


def check(check_id: str, *findings: Finding, **more: Any) -> Check:
    """A check that yields these findings."""
    texts = (f"Is {check_id} right?", "Something is wrong.", "mend it")
    return Check(check_id, "node", "fail", *texts, validate=lambda _site: findings, **more)


def answers(cause: Finding, consequence: Finding) -> list[Answer]:
    """The answers of a check and of one that it explains."""
    return answer_all([check("CAUSE", cause), check("EFFECT", consequence, explained_by=("CAUSE",))], EMPTY)


@pytest.mark.parametrize(
    ("cause", "consequence"),
    [
        (Finding("x", node="node1", pf="0000:6b:00.0"), Finding("y", node="node1", pf="0000:6b:00.0")),
        (Finding("x", node="node1"), Finding("y", node="node1", pf="0000:6b:00.0")),
        (Finding("x", node="node1", pf="0000:6b:00.0"), Finding("y", node="node1")),
        (Finding("x", node="node1", pf="0000:6b:00.0"), Finding("y")),
        (Finding("x"), Finding("y", node="node1")),
    ],
    ids=[
        "same PF",
        "node explains its PF",
        "PF explains its node",
        "node explains the cluster",
        "cluster explains node",
    ],
)
def test_a_finding_whose_cause_is_named_is_left_out(cause: Finding, consequence: Finding) -> None:
    first, second = answers(cause, consequence)
    assert (first.verdict, second.verdict) == ("fail", "skipped")
    assert second.reason == "what it finds is a consequence of CAUSE"
    assert second.findings == ()


@pytest.mark.parametrize(
    ("cause", "consequence"),
    [
        (Finding("x", node="node1", pf="0000:6b:00.0"), OTHER_PF),
        (Finding("x", node="node2"), Finding("y", node="node1")),
        (Finding("x", node="node2", pf="0000:6b:00.0"), Finding("y", node="node1", pf="0000:6b:00.0")),
    ],
    ids=["other PF", "other node", "PF of the same address on another node"],
)
def test_a_finding_with_another_cause_is_told(cause: Finding, consequence: Finding) -> None:
    assert [answer.verdict for answer in answers(cause, consequence)] == ["fail", "fail"]


def test_only_the_explained_findings_are_left_out() -> None:
    cause = check("CAUSE", Finding("x", node="node1", pf="0000:6b:00.0"))
    effect = check("EFFECT", Finding("y", node="node1", pf="0000:6b:00.0"), OTHER_PF, explained_by=("CAUSE",))
    _first, second = answer_all([cause, effect], EMPTY)
    assert second.findings == (OTHER_PF,)


def test_an_explained_finding_explains_no_further_one() -> None:
    """Else a check that finds nothing itself would silence the ones below it."""
    pf, node = Finding("x", node="node1", pf="0000:6b:00.0"), Finding("y", node="node1")
    checks = [
        check("A", pf),
        check("B", node, explained_by=("A",)),
        check("C", OTHER_PF, explained_by=("B",)),
    ]
    assert [answer.verdict for answer in answer_all(checks, EMPTY)] == ["fail", "skipped", "fail"]


def test_the_verdict_is_the_worst_severity() -> None:
    (answer,) = answer_all([check("A", Finding("x", severity="warn"), Finding("y"))], EMPTY)
    assert answer.verdict == "fail"
    (answer,) = answer_all([check("A", Finding("x", severity="warn"))], EMPTY)
    assert answer.verdict == "warn"
    (answer,) = answer_all([check("A")], EMPTY)
    assert answer.verdict == "pass"


def test_order_of_severities_and_verdicts() -> None:
    assert SEVERITIES == ("fail", "warn")
    assert VERDICTS == ("fail", "warn", "pass", "skipped")
    assert worst(("pass", "warn", "skipped", "fail")) == "fail"
    assert worst(("skipped", "pass", "warn")) == "warn"
    assert worst(("skipped",)) == "pass"


def test_a_finding_without_a_remedy_has_that_of_its_check() -> None:
    (answer,) = answer_all([check("A", Finding("x"), Finding("y", fix="mend that instead"))], EMPTY)
    assert [finding["fix"] for finding in answer.as_data()["findings"]] == ["mend it", "mend that instead"]


def test_a_check_whose_need_is_not_met_is_skipped_with_the_first_reason() -> None:
    needs = (lambda _site: None, lambda _site: "no cluster", lambda _site: "no node")
    (answer,) = answer_all([check("A", Finding("x"), needs=needs)], EMPTY)
    assert (answer.verdict, answer.reason) == ("skipped", "no cluster")


def test_a_check_that_could_not_read_something_is_skipped() -> None:
    site = Site((), snapshot=ClusterSnapshot(unread={"pods": "forbidden", "daemonsets": "forbidden"}))
    first, second = answer_all([check("A", Finding("x"), reads=("nodes", "pods")), check("B", reads=("nodes",))], site)
    assert (first.verdict, first.reason) == ("skipped", "pods could not be read")
    assert second.verdict == "pass"
