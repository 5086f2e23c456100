# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml where there is no cluster (with one: tests/site/test_site.py)."""

from __future__ import annotations

import pytest

from lab import Node
from tests.plays import Site

pytestmark = pytest.mark.long


def test_without_a_cluster_the_nodes_are_done_and_the_rest_is_told(site: Site, node: Node) -> None:
    done = site.play("site")
    assert done.code == 0, done.text
    assert done.changed() == 0
    assert "The nodes are done. No cluster was named" in done.text
