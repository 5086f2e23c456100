# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of API calls on a site of some size (that it is the same for any size: bench/api_calls)."""

from __future__ import annotations

import pytest

from bench.api_calls.run import complaints, measure

pytestmark = pytest.mark.long


def test_twenty_nodes_are_converged_within_the_budget() -> None:
    assert complaints(measure("20 nodes x 128 VFs")) == []
