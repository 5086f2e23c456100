# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents and numbers that are made from code are those of today's code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.check import Check
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import CHECKS
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import COLLECTION as VERSION_IN_REPORTS
from bin.docs import COLLECTION, documents, options_table
from tests.drills import DRILLS

ROOT = Path(__file__).resolve().parents[2]


GENERATED = documents()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_generated_document_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path], "run make docs"


@pytest.mark.parametrize("role", sorted((COLLECTION / "roles").iterdir()), ids=lambda role: role.name)
def test_readme_of_a_role_is_generated(role: Path) -> None:
    assert role / "README.md" in GENERATED


def test_options_table_shows_suboptions_choices_and_markup() -> None:
    specs = {
        "main": {
            "options": {
                "rules": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "description": ["See O(intel.qatvirt.qat_vf#role:main:qat_vf_policy).", "V(a|b) of M(x.y.z)."],
                    "options": {"kind": {"type": "str", "choices": ["", "one"], "required": True, "description": []}},
                }
            }
        }
    }
    assert options_table(specs).splitlines()[2:] == [
        r"| `rules` | list of dict | `[]` | See `qat_vf_policy`. `a\|b` of `x.y.z`. |",
        '| `rules[].kind` | str | **required** | One of `""`, `one`. |',
    ]


@pytest.mark.parametrize("role", sorted((COLLECTION / "roles").iterdir()), ids=lambda role: role.name)
def test_options_of_a_role_have_the_defaults_that_its_specs_tell(role: Path) -> None:
    """A default that is computed by a template is told in words."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    told = {name: option["default"] for name, option in specs["main"]["options"].items() if "default" in option}
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text(encoding="utf-8"))
    assert defaults.keys() <= specs["main"]["options"].keys()
    assert told == {name: value for name, value in defaults.items() if "{{" not in str(value)}


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", COLLECTION / "README.md", *COLLECTION.glob("roles/*/README.md")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_lines_of_prose_have_at_most_120_characters(path: Path) -> None:
    prose = re.sub(r"^```.*?^```$|^\|[^\n]*$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert [line for line in prose.splitlines() if len(line) > 120] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_anchor_of_a_check_exists(check: Check) -> None:
    path, anchor = check.anchor.split("#")
    headings = [
        line[4:].lower() for line in (ROOT / path).read_text(encoding="utf-8").splitlines() if line[:4] == "### "
    ]
    assert anchor in headings


def test_drills_are_distinct_faults() -> None:
    assert len({entry.name for entry in DRILLS}) == len(DRILLS)
    assert len({(entry.fault, entry.check) for entry in DRILLS}) == len(DRILLS) >= 25


def test_report_names_the_version_of_the_collection() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert galaxy["version"] == VERSION_IN_REPORTS
