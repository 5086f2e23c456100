# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page that loads and runs nothing.

Every string comes from a cluster, so jinja2 escapes all of them; the page also forbids scripts to the browser. What
needs counting or ordering is done here, what is only shown stands in ``report.html.j2``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

QUIET_DRAWN = 50
"""Nodes and tests without anything to say that are shown one by one; the others become rows of a table."""
LOUD_DRAWN = 200
"""Nodes with something to say of which each VF is drawn; their findings are told for all of them."""
FINDINGS_AT_ONCE = 10
"""Findings with the same remedy that are shown unfolded."""
FINDINGS_TOLD = 1000
"""Findings of one check that are told at all: a fleet with one cause has one for each of its VFs."""
VFS_PRINTED = 512
"""VFs on the page up to which a printout lists each."""
LAYERS = {"node": "Nodes", "cluster": "Cluster", "vm": "Virtual machines"}


@dataclass(frozen=True)
class Kind:
    """How a VF with such an owner is drawn and called."""

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
    """What is to be done, and the findings it is for."""

    fix: str
    findings: list[dict[str, Any]]


@dataclass(frozen=True)
class Concern:
    """A check that fails or warns. ``untold``: how many findings are left to the JSON report."""

    check: dict[str, Any]
    remedies: list[Remedy]
    untold: int


@dataclass(frozen=True)
class NodeView:
    """A node, the worst severity by id of the checks that say something about it, and its VFs by owner."""

    node: dict[str, Any]
    concerns: dict[str, str]
    owners: Counter[str]

    @property
    def verdict(self) -> str:
        return min(self.concerns.values(), default="pass")


@dataclass(frozen=True)
class Phase:
    """One bar of a timeline. ``start``, ``width``: percent of the whole; the last phase has no width."""

    name: str
    seconds: float
    start: float
    width: float


def page(report: dict[str, Any]) -> str:
    """The page for a report of schema 1.

    Raises ValueError where something is missing from the report.
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
    concerns = [_concern(check) for check in report["checks"] if check["verdict"] in ("fail", "warn")]
    views = _node_views(report)
    loud = sorted((view for view in views if view.verdict != "pass"), key=lambda view: view.verdict)
    quiet = [view for view in views if view.verdict == "pass"]
    drawn = loud[:LOUD_DRAWN] + quiet[:QUIET_DRAWN]
    failed = [test for test in report["tests"] if test["verdict"] == "fail"]
    answers = {test["object"]: number for number, test in enumerate(failed, start=1)}
    told = {finding["object"] for concern in concerns for finding in concern.check["findings"]}
    others = [test for test in report["tests"] if test["verdict"] != "fail"]
    return {
        "report": report,
        "headline": headline(report),
        "concerns": sorted(concerns, key=lambda concern: concern.check["verdict"]),
        "at_once": FINDINGS_AT_ONCE,
        "layers": _layers(report["checks"]),
        "answers": answers,
        "untold_tests": [test for test in failed if test["object"] not in told],
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
    if report["verdict"] == "fail":
        parts = [_clause(checks["fail"], "check", "fail"), _clause(tests["fail"], "test", "fail")]
        return f"It does not hold: {_joined(parts)}."
    parts = [_clause(checks["pass"] + checks["warn"], "check", "pass"), _clause(tests["pass"], "test", "pass")]
    if report["verdict"] == "warn":
        return f"It holds, with {counted(checks['warn'], 'warning')}: {_joined(parts)}."
    return f"It holds: {_joined(parts)}."


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 VF", "16 VFs"."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def amounts(owners: Counter[str]) -> str:
    """VFs by owner in words: "2 in a virtual machine, 14 advertised, not in use"."""
    return "; ".join(f"{owners[kind]:,} {look.name}" for kind, look in KINDS.items() if owners[kind])


def vf_drivers(pf: dict[str, Any]) -> str:
    """The drivers that a PF's VFs are on, with how many where they differ."""
    drivers = Counter(vf["driver"] or "no driver" for vf in pf["vfs"])
    return (
        next(iter(drivers)) if len(drivers) == 1 else ", ".join(f"{number} {name}" for name, number in drivers.items())
    )


def minute(made: str) -> str:
    """A UTC time of the report to the minute, for people."""
    return f"{made[:10]} {made[11:16]} UTC"


def phases(test: dict[str, Any]) -> list[Phase]:
    """The phases of a test as bars; each lasts until the next was seen."""
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
    """Findings of one node together, in the order in which the nodes come; None for the cluster's own."""
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
    ordered = sorted(check["findings"], key=lambda finding: finding["severity"])
    remedies: dict[str, list[dict[str, Any]]] = {}
    for finding in ordered[:FINDINGS_TOLD]:
        remedies.setdefault(finding["fix"], []).append(finding)
    return Concern(check, [Remedy(*item) for item in remedies.items()], max(0, len(ordered) - FINDINGS_TOLD))


def _layers(checks: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The checks without a finding, by the name of their layer."""
    layers: dict[str, list[dict[str, Any]]] = {}
    for check in checks:
        if check["verdict"] in ("pass", "skipped"):
            layers.setdefault(LAYERS.get(check["layer"], check["layer"]), []).append(check)
    return layers


def _node_views(report: dict[str, Any]) -> list[NodeView]:
    concerns: dict[str | None, dict[str, str]] = {}
    for check in report["checks"]:
        for finding in check["findings"]:
            of_node = concerns.setdefault(finding["node"], {})
            of_node[check["id"]] = min(finding["severity"], of_node.get(check["id"], "warn"))
    return [
        NodeView(
            node,
            concerns.get(node["name"], {}),
            Counter(vf["owner"]["kind"] for pf in node["pfs"] for vf in pf["vfs"]),
        )
        for node in report["nodes"]
    ]
