# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page that loads and runs nothing.

Strings of a report come from a cluster, so jinja2 escapes all of them; the page also tells the browser to run no
scripts. This file counts and sorts, ``report.html.j2`` only shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.check import (
    FAIL,
    PASS,
    SEVERITIES,
    SKIPPED,
    VERDICTS,
    WARN,
    worst,
)

QUIET_DRAWN = 50
"""Nodes without a finding, and tests that did not fail, that are shown one by one; further ones are rows of a table."""
LOUD_DRAWN = 200
"""Nodes with a finding of which each VF is drawn; the findings of further nodes are shown, too."""
FINDINGS_AT_ONCE = 10
"""Findings with the same remedy that are shown at once; the others have to be unfolded."""
FINDINGS_TOLD = 1000
"""Findings of one check that are shown at all: on a fleet one fault may give a finding for each VF."""
VFS_PRINTED = 512
"""VFs on the page up to which a printout lists each of them."""
LAYERS = {"node": "Nodes", "cluster": "Cluster", "vm": "Virtual machines"}


@dataclass(frozen=True)
class Kind:
    """A kind of owner: the letter that its VFs have on the page, and its name."""

    letter: str
    name: str


KINDS = {
    "vm": Kind("V", "in a virtual machine"),
    "pod": Kind("P", "in a pod"),
    "process": Kind("H", "held by a process"),
    "resource": Kind("A", "advertised, not in use"),
    "free": Kind("F", "free, not advertised"),
    "unusable": Kind("X", "not usable"),
}


@dataclass(frozen=True)
class Remedy:
    """Something to do, and the findings that it is for."""

    fix: str
    findings: list[dict[str, Any]]


@dataclass(frozen=True)
class Concern:
    """A check that fails or warns. ``unshown``: how many of its findings only the JSON report has."""

    check: dict[str, Any]
    remedies: list[Remedy]
    unshown: int


@dataclass(frozen=True)
class NodeView:
    """A node of the report.

    ``concerns``: checks with a finding about the node, by id, with the worst severity. ``owners``: its VFs by kind of
    owner.
    """

    node: dict[str, Any]
    concerns: dict[str, str]
    owners: Counter[str]

    @property
    def verdict(self) -> str:
        """The worst severity of its findings, PASS without any."""
        return worst(self.concerns.values())


@dataclass(frozen=True)
class Phase:
    """One bar of a timeline. ``start``, ``width``: percent of the whole; the last phase has no width."""

    name: str
    seconds: float
    start: float
    width: float


def page(report: dict[str, Any]) -> str:
    """The page for a report of the schema that :data:`..module_utils.proof.report.SCHEMA` names.

    Raises ValueError where a key of the report is missing.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        counted=counted, amounts=amounts, phases=phases, minute=minute, by_node=by_node, vf_drivers=vf_drivers
    )
    try:
        html = environment.get_template("report.html.j2").render(_view(report))
    except UndefinedError as error:
        raise ValueError(f"the report is not whole: {error}") from error
    # JSON can carry half of a surrogate pair, which no file in UTF-8 can.
    return html.encode("utf-8", "replace").decode("utf-8")


def _view(report: dict[str, Any]) -> dict[str, Any]:
    concerns = [_concern(check) for check in report["checks"] if check["verdict"] in SEVERITIES]
    views = _node_views(report)
    loud = sorted((view for view in views if view.verdict != PASS), key=lambda view: VERDICTS.index(view.verdict))
    quiet = [view for view in views if view.verdict == PASS]
    drawn = loud[:LOUD_DRAWN] + quiet[:QUIET_DRAWN]
    failed = [test for test in report["tests"] if test["verdict"] == FAIL]
    answers = {test["object"]: number for number, test in enumerate(failed, start=1)}
    found = {finding["object"] for concern in concerns for finding in concern.check["findings"]}
    others = [test for test in report["tests"] if test["verdict"] != FAIL]
    return {
        "report": report,
        "headline": headline(report),
        "concerns": sorted(concerns, key=lambda concern: VERDICTS.index(concern.check["verdict"])),
        "at_once": FINDINGS_AT_ONCE,
        "layers": _layers(report["checks"]),
        "answers": answers,
        "unexplained_tests": [test for test in failed if test["object"] not in found],
        "tests": failed + others[:QUIET_DRAWN],
        "more_tests": others[QUIET_DRAWN:],
        "nodes": drawn,
        "more_nodes": loud[LOUD_DRAWN:] + quiet[QUIET_DRAWN:],
        "emulated": [node["name"] for node in report["nodes"] if node["emulated"]],
        "pfs": sum(len(node["pfs"]) for node in report["nodes"]),
        "owners": sum((view.owners for view in views), Counter[str]()),
        "kinds": KINDS,
        "list_printed": sum(view.owners.total() for view in drawn) <= VFS_PRINTED,
    }


def headline(report: dict[str, Any]) -> str:
    """The verdict in one sentence."""
    checks = report["summary"]
    tests = Counter(test["verdict"] for test in report["tests"])
    if report["verdict"] == FAIL:
        parts = [_clause(checks[FAIL], "check", "fail"), _clause(tests[FAIL], "test", "fail")]
        return f"It does not hold: {_joined(parts)}."
    parts = [_clause(checks[PASS] + checks[WARN], "check", "pass"), _clause(tests[PASS], "test", "pass")]
    if report["verdict"] == WARN:
        return f"It holds, with {counted(checks[WARN], 'warning')}: {_joined(parts)}."
    return f"It holds: {_joined(parts)}."


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 VF", "16 VFs"."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def amounts(owners: Counter[str]) -> str:
    """VFs by kind of owner in words: "2 in a virtual machine; 14 advertised, not in use"."""
    return "; ".join(f"{owners[kind]:,} {look.name}" for kind, look in KINDS.items() if owners[kind])


def vf_drivers(pf: dict[str, Any]) -> str:
    """The driver of a PF's VFs; where they differ, each driver with the number of its VFs."""
    drivers = Counter(vf["driver"] or "no driver" for vf in pf["vfs"])
    return (
        next(iter(drivers)) if len(drivers) == 1 else ", ".join(f"{number} {name}" for name, number in drivers.items())
    )


