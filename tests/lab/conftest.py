# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for the session, and nodes that were converged by the very playbooks under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Lab, Node, NodeSpec
from tests.lab.plays import POLICY, SNAPSHOT, Site, files, look, play


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Lab("tests") as lab:
        lab.down()
        node = lab.start(NodeSpec("qat1", ids=("4940", "4940", "4942", "37c8"), driver=True))
        inventory = lab.inventory(tmp_path_factory.mktemp("inventory"))
        bare, before = look(node), files(node)
        first, second = (play(inventory, "nodes", qat_vf_policy=POLICY) for _run in range(2))
        assert (first.code, second.code) == (0, 0), first.text + second.text
        lab.snapshot("qat1", SNAPSHOT)
        yield Site(lab, inventory, bare, before, first, second)


@pytest.fixture
def node(site: Site) -> Node:
    """The converged node, fresh."""
    return site.node()
