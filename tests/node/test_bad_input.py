# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input that cannot work: a clear error before anything is changed, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import Node
from tests.plays import POLICY, Site, look, play, shell

WRONG: dict[str, tuple[list[dict[str, object]], list[str]]] = {
    "service": ([{"services": ["crypto"]}], ["'crypto'", "sym"]),
    "capability": ([{"match": {"family": "4xxx"}, "services": ["decomp"]}], ["decomp", "0000:01:00.0"]),
    "generation": ([{"match": {"family": "c62x"}, "services": ["sym"]}], ["0000:04:00.0", "services"]),
    "number": ([{"vfs": 99}], ["99", "8"]),
    "address": ([{"match": {"address": "01:0x.0"}}], ["01:0x.0", "0000:"]),
    "family": ([{"match": {"family": "6xxx"}}], ["matches none", "0000:01:00.0"]),
    "device": ([{"match": {"device": "4941"}}], ["4941", "VF", "4940"]),
    "driver": ([{"driver": "igb_uio"}], ["igb_uio", "vfio-pci"]),
}
"""Policies, and what is said of each."""


def test_a_policy_that_cannot_work_is_explained_and_nothing_changed(site: Site, node: Node) -> None:
    before = look(node)
    told = {name: site.module("qat_vf", policy=policy)["msg"] for name, (policy, _words) in WRONG.items()}
    for name, (_policy, words) in WRONG.items():
        assert [word for word in words if word not in told[name]] == [], told[name]
    assert look(node) == before


@pytest.mark.long
def test_a_run_explains_policies_that_cannot_work(site: Site, node: Node, tmp_path: Path) -> None:
    """Of all of them in one run: to Ansible each is a host of its own."""
    hosts = {f"wrong-{name}": {"qat_vf_policy": policy} for name, (policy, _words) in WRONG.items()}
    before = look(node)
    refused = play(site.with_hosts(tmp_path, hosts), "nodes")
    assert refused.code != 0
    unexplained = [name for name, (_policy, words) in WRONG.items() if not refused.says(f"wrong-{name}", *words)]
    assert unexplained == [], refused.text
    assert look(node) == before


def test_read_only_sysfs_is_explained(site: Site, node: Node) -> None:
    shell(node, "echo 0000:01:10.0 > /sys/bus/pci/drivers/vfio-pci/unbind", "mount -o remount,ro /sys")
    refused = site.module("qat_vf", policy=POLICY)
    assert refused["failed"]
    for word in ("0000:01:10.0", "EROFS", "read-only"):
        assert word in refused["msg"]


@pytest.mark.long
def test_node_without_qat_is_explained(site: Site, node: Node) -> None:
    shell(node, "for pf in 1 2 3 4; do echo 1 > /sys/bus/pci/devices/0000:0$pf:00.0/remove; done")
    refused = site.play("nodes")
    assert refused.code != 0
    assert refused.says("NOQAT", "BIOS"), refused.text
