#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run groups of checks one after the other and end with a table of what each did and how long it took.

    bin/stages.py [--keep-going] [--resume] GROUP...

with GROUP one of lint, unit, browser, lab, site, long-lab, long-site.

Stops at the first stage that fails, unless told to keep going. A linter's verdict on unchanged input does not change,
so linters whose input passed before are not run again. Tests run each time, unless told to resume: then stages that
have passed on this very tree are not run again, so that a run of hours goes on where it was interrupted. Stages of a
group that are of different lanes run side by side: a play keeps either this machine busy or the lab's node, rarely
both. KubeVirt needs all of the machine, or its deadlines pass.

The groups up to site are `make test`. What takes long and rarely breaks has the pytest marker long, and is run by the
long groups of `make test-all`. tests/repo/test_split.py holds each test to exactly one stage.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("QATVIRT_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "qatvirt"))
COLLECTION = "ansible_collections/intel/qatvirt"
SHELL_FILES = "git grep -lE '^(#!.*sh$|# shellcheck shell=)'"
MOLECULE = "MOLECULE_GLOB='molecule/*/molecule.yml' molecule test"
UNIT = f"{COLLECTION}/tests/unit tests/contract/test_simulated.py tests/lab/unit"
SHORT, LONG = (f".venv/bin/python -m pytest -m '{marker}'" for marker in ("not long", "long"))
# Every lint verdict also depends on the tools' versions and settings.
TOOLING = ("requirements", "pyproject.toml", ".ansible-lint", ".yamllint", "bin", "requirements.yml")


# Why `make deps-python` leaves a stage without what it needs.
WITHOUT = {
    ".venv-next": "no Python 3.12 or 3.13 on this machine",
    "shellcheck": "no shellcheck on this machine; make deps installs it",
}


@dataclass(frozen=True)
class Stage:
    """One command of a group, a row of the table at the end."""

    name: str
    command: str
    inputs: tuple[str, ...] = ()
    """Paths that decide the verdict of a linter; none: a test, which always runs unless told to resume."""
    needs: str = ""
    """A program or a link of the checkout without which the stage is skipped: a key of WITHOUT."""
    lane: str = ""
    """Stages of one lane run one after the other."""


GROUPS: dict[str, tuple[Stage, ...]] = {
    "lint": (
        Stage("ruff check", "ruff check", (".",), lane="first"),
        Stage("ruff format", "ruff format --check", (".",), lane="first"),
        Stage("mypy", "mypy", (".",), lane="first"),
        Stage(
            "shellcheck",
            f"{SHELL_FILES} | xargs shellcheck --severity=warning",
            (".",),
            needs="shellcheck",
            lane="first",
        ),
        Stage("yamllint", "yamllint --strict .", (".",), lane="first"),
        Stage("ansible-lint", "ansible-lint", (".",), lane="second"),
        Stage(
            "collection docs",
            f"antsibull-docs lint-collection-docs --plugin-docs {COLLECTION}",
            (COLLECTION,),
            lane="second",
        ),
        Stage("changelog", f"cd {COLLECTION} && antsibull-changelog lint", (COLLECTION,), lane="second"),
        Stage("ansible-test sanity, core 2.19", "bin/sanity .venv", (COLLECTION,), lane="first"),
        Stage(
            "ansible-test sanity, core 2.21", "bin/sanity .venv-next", (COLLECTION,), needs=".venv-next", lane="second"
        ),
    ),
    "unit": (
        Stage("unit, core 2.19", f".venv/bin/python -m pytest {UNIT}", lane="2.19"),
        Stage("unit, core 2.21", f".venv-next/bin/python -m pytest {UNIT}", needs=".venv-next", lane="2.21"),
        Stage("repository", ".venv/bin/python -m pytest tests/repo", lane="2.19"),
    ),
    "browser": (Stage("the report in a browser", ".venv/bin/python -m pytest tests/browser"),),
    "lab": (
        Stage("the lab itself", f"{SHORT} tests/lab --ignore=tests/lab/unit", lane="fresh"),
        Stage("kernel contract", f"{SHORT} tests/contract/test_lab.py", lane="fresh"),
        Stage("node layer on lab nodes", f"{SHORT} tests/node", lane="nodes"),
        Stage("cluster layer on an API server", f"{SHORT} tests/cluster", lane="api"),
    ),
    "site": (Stage("site.yml on a cluster", f"{SHORT} tests/site"),),
    "long-lab": (
        Stage("long: the lab's cluster", f"{LONG} tests/lab", lane="fresh"),
        Stage("long: molecule nodes", f"{MOLECULE} -s nodes", lane="fresh"),
        Stage("long: molecule reboot", f"{MOLECULE} -s reboot", lane="fresh"),
        Stage("long: node layer on lab nodes", f"{LONG} tests/node", lane="nodes"),
        Stage("long: cluster layer on an API server", f"{LONG} tests/cluster", lane="api"),
    ),
    "long-site": (Stage("long: site.yml on a cluster", f"{LONG} tests/site"),),
}


@dataclass(frozen=True)
class Result:
    """What became of a stage: the verdict, its duration in seconds, and the last line it printed."""

    stage: Stage
    verdict: str
    seconds: float = 0.0
    remark: str = ""


def fingerprint(stage: Stage) -> str:
    """Hash of the command and of every file below its inputs, of a test the whole tree, that git tracks or could."""
    inputs = stage.inputs or (".",)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *inputs, *TOOLING],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    digest = hashlib.sha256(stage.command.encode())
    for name in sorted(set(listed.split("\0")) - {""}):
        path = Path(name)
        content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        digest.update(f"\0{name}\0{hashlib.sha256(content).hexdigest()}".encode())
    return digest.hexdigest()


