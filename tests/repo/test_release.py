# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release of the collection could be made of the tree as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections/intel/qatvirt"
SECTIONS_WITHOUT_TEXT = {"trivial"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def one_line(text: str) -> str:
    """The text with each run of blanks and line ends as one blank: line breaks differ between fragment and RST."""
    return " ".join(text.split())


def pending_texts(checkout: Path) -> list[str]:
    """What the fragments that no release has consumed say, entry by entry."""
    texts: list[str] = []
    for fragment in (checkout / COLLECTION / "changelogs/fragments").glob("*.y*ml"):
        for section, entries in load(fragment).items():
            if section not in SECTIONS_WITHOUT_TEXT:
                texts += [entries] if isinstance(entries, str) else entries
    return texts


def next_version(checkout: Path) -> str:
    major, minor, _ = load(checkout / COLLECTION / "galaxy.yml")["version"].split(".")
    return f"{major}.{int(minor) + 1}.0"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what git tracks or could track, with a fragment of its own beside those that are pending."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "bin", COLLECTION],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in set(listed.split("\0")) - {""}:
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    for link in (".venv", ".collections"):
        (tmp_path / link).symlink_to(ROOT / link)
    fragment = tmp_path / COLLECTION / "changelogs/fragments/of-the-test.yml"
    fragment.write_text("minor_changes:\n  - A change that only the test of the release knows.\n", encoding="utf-8")
    return tmp_path


def run(*command: str | Path, cwd: Path) -> None:
    """Run a command; where it fails, the test fails with its output."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_next_release_has_what_the_pending_fragments_say(checkout: Path) -> None:
    version, texts = next_version(checkout), pending_texts(checkout)
    run("bin/release", version, cwd=checkout)
    notes = (checkout / COLLECTION / "CHANGELOG.rst").read_text(encoding="utf-8")
    headings = {f"v{known}" for known in load(checkout / COLLECTION / "changelogs/changelog.yaml")["releases"]}
    assert f"v{version}" in headings
    assert headings <= set(notes.splitlines())
    newest = one_line(notes.split(f"\nv{version}\n")[1].split("\nv")[0])
    assert [text for text in texts if one_line(text) not in newest] == []


def test_release_consumes_the_fragments_and_leaves_a_clean_changelog(checkout: Path) -> None:
    run("bin/release", next_version(checkout), cwd=checkout)
    assert pending_texts(checkout) == []
    run("antsibull-changelog", "lint", cwd=checkout / COLLECTION)


def test_release_gives_the_collection_and_its_report_the_version(checkout: Path) -> None:
    version = next_version(checkout)
    run("bin/release", version, cwd=checkout)
    assert load(checkout / COLLECTION / "galaxy.yml")["version"] == version
    report = checkout / COLLECTION / "plugins/module_utils/proof/report.py"
    assert f'COLLECTION = "{version}"' in report.read_text(encoding="utf-8").splitlines()


def test_newest_release_is_the_version_of_the_collection() -> None:
    releases = load(ROOT / COLLECTION / "changelogs/changelog.yaml")["releases"]
    newest = max(releases, key=lambda version: [int(part) for part in version.split(".")])
    assert newest == load(ROOT / COLLECTION / "galaxy.yml")["version"], "galaxy.yml changes by bin/release only"
