# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do to a node, computed from the node's facts alone; and tables for people. Pure."""

from __future__ import annotations

from typing import Any

from ..errors import PolicyError
from .describe import predict, summary
from .host_plan import plan_host
from .model import Pf, pfs_from_facts, vfio_from_facts
from .plan import IMPACTS, Plan, plan_pfs
from .policy import ordered, parse_policy


def preview(facts: dict[str, Any], raw_policy: object, kernel_args: list[str]) -> dict[str, Any]:
    """The plan of a node as plain data. Raises InputError for facts of another schema.

    ``impact``: none, rebind, recreate or reboot. ``host``: reasons for a reboot. ``drivers``: modules to install first.
    ``pfs``: for each PF ``address``, ``impact``, ``now``, ``then``, ``steps``, ``blocked`` and ``unmet``. ``problems``:
    why the policy cannot be carried out at all.
    """
    pfs = pfs_from_facts(facts)
    try:
        policy = parse_policy(raw_policy)
        plan = plan_pfs(pfs, vfio_from_facts(facts), policy)
    except PolicyError as error:
        return {"impact": "none", "host": [], "drivers": [], "pfs": [], "problems": error.messages}
    host = plan_host(facts, pfs, policy, kernel_args, facts["kernel_args_set"])
    return {
        "impact": "reboot" if host.reboot else plan.impact,
        "host": list(host.reboot),
        "drivers": sorted({pf.module for pf, item in zip(pfs, plan.pfs) if item.steps and not pf.driver_loaded}),
        "pfs": _pf_previews(pfs, plan),
        "problems": [problem.message for problem in host.problems],
    }


def _pf_previews(pfs: tuple[Pf, ...], plan: Plan) -> list[dict[str, Any]]:
    after = predict(pfs, plan)
    return [
        {**item, "now": summary(now), "then": summary(then)}
        for item, now, then in zip(plan.as_data()["pfs"], pfs, after)
    ]


def plan_table(plans: list[dict[str, Any]]) -> str:
    """A table of plans: one row for each PF, then what else would happen.

    ``plans``: a list of ``{node, plan}``, each plan as :func:`preview` returns it.
    """
    rows = [row for entry in plans for row in _plan_rows(entry["node"], entry["plan"])]
    notes = [note for entry in plans for note in _plan_notes(entry["node"], entry["plan"])]
    worst = max((entry["plan"]["impact"] for entry in plans), key=IMPACTS.index, default="none")
    table = _table(("Node", "PF", "Impact", "Now", "Then"), rows)
    return "\n".join([table, *notes, f"Impact of the whole: {worst}."])


def _plan_rows(node: str, plan_: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (node, pf["address"], pf["impact"], pf["now"], pf["then"] if pf["steps"] else "unchanged")
        for pf in plan_["pfs"]
    ]


def _plan_notes(node: str, plan_: dict[str, Any]) -> list[str]:
    notes = [f"{node}: reboot, because {reason}." for reason in plan_["host"]]
    notes += [f"{node}: driver module {module} is installed first." for module in plan_["drivers"]]
    notes += [f"{node}: cannot be done: {problem}." for problem in plan_["problems"]]
    for pf in plan_["pfs"]:
        notes += [
            f"{node}: refused while VF {held['vf']} is held by {', '.join(held['holders'])}." for held in pf["blocked"]
        ]
    return notes


def facts_table(nodes: list[dict[str, Any]]) -> str:
    """A table of the PFs of all nodes, then their problems."""
    rows = [_facts_row(facts, pf) for facts in nodes for pf in pfs_from_facts(facts)]
    headings = (
        "Node",
        "PF",
        "Device",
        "NUMA",
        "State",
        "Services",
        "VFs",
        "VFs are on",
        "IOMMU groups",
        "In use",
        "At boot",
    )
    return "\n".join([_table(headings, rows), *_facts_notes(nodes)])


def _facts_row(facts: dict[str, Any], pf: Pf) -> tuple[str, ...]:
    groups = {vf.iommu_group for vf in pf.vfs if vf.iommu_group}
    return (
        facts["node"],
        pf.address,
        f"{pf.family} {pf.device}",
        "-" if pf.numa_node < 0 else str(pf.numa_node),
        pf.state or (pf.driver and "bound") or "no driver",
        "+".join(ordered(set(pf.services))) if pf.services else "-",
        f"{pf.vfs_enabled} of {pf.vfs_possible}",
        ", ".join(_count_drivers(pf)) or "-",
        f"{len(groups)}" if pf.vfs else "-",
        str(len(pf.held())),
        "kept" if facts["boot"]["enabled"] else "lost",
    )


def _count_drivers(pf: Pf) -> list[str]:
    drivers = [vf.driver or "no driver" for vf in pf.vfs]
    names = sorted(set(drivers))
    return names if len(names) == 1 else [f"{drivers.count(name)} {name}" for name in names]


def _facts_notes(nodes: list[dict[str, Any]]) -> list[str]:
    notes = []
    for facts in nodes:
        for pf in pfs_from_facts(facts):
            for problem in pf.all_problems():
                notes.append(f"{facts['node']}: {problem.id}: {problem.message}. Remedy: {problem.fix}.")
    return notes


def allocatable_table(nodes: list[dict[str, Any]]) -> str:
    """A table with one row for each node and resource. ``nodes``: as the module ``qat_allocatable`` returns them."""
    rows: list[tuple[str, ...]] = [
        (
            node["name"],
            node["workload"],
            f"{resource}*" if resource.endswith("/") else resource,
            str(number),
            str(found),
        )
        for node in nodes
        for (resource, number), found in zip(node["expected"].items(), node["allocatable"].values())
    ]
    return _table(("Node", "VFs are for", "Resource", "VFs", "Allocatable"), rows)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table whose columns are as wide as their widest cell. A node's name is only in the first of its rows."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    rule = "  ".join("─" * width for width in widths)
    lines = [_line(headings, widths), rule]
    previous = None
    for row in rows:
        lines.append(_line(("" if row[0] == previous else row[0], *row[1:]), widths))
        previous = row[0]
    return "\n".join([*lines, rule])


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
