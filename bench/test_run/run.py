# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what tests pay for a play, a module and a call of a warm interpreter: python -m bench.test_run.run"""

from __future__ import annotations

import datetime
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import Lab, Node, NodeSpec, qemu
from tests import warm
from tests.plays import ROOT, ansible_playbook

RESULT = Path(__file__).with_name("result.md")
TIMES = 2
MORE = 2
"""Modules in the longer of two plays beside the first: their difference is what a module costs."""
LIMIT = 0.2
"""Share of a module in a play that a call of the warm interpreter may take."""
IMPORT = "import ansible_collections.intel.qatvirt.plugins.modules.qat_info"
WARM, MODULE = "qat_info by the warm interpreter", "each further qat_info in a play"


@dataclass(frozen=True)
class Cost:
    """What something takes: seconds until it is done, CPU seconds of this machine and of the node's QEMU."""

    wall: float
    host: float
    node: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.host - other.host, self.node - other.node)

    def __truediv__(self, number: int) -> Cost:
        return Cost(self.wall / number, self.host / number, self.node / number)

    @property
    def cpu(self) -> float:
        return self.host + self.node


def cost(node: Node, work: Callable[[], object]) -> Cost:
    """The cheapest of some runs: other work on the machine only makes it dearer."""
    found = []
    for _time in range(TIMES):
        before = _now(node)
        work()
        found.append(_now(node) - before)
    return min(found, key=lambda run: run.cpu)


def _now(node: Node) -> Cost:
    """Clocks: of the world, of the ended children of this process, of QEMU."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    fields = Path(f"/proc/{node.machine.pid()}/stat").read_text().rpartition(") ")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return Cost(time.monotonic(), children.ru_utime + children.ru_stime, ticks / os.sysconf("SC_CLK_TCK"))


def measure() -> dict[str, Cost]:
    """Costs by what they are for."""
    with Lab("bench-test-run") as lab, tempfile.TemporaryDirectory() as name:
        node = lab.start(NodeSpec("qat1", driver=True))
        inventory = lab.inventory(Path(name))
        return {**on_node(node), **in_plays(node, inventory, Path(name)), **here(node)}


def on_node(node: Node) -> dict[str, Cost]:
    """What a lab node needs for a module, without Ansible."""
    warm.start_on(node)
    imports = f"PYTHONPATH={warm.ON_NODE} PYTHONPYCACHEPREFIX=/nowhere python3 -B -c '{IMPORT}'"
    return {
        "`true` over ssh": cost(node, lambda: node.run("true")),
        "start of Python": cost(node, lambda: node.run("python3 -c pass")),
        "start of Python and the imports of qat_info, from source": cost(node, lambda: node.run(imports)),
        WARM: cost(node, lambda: warm.on_node(node, "qat_info")),
    }


def in_plays(node: Node, inventory: Path, directory: Path) -> dict[str, Cost]:
    """What Ansible takes for a play without a task, and for each module in a play."""

    def play(tasks: int) -> Cost:
        file = directory / f"{tasks}.yml"
        wanted: list[dict[str, Any]] = [{"intel.qatvirt.qat_info": {}}] * tasks
        file.write_text(yaml.safe_dump([{"hosts": "qat_nodes", "gather_facts": False, "tasks": wanted}]))
        return cost(node, lambda: ansible_playbook("-i", inventory, file))

    none, one, more = play(0), play(1), play(1 + MORE)
    return {"a play without a task": none, "a play of one qat_info": one, MODULE: (more - one) / MORE}


def here(node: Node) -> dict[str, Cost]:
    """What a module beside the API takes on this host; what the warm interpreter forks is in the seconds only."""
    arguments: dict[str, Any] = {"nodes": [], "cluster": False}
    words = ["-m", "intel.qatvirt.qat_validate", "-a", json.dumps(arguments)]
    local = ["-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "localhost"]
    ansible: list[str | Path] = [Path(sys.executable).with_name("ansible"), *local, *words]
    return {
        "qat_validate on this host by the command `ansible`": cost(
            node, lambda: subprocess.run(ansible, cwd=ROOT, capture_output=True, check=True)
        ),
        "qat_validate on this host by the warm interpreter": cost(node, lambda: warm.here("qat_validate", **arguments)),
    }


def complaints(found: dict[str, Cost]) -> list[str]:
    """What is wrong with the figures; nothing where the warm interpreter is worth its lines."""
    warm_call, module = found[WARM].cpu, found[MODULE].cpu
    return [f"a warm call takes {warm_call:.1f} of {module:.1f} CPU seconds"] if warm_call > LIMIT * module else []


def table(found: dict[str, Cost]) -> str:
    """The result as Markdown."""
    processor = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line)
    machine = f"{os.cpu_count()} cores of {processor.partition(': ')[2]}, {qemu.version()} with tcg"
    lines = [
        "# What a test pays for",
        "",
        f"Written by `python -m bench.test_run.run` on {datetime.date.today()}: {machine}.",
        f"Load average {os.getloadavg()[0]:.1f}: where it is more than 2, other work made the seconds longer.",
        "",
        "| what | seconds | CPU seconds of Ansible and ssh | CPU seconds of the node's QEMU |",
        "|---|---|---|---|",
    ]
    lines += [f"| {what} | {spent.wall:.2f} | {spent.host:.2f} | {spent.node:.2f} |" for what, spent in found.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write the table, fail when something is wrong."""
    found = measure()
    RESULT.write_text(table(found))
    print(RESULT.read_text())
    sys.exit("\n".join(complaints(found)) or None)


if __name__ == "__main__":
    main()