def run(command: str, lane: str) -> tuple[int, str]:
    """Run a command with its output shown as it comes, in a lane line by line behind the lane's name.

    Returns its code and the last line it printed.
    """
    process = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    output = process.stdout
    chunks: Iterable[bytes] = output if lane else iter(lambda: os.read(output.fileno(), 65536), b"")
    tail = b""
    for chunk in chunks:
        show(chunk, lane)
        tail = (tail + chunk)[-4096:]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", tail.decode(errors="replace"))
    lines = [line.strip(" =") for line in plain.splitlines() if line.strip(" =")]
    return process.wait(), lines[-1] if lines else ""


_TERMINAL = threading.Lock()


def show(text: bytes, lane: str) -> None:
    """Write to the terminal at once."""
    with _TERMINAL:
        sys.stdout.buffer.write(f"{lane:6}| ".encode() + text if lane else text)
        sys.stdout.buffer.flush()


def perform(stage: Stage, resume: bool) -> Result:
    """Run one stage, unless it cannot run here or passed on the same input before and need not run each time."""
    if stage.needs and not (Path(stage.needs).exists() or shutil.which(stage.needs)):
        return Result(stage, "skipped", remark=WITHOUT[stage.needs])
    passed = CACHE.expanduser() / "passed" / fingerprint(stage)
    if passed.exists() and (stage.inputs or resume):
        when = datetime.fromtimestamp(passed.stat().st_mtime).astimezone()
        seconds = float(passed.read_text(encoding="utf-8") or 0)
        return Result(stage, "passed", seconds, f"earlier, on the same input ({when:%Y-%m-%d %H:%M})")
    start = time.monotonic()
    code, last = run(stage.command, stage.lane)
    seconds = time.monotonic() - start
    if code == 0:
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.write_text(f"{seconds:.1f}", encoding="utf-8")
    return Result(stage, "FAILED" if code else "passed", seconds, last)


def perform_group(stages: tuple[Stage, ...], keep_going: bool, resume: bool, results: list[Result]) -> None:
    """Run the stages of a group, lanes side by side, and add to results what became of them.

    After a failure no lane begins another stage, unless told to; after an interruption none does.
    """
    ended = threading.Event()

    def follow(lane: str) -> None:
        for stage in stages:
            if stage.lane == lane and not ended.is_set():
                show(f"==> {stage.name}\n".encode(), lane)
                result = perform(stage, resume)
                show(f"<== {stage.name}: {result.verdict} in {result.seconds:.0f} s\n".encode(), lane)
                results.append(result)
                if result.verdict == "FAILED" and not keep_going:
                    ended.set()

    lanes = list(dict.fromkeys(stage.lane for stage in stages))
    with ThreadPoolExecutor(len(lanes)) as pool:
        following = [pool.submit(follow, lane) for lane in lanes]
        try:
            for lane in following:
                lane.result()
        except KeyboardInterrupt:
            ended.set()
            raise


def table(results: list[Result], left: int, seconds: float) -> str:
    """The closing table, one line a stage, and how to run again what failed."""
    width = max([len(result.stage.name) for result in results], default=0)
    rows = [f"{r.verdict:7}  {r.stage.name:{width}}  {r.seconds:6.1f} s  {r.remark}".rstrip() for r in results]
    rows.append(f"{'':7}  {'this run':{width}}  {seconds:6.1f} s")
    failed = [f"failed, to run alone: {r.stage.command}" for r in results if r.verdict == "FAILED"]
    return "\n".join(["", *rows, *failed, *([f"not run: {left} stages after it"] if left else [])])


OPTIONS = ("--keep-going", "--resume")


def main(arguments: list[str]) -> int:
    """Run the stages of the groups.

    0 when all passed, 1 when one failed, 2 for a group that does not exist, 130 when interrupted.
    """
    groups = [argument for argument in arguments if argument not in OPTIONS]
    unknown = [group for group in groups if group not in GROUPS]
    if unknown or not groups:
        print(f"error: no group {', '.join(unknown) or 'given'}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    os.environ["PATH"] = f"{ROOT}/.venv/bin:{os.environ['PATH']}"
    keep_going, resume = (option in arguments for option in OPTIONS)
    start = time.monotonic()
    results: list[Result] = []
    code = 0
    try:
        for group in groups:
            if code == 0 or keep_going:
                perform_group(GROUPS[group], keep_going, resume, results)
                code = int(any(result.verdict == "FAILED" for result in results))
    except KeyboardInterrupt:
        code = 130
    stages = [stage for group in groups for stage in GROUPS[group]]
    results.sort(key=lambda result: stages.index(result.stage))
    print(table(results, len(stages) - len(results), time.monotonic() - start))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
