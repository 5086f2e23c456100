# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bin/stages.py: a failure is never lost, and a verdict is reused only for the very same input."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "bin/stages.py"


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, at work in an empty git checkout with an empty cache."""
    spec = importlib.util.spec_from_file_location("stages", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "stages", module)
    spec.loader.exec_module(module)
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    monkeypatch.chdir(checkout)  # and back, for what main() changes
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(module, "ROOT", checkout)
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    return module


def commands(module: ModuleType, *commands: str, inputs: tuple[str, ...] = ()) -> None:
    """Let the group lint consist of these commands."""
    module.GROUPS["lint"] = tuple(module.Stage(command, command, inputs) for command in commands)


def test_stops_at_the_first_failure_and_shows_each_last_line(
    stages: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    commands(stages, "echo '== 3 passed in 1 s =='", "echo broken; false", "echo never")
    assert stages.main(["lint"]) == 1
    printed = capfd.readouterr().out
    assert "3 passed in 1 s\n" in printed.split("\npassed ")[1]
    assert "broken\n" in printed.split("\nFAILED ")[1]
    assert "never" not in printed.split("\n\n")[-1]
    assert "not run: 1 stages" in printed


def test_keeps_going_when_told_and_still_fails(stages: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    commands(stages, "false", "echo reached")
    assert stages.main(["--keep-going", "lint"]) == 1
    assert "reached\n" in capfd.readouterr().out


def test_verdict_is_reused_for_the_same_input_only(stages: ModuleType) -> None:
    source, log = stages.ROOT / "source", stages.CACHE.parent / "log"
    source.write_text("one", encoding="utf-8")
    commands(stages, f"cat source >> {log}", inputs=(".",))
    for text in ("one", "one", "two", "one"):
        source.write_text(text, encoding="utf-8")
        assert stages.main(["lint"]) == 0
    assert log.read_text(encoding="utf-8") == "onetwo"


def test_failed_verdict_is_not_reused(stages: ModuleType) -> None:
    commands(stages, "test -e /nonexistent", inputs=(".",))
    assert [stages.main(["lint"]), stages.main(["lint"])] == [1, 1]


def test_stage_without_what_it_needs_is_skipped_with_the_reason(
    stages: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    stages.WITHOUT["no-such-program"] = "make deps installs it"
    stages.GROUPS["lint"] = (stages.Stage("linter", "echo ran", needs="no-such-program"),)
    assert stages.main(["lint"]) == 0
    printed = capfd.readouterr().out
    assert "skipped  linter" in printed
    assert "make deps installs it\n" in printed
    assert "ran\n" not in printed


def test_every_reason_to_skip_a_stage_is_known(stages: ModuleType) -> None:
    assert {stage.needs for group in stages.GROUPS.values() for stage in group} - {""} == stages.WITHOUT.keys()


def test_unknown_group_is_told(stages: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert stages.main(["lnt"]) == 2
    assert capsys.readouterr().err == f"error: no group lnt; there are {', '.join(stages.GROUPS)}\n"


def test_lanes_run_side_by_side(stages: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    """Each waits for the other; behind the lane's name stands each line."""
    ours, theirs = (f"echo {name} >> {name}; until [ -e {other} ]; do sleep 0.01; done; cat {other}" for name, other in
                    (("a", "b"), ("b", "a")))  # fmt: skip
    stages.GROUPS["lab"] = (stages.Stage("first", ours, lane="one"), stages.Stage("second", theirs, lane="two"))
    assert stages.main(["lab"]) == 0
    assert {"one   | b", "two   | a"} <= set(capfd.readouterr().out.splitlines())


def test_a_failure_in_a_lane_lets_no_lane_begin_another_stage(stages: ModuleType) -> None:
    stages.GROUPS["lab"] = (
        stages.Stage("fails", "touch failed; false", lane="one"),
        stages.Stage("goes on", "until [ -e failed ]; do sleep 0.01; done; sleep 0.5", lane="two"),
        stages.Stage("never", "touch never", lane="two"),
    )
    assert stages.main(["lab"]) == 1
    assert not (stages.ROOT / "never").exists()


def test_a_test_runs_each_time_unless_told_to_resume(stages: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    source, log = stages.ROOT / "source", stages.CACHE.parent / "log"
    source.write_text("one", encoding="utf-8")
    commands(stages, f"cat source >> {log}; sleep 0.2")
    for options in ([], ["--resume"], []):
        assert stages.main(["lint", *options]) == 0
    assert log.read_text(encoding="utf-8") == "oneone"
    source.write_text("two", encoding="utf-8")
    assert stages.main(["lint", "--resume"]) == 0
    assert log.read_text(encoding="utf-8") == "oneonetwo"
    capfd.readouterr()
    assert stages.main(["lint", "--resume"]) == 0
    (row,) = (line for line in capfd.readouterr().out.splitlines() if line.startswith("passed"))
    assert re.search(r" (?!0\.0)\d+\.\d s  earlier, on the same input \(20", row)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """An interruption reaches this process, also where a shell started it in the background and has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_run_goes_on_where_it_was(
    stages: ModuleType, interruptible: None, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where it was told to keep going after failures."""
    log = stages.CACHE.parent / "log"
    first, third = f"echo first >> {log}", f"echo third >> {log}"
    # The pause lets a busy machine hear of the interruption before the stage ends.
    interrupt = "{ kill -INT $PPID; sleep 3; false; }"
    commands(stages, first, f"echo second >> {log}; test -e {log}.again || {interrupt}", third)
    assert stages.main(["lint", "--resume", "--keep-going"]) == 130
    assert "not run: 1 stages" in capfd.readouterr().out
    assert log.read_text(encoding="utf-8").split() == ["first", "second"]
    log.with_name("log.again").touch()
    assert stages.main(["lint", "--resume", "--keep-going"]) == 0
    assert log.read_text(encoding="utf-8").split() == ["first", "second", "second", "third"]
    table = capfd.readouterr().out.split("\n\n")[-1]
    assert table.count("passed  ") == 3
