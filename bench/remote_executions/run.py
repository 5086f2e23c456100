# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count the remote executions of nodes.yml on lab nodes of two sizes: python -m bench.remote_executions.run"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import Lab, NodeSpec
from tests.plays import Play, play

RESULT = Path(__file__).with_name("result.md")

FIRST_LIMIT, NO_CHANGE_LIMIT = 8, 4
"""The most remote executions of a first run, and of a run without changes."""
SHAPES = {
    "1 PF x 8 VFs": NodeSpec("small", ids=("4940",), driver=True),
    "4 PFs x 16 VFs": NodeSpec("large", donor="nvme", ids=("4940",) * 4, driver=True, boot="cold"),
}


@dataclass(frozen=True)
class Run:
    """A run of nodes.yml on one node. executions: the modules and commands that went to the node, in order."""

    executions: tuple[str, ...]
    play: Play


def count(inventory: Path, *options: str, **variables: Any) -> Run:
    """Run nodes.yml on the one node that the inventory and the options select, and record its remote executions."""
    with tempfile.NamedTemporaryFile("r") as log:
        environment = {
            "REMOTE_EXECUTIONS": log.name,
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent),
            "ANSIBLE_CALLBACKS_ENABLED": "remote_executions",
        }
        done = play(inventory, "nodes", *options, env=environment, **variables)
        assert done.code == 0, done.text
        return Run(tuple(json.loads(line)["name"] for line in log), done)


def measure() -> dict[str, list[Run]]:
    """Run nodes.yml twice on each node; the runs by shape of the node."""
    with Lab("bench") as lab, tempfile.TemporaryDirectory() as directory:
        lab.start_all(list(SHAPES.values()))
        inventory = lab.inventory(Path(directory))
        return {shape: [count(inventory, "--limit", spec.name) for _run in range(2)] for shape, spec in SHAPES.items()}


def complaints(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    """The limits that the runs pass: too many executions, a number that depends on the node's size, or a change."""
    found = []
    for shape, (first, second) in runs.items():
        if len(first.executions) > FIRST_LIMIT or len(second.executions) > NO_CHANGE_LIMIT:
            found.append(
                f"{shape}: {len(first.executions)} and {len(second.executions)} remote executions, "
                f"expected at most {FIRST_LIMIT} and {NO_CHANGE_LIMIT}"
            )
        if any(second.play.changes().values()):
            found.append(f"{shape}: the second run changed something")
    if len({tuple(run.executions for run in pair) for pair in runs.values()}) != 1:
        found.append("the remote executions depend on the size of the node")
    return found


def main() -> None:
    """Measure, write the table, fail when a limit is passed."""
    runs = measure()
    RESULT.write_text(table(runs))
    print(RESULT.read_text())
    sys.exit("\n".join(complaints(runs)) or None)


def table(runs: dict[str, list[Run]]) -> str:
    """The result as Markdown."""
    lines = [
        "# Remote executions of nodes.yml, a node",
        "",
        "Written by `python -m bench.remote_executions.run`.",
        f"Limits: {FIRST_LIMIT} on the first run, {NO_CHANGE_LIMIT} without changes.",
        "",
        "| node | run | remote executions | which |",
        "|---|---|---|---|",
    ]
    for shape, (first, second) in runs.items():
        for name, run in (("first", first), ("without changes", second)):
            which = ", ".join(f"{module} {n}x" if n > 1 else module for module, n in Counter(run.executions).items())
            lines.append(f"| {shape} | {name} | {len(run.executions)} | {which} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
