# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for the session, and nodes that were converged by the very playbooks under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.remote_executions.run import Run, count
from lab import Lab, Node, NodeSpec
from tests import warm
from tests.plays import POLICY, SNAPSHOT, Site, files, look


@pytest.fixture(scope="session")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[Run]]]:
    """The node, and the two runs of nodes.yml that converged it."""
    with Lab("tests") as lab:
        lab.down()
        node = lab.start(NodeSpec("qat1", ids=("4940", "4940", "4942", "37c8"), driver=True))
        inventory = lab.inventory(tmp_path_factory.mktemp("inventory"))
        bare, before = look(node), files(node)
        runs = [count(inventory, qat_vf_policy=POLICY) for _run in range(2)]
        warm.start_on(node)
        lab.snapshot("qat1", SNAPSHOT)
        yield Site(lab, inventory, bare, before), runs


@pytest.fixture(scope="session")
def site(converged: tuple[Site, list[Run]]) -> Site:
    return converged[0]


@pytest.fixture(scope="session")
def runs(converged: tuple[Site, list[Run]]) -> list[Run]:
    return converged[1]


@pytest.fixture
def node(site: Site) -> Node:
    """The converged node, fresh."""
    return site.node()
