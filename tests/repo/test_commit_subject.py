# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A commit whose subject has no scope or is too long is refused by git, once pre-commit is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bin.commit_subject import complaints

ROOT = Path(__file__).resolve().parents[2]
LONG = "lab: " + "x" * 68


@pytest.mark.parametrize(
    "message",
    ["node: read each PF once", "lab/cluster: join nodes\n\nWhy.\n", LONG[:72], "Merge branch 'x'", 'Revert "y"'],
)
def test_good_subject(message: str) -> None:
    assert complaints(message) == []


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("Read each PF once", "has no scope"),
        ("Node: read each PF once", "has no scope"),
        ("node:", "has no scope"),
        ("", "has no scope"),
        (LONG, "has 73 characters, expected at most 72"),
    ],
)
def test_bad_subject_is_named(message: str, complaint: str) -> None:
    (found,) = complaints(message + "\n\nThe why.\n")
    assert complaint in found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """An empty repository with this one's hook for commit messages, and nothing else of pre-commit."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (hook,) = [hook for hook in config["repos"][0]["hooks"] if hook["id"] == "commit-subject"]
    assert "commit-msg" in config["default_install_hook_types"]
    config["repos"][0]["hooks"] = [hook]
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for link in (".venv", "bin"):
        (tmp_path / link).symlink_to(ROOT / link)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", ".pre-commit-config.yaml"], cwd=tmp_path, check=True)
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize(("subject", "done"), [("node: read each PF once", True), ("Read each PF once", False)])
def test_git_refuses_a_commit_with_a_bad_subject(checkout: Path, subject: str, done: bool) -> None:
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.net"]
    commit = subprocess.run(
        ["git", *author, "commit", "--message", subject],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (commit.returncode == 0) is done, commit.stdout
    assert ("the subject has no scope" in commit.stdout) is not done
