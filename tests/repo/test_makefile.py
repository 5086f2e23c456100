# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets of make are those that documents and the CI name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repo.tracked import DOCUMENTS, ROOT, name_of


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=name_of)
def test_make_targets_in_documents_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    # As a command in a code span or at a prompt; "make" is also a word.
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", path.read_text(encoding="utf-8")))
    assert named <= targets


def test_ci_is_make_test() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ['exec make -C "$(dirname "$0")/.." test']
