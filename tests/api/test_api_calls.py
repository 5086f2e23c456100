# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of API calls, whatever the number of nodes and VFs."""

from __future__ import annotations

from bench.api_calls.run import complaints, measure


def test_budget_is_kept_and_size_makes_no_difference() -> None:
    assert complaints(measure()) == []
