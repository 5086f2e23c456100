# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of one PF with 8 VFs and one of four PFs with 16 VFs each: the same number of remote executions."""

from __future__ import annotations

import pytest

from bench.remote_executions.run import complaints, measure

pytestmark = pytest.mark.long


def test_the_size_of_a_node_makes_no_difference() -> None:
    assert complaints(measure()) == []
