# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of remote executions, on a small node and on one of 4 PFs with 16 VFs each."""

from __future__ import annotations

from bench.remote_executions.run import complaints, measure


def test_budget_is_kept_and_size_makes_no_difference() -> None:
    assert complaints(measure()) == []
