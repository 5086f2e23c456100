#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run groups of checks one after the other and end with a table of what each did and how long it took.

    bin/stages.py [--keep-going] GROUP...      with GROUP one of lint, unit, lab

Stops at the first stage that fails, unless told to keep going. A linter's verdict on unchanged input does not change,
so linters whose input passed before are not run again; tests always run.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("QATVIRT_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "qatvirt"))
COLLECTION = "ansible_collections/intel/qatvirt"
SHELL_FILES = "git grep -lE '^(#!.*sh$|# shellcheck shell=)'"
MOLECULE = "MOLECULE_GLOB='molecule/*/molecule.yml' molecule test"
UNIT = f"{COLLECTION}/tests/unit tests/contract/test_simulated.py"
# Every lint verdict also depends on the tools' versions and settings.
TOOLING = ("requirements", "pyproject.toml", ".ansible-lint", ".yamllint", "bin", "requirements.yml")


@dataclass(frozen=True)
class Stage:
    """One command of a group, a row of the table at the end."""

    name: str
    command: str
    inputs: tuple[str, ...] = ()
    """Paths that decide the verdict; none: always run."""
    next_core: bool = False
    """Needs .venv-next, which a machine without Python 3.12 or 3.13 does not have."""


GROUPS: dict[str, tuple[Stage, ...]] = {
    "lint": (
        Stage("ruff check", "ruff check", (".",)),
        Stage("ruff format", "ruff format --check", (".",)),
        Stage("mypy", "mypy", (".",)),
        Stage("shellcheck", f"{SHELL_FILES} | xargs shellcheck --severity=warning", (".",)),
        Stage("yamllint", "yamllint --strict .", (".",)),
        Stage("ansible-lint", "ansible-lint", (".",)),
        Stage("collection docs", f"antsibull-docs lint-collection-docs --plugin-docs {COLLECTION}", (COLLECTION,)),
        Stage("changelog", f"cd {COLLECTION} && antsibull-changelog lint", (COLLECTION,)),
        Stage("ansible-test sanity, core 2.19", "bin/sanity .venv", (COLLECTION,)),
        Stage("ansible-test sanity, core 2.21", "bin/sanity .venv-next", (COLLECTION,), next_core=True),
    ),
    "unit": (
        Stage("unit, core 2.19", f".venv/bin/python -m pytest {UNIT}"),
        Stage("unit, core 2.21", f".venv-next/bin/python -m pytest {UNIT}", next_core=True),
        Stage("repository", ".venv/bin/python -m pytest tests/repo"),
    ),
    "lab": (
        Stage("the lab itself", ".venv/bin/python -m pytest tests/lab_self"),
        Stage("kernel contract", ".venv/bin/python -m pytest tests/contract/test_lab.py"),
        Stage("node layer on lab nodes", ".venv/bin/python -m pytest tests/lab"),
        Stage("cluster layer on an API server", ".venv/bin/python -m pytest tests/api"),
        Stage("the lab's cluster", ".venv/bin/python -m pytest tests/cluster"),
        Stage("molecule nodes", f"{MOLECULE} -s nodes"),
        Stage("molecule reboot", f"{MOLECULE} -s reboot"),
    ),
}


@dataclass(frozen=True)
class Result:
    """What became of a stage: the verdict, its duration in seconds, and the last line it printed."""

    stage: Stage
    verdict: str
    seconds: float = 0.0
    remark: str = ""


def fingerprint(stage: Stage) -> str:
    """Hash of the command and of every file below its inputs that git tracks or could track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *stage.inputs, *TOOLING],
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


def run(command: str) -> tuple[int, str]:
    """Run a command with its output shown as it comes; returns its code and the last line it printed."""
    process = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    tail = b""
    while chunk := os.read(process.stdout.fileno(), 65536):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        tail = (tail + chunk)[-4096:]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", tail.decode(errors="replace"))
    lines = [line.strip(" =") for line in plain.splitlines() if line.strip(" =")]
    return process.wait(), lines[-1] if lines else ""


def perform(stage: Stage) -> Result:
    """Run one stage, unless it cannot run here or passed on the same input before."""
    if stage.next_core and not Path(".venv-next").exists():
        return Result(stage, "skipped", remark="no Python 3.12 or 3.13 on this machine")
    passed = CACHE.expanduser() / "passed" / fingerprint(stage) if stage.inputs else None
    if passed and passed.exists():
        return Result(stage, "passed", remark="on the same input before")
    start = time.monotonic()
    code, last = run(stage.command)
    if passed and code == 0:
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.touch()
    return Result(stage, "FAILED" if code else "passed", time.monotonic() - start, last)


def table(results: list[Result], left: int) -> str:
    """The closing table, one line a stage, and how to run again what failed."""
    width = max(len(result.stage.name) for result in results)
    rows = [f"{r.verdict:7}  {r.stage.name:{width}}  {r.seconds:6.1f} s  {r.remark}".rstrip() for r in results]
    rows.append(f"{'':7}  {'together':{width}}  {sum(result.seconds for result in results):6.1f} s")
    failed = [f"failed, to run alone: {r.stage.command}" for r in results if r.verdict == "FAILED"]
    return "\n".join(["", *rows, *failed, *([f"not run: {left} stages after it"] if left else [])])


def main(arguments: list[str]) -> int:
    """Run the stages of the groups; 0 when all passed, 1 when one failed, 2 for a group that does not exist."""
    groups = [argument for argument in arguments if argument != "--keep-going"]
    unknown = [group for group in groups if group not in GROUPS]
    if unknown or not groups:
        print(f"error: no group {', '.join(unknown) or 'given'}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    os.environ["PATH"] = f"{ROOT}/.venv/bin:{os.environ['PATH']}"
    stages = [stage for group in groups for stage in GROUPS[group]]
    results: list[Result] = []
    for number, stage in enumerate(stages, 1):
        print(f"==> [{number}/{len(stages)}] {stage.name}", flush=True)
        results.append(perform(stage))
        if results[-1].verdict == "FAILED" and "--keep-going" not in arguments:
            break
    print(table(results, len(stages) - len(results)))
    return int(any(result.verdict == "FAILED" for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