def minute(made: str) -> str:
    """The time of the report, in UTC, to the minute."""
    return f"{made[:10]} {made[11:16]} UTC"


def phases(test: dict[str, Any]) -> list[Phase]:
    """The phases of a test as bars; each phase lasts until the next one was seen."""
    seen = [(phase["name"], float(phase["seconds"])) for phase in test["phases"]]
    if not seen:
        return []
    end = seen[-1][1] or 1.0
    ends = [seconds for _name, seconds in seen[1:]] + [seen[-1][1]]
    return [
        Phase(name, seconds, round(100 * seconds / end, 1), round(100 * (until - seconds) / end, 1))
        for (name, seconds), until in zip(seen, ends)
    ]


def by_node(findings: list[dict[str, Any]]) -> list[tuple[str | None, list[dict[str, Any]]]]:
    """Findings by node, in the order in which the nodes come; None for findings about the cluster."""
    nodes: dict[str | None, list[dict[str, Any]]] = {}
    for finding in findings:
        nodes.setdefault(finding["node"], []).append(finding)
    return list(nodes.items())


def _clause(number: int, noun: str, verb: str) -> str:
    if not number:
        return ""
    return f"{counted(number, noun)} {verb if number > 1 else verb + ('es' if verb.endswith('s') else 's')}"


def _joined(parts: Iterable[str]) -> str:
    return " and ".join(part for part in parts if part)


def _concern(check: dict[str, Any]) -> Concern:
    ordered = sorted(check["findings"], key=lambda finding: SEVERITIES.index(finding["severity"]))
    remedies: dict[str, list[dict[str, Any]]] = {}
    for finding in ordered[:FINDINGS_TOLD]:
        remedies.setdefault(finding["fix"], []).append(finding)
    return Concern(check, [Remedy(*item) for item in remedies.items()], max(0, len(ordered) - FINDINGS_TOLD))


def _layers(checks: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The checks that pass or are skipped, by the name of their layer."""
    layers: dict[str, list[dict[str, Any]]] = {}
    for check in checks:
        if check["verdict"] in (PASS, SKIPPED):
            layers.setdefault(LAYERS.get(check["layer"], check["layer"]), []).append(check)
    return layers


def _node_views(report: dict[str, Any]) -> list[NodeView]:
    concerns: dict[str | None, dict[str, str]] = {}
    for check in report["checks"]:
        for finding in check["findings"]:
            of_node = concerns.setdefault(finding["node"], {})
            of_node[check["id"]] = worst((finding["severity"], of_node.get(check["id"], PASS)))
    return [
        NodeView(
            node,
            concerns.get(node["name"], {}),
            Counter(vf["owner"]["kind"] for pf in node["pfs"] for vf in pf["vfs"]),
        )
        for node in report["nodes"]
    ]
