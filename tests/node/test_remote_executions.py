# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of remote executions (that no size of a node makes a difference: bench/remote_executions)."""

from __future__ import annotations

from bench.remote_executions.run import Run, complaints


def test_a_node_of_four_pfs_is_converged_within_the_budget(runs: list[Run]) -> None:
    assert complaints({"4 PFs x 8 VFs": runs}) == []
