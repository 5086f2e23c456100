# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: all problems of a node at once, before anything is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import preflight
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel


def findings(node: SimKernel, root: Path, policy: object = None, skip: bool = False) -> list[tuple[str, str]]:
    found = preflight(facts_of(node, root), [{}] if policy is None else policy, [], skip)
    assert all(item["node"] == "node1" and item["message"] and item["fix"] for item in found)
    return [(item["severity"], item["id"]) for item in found]


def held_node() -> SimKernel:
    node = with_host(SimKernel())
    converge(node, parse_policy([{}]))
    node.hold("0000:6b:00.3")
    return node


def test_preflight_finds_nothing_on_a_good_node(tmp_path: Path) -> None:
    assert findings(with_host(SimKernel()), tmp_path) == []


@pytest.mark.parametrize(
    ("node", "policy", "found"),
    [
        (with_host(SimKernel(())), None, [("fail", "NOQAT")]),
        (with_host(SimKernel()), [{"vfs": 99}, {"services": ["x"]}], [("fail", "POLICY")]),
        (with_host(SimKernel((PfSpec(totalvfs=0),))), None, [("fail", "NOSRIOV")]),
        (with_host(SimKernel(iommu=False), args="intel_iommu=on"), None, [("fail", "IOMMU")]),
        (with_host(SimKernel(iommu=False), files=()), None, [("fail", "LOADER")]),
        (with_host(SimKernel(), files=("/etc/init.d/qat_service",)), None, [("fail", "OOT-MIX")]),
        (with_host(SimKernel(modules=("vfio_pci",))), None, [("warn", "FW")]),
        (with_host(SimKernel()), [{}, {"match": {"family": "c62x"}}], [("warn", "POLICY")]),
        (held_node(), [{"services": ["dc"]}], [("fail", "INUSE")]),
        (held_node(), [{}], []),
    ],
    ids=[
        "no QAT",
        "policy",
        "no SR-IOV",
        "BIOS",
        "loader",
        "out of tree",
        "firmware",
        "entry for other nodes",
        "in use",
        "in use, no change",
    ],
)
def test_preflight_finds(tmp_path: Path, node: SimKernel, policy: Any, found: list[tuple[str, str]]) -> None:
    assert findings(node, tmp_path, policy) == found


def test_preflight_only_warns_of_held_vfs_that_may_be_skipped(tmp_path: Path) -> None:
    assert findings(held_node(), tmp_path, [{"services": ["dc"]}], skip=True) == [("warn", "INUSE")]


def test_preflight_finds_vfs_that_share_a_group(tmp_path: Path) -> None:
    node = with_host(SimKernel((PfSpec(totalvfs=2, isolated=False),)))
    converge(node, parse_policy([{}]))
    assert findings(node, tmp_path) == [("fail", "GROUP"), ("fail", "GROUP")]


def test_preflight_finds_a_dead_device(tmp_path: Path) -> None:
    node = with_host(SimKernel())
    node.pf().dead = True
    assert findings(node, tmp_path) == [("fail", "PFDOWN")]


def test_preflight_tells_everything_with_the_worst_first(tmp_path: Path) -> None:
    node = with_host(
        SimKernel(iommu=False, modules=("vfio_pci",)), args="intel_iommu=on", files=("/etc/init.d/qat_service",)
    )
    found = findings(node, tmp_path)
    assert {check for _severity, check in found} == {"OOT-MIX", "IOMMU", "FW"}
    assert [severity for severity, _check in found] == sorted(severity for severity, _check in found)
