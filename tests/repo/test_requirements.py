# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections are those that are asked for and bundled, and the hash locks pin what is asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.repo.tracked import ROOT


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
