# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test is in exactly one of `make test` and `make test-all`'s own stages: none is lost, none runs twice."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "bin/stages.py"
ROOMS = ("ansible_collections/intel/qatvirt/tests/unit", "tests")
"""Directories with all tests, each for a process of its own: both import ansible_collections, from different places."""
PYTEST = "/bin/python -m pytest "


@pytest.fixture(scope="module")
def stages() -> ModuleType:
    """bin/stages.py as a module."""
    spec = importlib.util.spec_from_file_location("stages_to_split", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def commands(stages: ModuleType) -> list[str]:
    """What all stages run; the unit tests once, not once for each ansible-core."""
    every = [stage for group in stages.GROUPS.values() for stage in group]
    return [stage.command for stage in every if stage.needs != ".venv-next"]


COLLECT = """
import contextlib, io, json, sys
import pytest

class Collected:
    def pytest_collection_finish(self, session):
        self.tests = [item.nodeid for item in session.items]

found = []
for arguments in json.load(sys.stdin):
    collected, said = Collected(), io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "--quiet", *arguments], plugins=[collected])
    if code:
        sys.exit(said.getvalue())
    found.append(collected.tests)
json.dump(found, sys.stdout)
"""
"""Collects for one list of arguments after the other in one process, which imports each file with tests once."""


def selected_by(runs: list[list[str]]) -> list[list[str]]:
    """Ids of the tests that each of these runs of pytest selects."""
    command = [sys.executable, "-c", COLLECT]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(runs), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_every_test_is_in_exactly_one_stage(commands: list[str]) -> None:
    runs = [shlex.split(command.partition(PYTEST)[2]) for command in commands if PYTEST in command]
    with_units = [run for run in runs if ROOMS[0] in run]
    others = [run for run in runs if run not in with_units]
    *first, units = selected_by([*with_units, [ROOMS[0]]])
    *second, rest = selected_by([*others, [ROOMS[1]]])
    selected = Counter(test for run in first + second for test in run)
    assert [test for test, times in selected.items() if times > 1] == []
    assert set(selected) == {*units, *rest}


def test_every_molecule_scenario_is_in_exactly_one_stage(commands: list[str]) -> None:
    scenarios = [path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")]
    run = [name for command in commands for name in re.findall(r"molecule test -s (\S+)", command)]
    assert sorted(run) == sorted(scenarios)


def test_make_test_all_runs_the_stages_of_make_test_and_all_others(stages: ModuleType) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    groups = {
        target: re.findall(rf"^{target}: .*\n\t@bin/stages.py ([a-z -]+)$", makefile, re.MULTILINE)[0].split()
        for target in ("test", "test-all")
    }
    every, short = groups["test-all"], groups["test"]
    assert [group for group in every if not group.startswith("--")] == list(stages.GROUPS)
    assert short == list(stages.GROUPS)[: len(short)]
    assert all(group.startswith("long-") for group in list(stages.GROUPS)[len(short) :])
