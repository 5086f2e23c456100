# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents and lists of the repository say is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    if name and not (ROOT / name).is_symlink() and (ROOT / name).is_file()
]
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
SOURCES = {".py", ".sh", ".yml", ".yaml", ".c", ".h", ".toml", ".cfg"}
# Written by a tool that drops comments.
WITHOUT_HEADER = {"ansible_collections/intel/qatvirt/changelogs/changelog.yaml"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_source(path: Path) -> bool:
    return relative(path) not in WITHOUT_HEADER and (path.suffix in SOURCES or path.read_bytes().startswith(b"#!"))


@pytest.mark.parametrize("path", sorted(path for path in FILES if is_source(path)), ids=relative)
def test_source_says_its_licence(path: Path) -> None:
    head = path.read_text(encoding="utf-8")[:400]
    kernel = path.suffix in {".c", ".h"}
    assert f"SPDX-License-Identifier: {'GPL-2.0-only' if kernel else 'GPL-3.0-or-later'}" in head
    assert "SPDX-FileCopyrightText: 2026 The intel.qatvirt authors" in head


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=relative)
def test_links_between_documents_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{relative(path)} links to {target}"


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=relative)
def test_make_targets_in_documents_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    # As a command in a code span or at a prompt; "make" is also a word.
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", path.read_text(encoding="utf-8")))
    assert named <= targets


def test_ci_is_make_test() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ['exec make -C "$(dirname "$0")/.." test']


def test_bundled_collections_are_what_requirements_ask_for() -> None:
    for wanted in yaml.safe_load((ROOT / "requirements.yml").read_text(encoding="utf-8"))["collections"]:
        manifest = ROOT / ".collections/ansible_collections" / wanted["name"].replace(".", "/") / "MANIFEST.json"
        bundled = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
        assert SpecifierSet(wanted["version"]).contains(bundled), wanted["name"]


def test_collection_depends_on_nothing_requirements_leave_out() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    asked = yaml.safe_load((ROOT / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert galaxy["dependencies"].items() <= {entry["name"]: entry["version"] for entry in asked}.items()


def requirements(path: Path) -> list[Requirement]:
    """The requirements of an .in or lock file, with those of the files it includes."""
    found: list[Requirement] = []
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.startswith("-r "):
            found += requirements(path.parent / line[3:])
        elif line[:1].isalnum():
            found.append(Requirement(re.sub(r"\s--hash.*", "", line).strip()))
    return found


@pytest.mark.parametrize("core", ["2.19", "2.21"])
def test_lock_has_what_is_asked_for(core: str) -> None:
    """`make lock` was run after the last change."""
    locked = {entry.name: entry for entry in requirements(ROOT / f"requirements/core-{core}.txt")}
    for asked in requirements(ROOT / f"requirements/core-{core}.in"):
        (pin,) = locked[asked.name.lower().replace(".", "-")].specifier
        assert pin.operator == "=="
        assert asked.specifier.contains(pin.version)
