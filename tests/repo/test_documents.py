# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents and numbers that are made from code are those of today's code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.check import Check
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.checks_doc import catalogue
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import CHECKS
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import COLLECTION
from tests.drills import DRILLS, table

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("name", "text"), [("checks.md", catalogue), ("drills.md", table)])
def test_document_is_current(name: str, text: Callable[[], str]) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text(), "run bin/checks-doc"


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
    assert galaxy["version"] == COLLECTION
