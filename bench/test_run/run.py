# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what tests pay for a play, a module and a call of a warm interpreter: python -m bench.test_run.run"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from lab import Lab, Node, NodeSpec, qemu
from tests import warm
from tests.plays import ROOT, ansible_playbook

RESULT = Path(__file__).with_name("result.md")
TASKS = 4
"""Modules in the longer of two plays: their difference is what a module costs."""
LIMIT = 0.2
"""Share of a module in a play that a call of the warm interpreter may take."""
IMPORT = "import ansible_collections.intel.qatvirt.plugins.modules.qat_info"


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The shortest of some runs."""
    found = []
    for _time in range(times):
        start = time.monotonic()
        work()
        found.append(time.monotonic() - start)
    return min(found)


def measure() -> dict[str, float]:
    """Seconds by what they are for."""
    with Lab("bench-test-run") as lab, tempfile.TemporaryDirectory() as name:
        node = lab.start(NodeSpec("qat1", ids=("4940",), driver=True))
        inventory = lab.inventory(Path(name))
        return {**on_node(node), **in_plays(inventory, Path(name)), **here()}


def on_node(node: Node) -> dict[str, float]:
    """What a lab node needs for a module, without Ansible."""
    warm.start_on(node)
    python = f"PYTHONPATH={warm.ON_NODE} PYTHONDONTWRITEBYTECODE=1 PYTHONPYCACHEPREFIX=/nowhere python3 -c"
    return {
        "node: nothing (ssh, `true`)": seconds(lambda: node.run("true")),
        "node: start of Python": seconds(lambda: node.run("python3 -c pass")),
        "node: start of Python and all imports of qat_info, from source": seconds(
            lambda: node.run(f"{python} '{IMPORT}'")
        ),
        "node: qat_info by the warm interpreter": seconds(lambda: warm.on_node(node, "qat_info")),
    }


def in_plays(inventory: Path, directory: Path) -> dict[str, float]:
    """What Ansible takes for a play without a task, and for each module in a play."""

    def play(tasks: int) -> float:
        file = directory / f"{tasks}.yml"
        wanted = [{"intel.qatvirt.qat_info": {}}] * tasks
        file.write_text(yaml.safe_dump([{"hosts": "qat_nodes", "gather_facts": False, "tasks": wanted}]))
        return seconds(lambda: ansible_playbook("-i", inventory, file), times=2)

    none, one, more = play(0), play(1), play(1 + TASKS)
    return {
        "play without a task": none,
        "play of one qat_info": one,
        "each further qat_info in a play": (more - one) / TASKS,
    }


def here() -> dict[str, float]:
    """What a module beside the API takes on this host."""
    arguments = {"nodes": [], "cluster": False}
    command = ["-m", "intel.qatvirt.qat_validate", "-a", json.dumps(arguments)]
    ansible = [Path(sys.executable).with_name("ansible"), "-i", "localhost,", "-c", "local", "localhost", *command]
    return {
        "host: qat_validate by the command `ansible`": seconds(
            lambda: subprocess.run(ansible, cwd=ROOT, env=os.environ, capture_output=True, check=True)
        ),
        "host: qat_validate by the warm interpreter": seconds(lambda: warm.here("qat_validate", **arguments)),
    }


def complaints(found: dict[str, float]) -> list[str]:
    """What is wrong with the figures; nothing where the warm interpreter is worth its lines."""
    warm_call, module = found["node: qat_info by the warm interpreter"], found["each further qat_info in a play"]
    return [f"a warm call takes {warm_call:.1f} s of {module:.1f} s"] if warm_call > LIMIT * module else []


def table(found: dict[str, float]) -> str:
    """The result as Markdown."""
    processor = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line)
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores of {processor.partition(': ')[2]}, {qemu.version()} with tcg"
    lines = [
        "# What a test pays for",
        "",
        f"Written by `python -m bench.test_run.run` on {datetime.date.today()}, {machine}; load average {load:.1f}.",
        "",
        "| what | seconds |",
        "|---|---|",
    ]
    lines += [f"| {what} | {spent:.2f} |" for what, spent in found.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write the table, fail when something is wrong."""
    found = measure()
    RESULT.write_text(table(found))
    print(RESULT.read_text())
    sys.exit("\n".join(complaints(found)) or None)


if __name__ == "__main__":
    main()
