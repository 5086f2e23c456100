# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input that cannot work: a clear error before anything is changed, end to end."""

from __future__ import annotations

import pytest

from lab import Node
from tests.lab.plays import Site, look, shell


@pytest.fixture(scope="module")
def shared(site: Site) -> Node:
    """One node for all wrong policies: none may change it."""
    return site.node()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ([{"services": ["crypto"]}], ["'crypto'", "sym"]),
        ([{"match": {"family": "4xxx"}, "services": ["decomp"]}], ["decomp", "0000:01:00.0"]),
        ([{"match": {"family": "c62x"}, "services": ["sym"]}], ["0000:04:00.0", "services"]),
        ([{"vfs": 99}], ["99", "8"]),
        ([{"match": {"address": "01:0x.0"}}], ["01:0x.0", "0000:"]),
        ([{"match": {"family": "6xxx"}}], ["matches none", "0000:01:00.0"]),
        ([{"match": {"device": "4941"}}], ["4941", "VF", "4940"]),
        ([{"driver": "igb_uio"}], ["igb_uio", "vfio-pci"]),
    ],
)
def test_policy_that_cannot_work_is_explained(
    site: Site, shared: Node, policy: list[dict[str, object]], words: list[str]
) -> None:
    before = look(shared)
    refused = site.play("nodes", qat_vf_policy=policy)
    assert refused.code != 0
    assert refused.says("qat1", *words), refused.text
    assert look(shared) == before


def test_read_only_sysfs_is_explained(site: Site, node: Node) -> None:
    shell(node, "echo 0000:01:10.0 > /sys/bus/pci/drivers/vfio-pci/unbind", "mount -o remount,ro /sys")
    refused = site.play("nodes")
    assert refused.code != 0
    assert refused.says("0000:01:10.0", "EROFS", "read-only"), refused.text


def test_node_without_qat_is_explained(site: Site, node: Node) -> None:
    shell(node, "for pf in 1 2 3 4; do echo 1 > /sys/bus/pci/devices/0000:0$pf:00.0/remove; done")
    refused = site.play("nodes")
    assert refused.code != 0
    assert refused.says("NOQAT", "BIOS"), refused.text
