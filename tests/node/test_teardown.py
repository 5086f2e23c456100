# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' state absent: a node is what it was before the first touch."""

from __future__ import annotations

from lab import Node
from tests.plays import Site, files, look


def test_teardown_puts_the_node_back(site: Site, node: Node) -> None:
    done = site.play("teardown")
    assert done.code == 0, done.text
    assert look(node) == site.bare
    assert files(node) == site.files
    assert node.run("ls -d /sys/module/vfio_pci /var/lib/qatvirt", check=False).stdout == ""
    assert site.play("teardown").changed() == 0
