# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and memory of all checks on sites of up to 1,000 nodes x 128 VFs: python -m bench.checks.run

Each size is measured in a process of its own. The measured part is what the module qat_validate does: from its options
as JSON, with the facts of all nodes, to the report as JSON. The site is generated; calls of the API are not measured
here (see bench/api_calls).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.snapshot import ClusterSnapshot
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import validate
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import report
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.site import Site
from ansible_collections.intel.qatvirt.plugins.modules.qat_validate import node_of
from ansible_collections.intel.qatvirt.tests.unit.proof import sites

HERE = Path(__file__).parent
RESULT, PLOT = HERE / "result.md", HERE / "plot.svg"
PFS = 8
"""Number of PFs of each node, with 16 VFs each: a two-socket node of Gen4."""
NODES = (125, 250, 500, 750, 1000)
"""Sizes of the sites: number of nodes."""
SECONDS, MEGABYTES = 30.0, 1000.0
"""Limits for the largest site."""
BEND = 1.5
"""Limit for the time of a VF on the largest site divided by that on the smallest; linear growth has 1."""


def write_site(directory: Path, nodes: int) -> None:
    """Write what the module is given and what it reads: hosts.json and snapshot.json."""
    workloads = {f"node{number}": "container" if number % 2 == 0 else "vm" for number in range(1, nodes + 1)}
    facts = sites.healthy_facts(PFS)
    hosts = [
        {
            "name": name,
            "node_name": None,
            "workload": workload,
            "facts": {**facts, "node": name},
            "policy": sites.POLICY,
            "kernel_args": [],
        }
        for name, workload in workloads.items()
    ]
    (directory / "hosts.json").write_text(json.dumps(hosts))
    (directory / "snapshot.json").write_text(json.dumps(asdict(sites.snapshot(workloads, PFS * sites.VFS))))


def check_site(directory: Path) -> dict[str, float]:
    """Run all checks on a written site: seconds of processor time, and megabytes that this process had at most."""
    start = time.process_time()
    hosts = json.loads((directory / "hosts.json").read_text())
    raw = json.loads((directory / "snapshot.json").read_text())
    collection, found = raw.pop("hyperconvergeds")
    site = Site(
        tuple(map(node_of, hosts)),
        snapshot=ClusterSnapshot(**raw, hyperconvergeds=(collection, found)),
        resources=sites.RESOURCES,
    )
    answers = validate(site)
    wrong = [answer.check.id for answer in answers if answer.findings]
    if wrong:
        sys.exit(f"checks {wrong} have findings on the generated site, expected none")
    json.dumps(report(site, answers, "2026-01-01T00:00:00Z"))
    seconds = time.process_time() - start
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


def measure(nodes: int) -> dict[str, float]:
    """Measure the checks of a site of that many nodes, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        write_site(Path(name), nodes)
        done = subprocess.run(
            [sys.executable, "-m", "bench.checks.run", name], check=True, capture_output=True, text=True
        )
    result: dict[str, float] = json.loads(done.stdout)
    return {"nodes": nodes, "vfs": nodes * PFS * sites.VFS, **result}


def complaints(runs: list[dict[str, float]]) -> list[str]:
    """The limits that the measurements pass."""
    first, last = runs[0], runs[-1]
    found = []
    if last["seconds"] > SECONDS or last["megabytes"] > MEGABYTES:
        found.append(
            f"{last['nodes']} nodes take {last['seconds']:.1f} s and {last['megabytes']:.0f} MB, "
            f"expected at most {SECONDS:.0f} s and {MEGABYTES:.0f} MB"
        )
    bend = (last["seconds"] / last["vfs"]) / (first["seconds"] / first["vfs"])
    if bend > BEND:
        found.append(f"a VF costs {bend:.2f} times as much on {last['nodes']} nodes as on {first['nodes']}: not linear")
    return found


def table(runs: list[dict[str, float]]) -> str:
    """The result as Markdown."""
    rows = [
        f"| {run['nodes']:,} | {run['vfs']:,} | {run['seconds']:.2f} | {run['megabytes']:.0f} "
        f"| {run['seconds'] / run['vfs'] * 1e6:.1f} |"
        for run in runs
    ]
    return "\n".join([_HEAD, *rows, "", "![seconds by VFs](plot.svg)", ""])


_HEAD = f"""\
# All checks on large sites

Written by `python -m bench.checks.run`. From the facts of all nodes as JSON to the report as JSON, in one process;
seconds are processor time. Limits at the largest size: {SECONDS:.0f} s, {MEGABYTES:.0f} MB, and {BEND} times the cost
of a VF at the smallest.

| nodes | VFs | seconds | MB | µs a VF |
|---|---|---|---|---|"""


def plot(runs: list[dict[str, float]]) -> str:
    """A plot in SVG: seconds by number of VFs, with the straight line from the origin to the last point."""
    width, height, left, bottom = 640, 360, 60, 50
    most = {"vfs": runs[-1]["vfs"] * 1.05, "seconds": max(run["seconds"] for run in runs) * 1.15}

    def at(vfs: float, seconds: float) -> tuple[float, float]:
        x = left + vfs / most["vfs"] * (width - left - 20)
        return x, height - bottom - seconds / most["seconds"] * (height - bottom - 30)

    points = [at(run["vfs"], run["seconds"]) for run in runs]
    (x0, y0), (x1, y1) = at(0, 0), at(runs[-1]["vfs"], runs[-1]["seconds"])
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0068b5"/>' for x, y in points)
    labels = "".join(
        f'<text x="{x:.1f}" y="{height - bottom + 18}" text-anchor="middle">{run["vfs"] / 1000:.0f}k</text>'
        f'<text x="{x - 8:.1f}" y="{y - 8:.1f}" text-anchor="end">{run["seconds"]:.1f} s</text>'
        for run, (x, y) in zip(runs, points, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="13"'
        ' font-family="sans-serif">'
        "<title>Seconds for all checks by number of VFs</title>"
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{x0} 30V{y0:.1f}H{width - 20}" fill="none" stroke="#666"/>'
        f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="#aaa" stroke-dasharray="5 4"/>'
        f"{marks}{labels}"
        f'<text x="{width / 2}" y="{height - 10}" text-anchor="middle">VFs (dashed: exactly linear)</text>'
        f'<text x="{left}" y="20">seconds, all checks</text></svg>\n'
    )


def main() -> None:
    """Measure, write the table and the plot, fail when a limit is passed."""
    if len(sys.argv) > 1:
        print(json.dumps(check_site(Path(sys.argv[1]))))
        return
    runs: list[dict[str, Any]] = [measure(nodes) for nodes in NODES]
    RESULT.write_text(table(runs))
    PLOT.write_text(plot(runs))
    print(RESULT.read_text())
    sys.exit("\n".join(complaints(runs)) or None)


if __name__ == "__main__":
    main()
