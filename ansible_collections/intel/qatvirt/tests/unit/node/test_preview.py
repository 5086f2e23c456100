# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews of runs, and tables for people."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.preview import facts_table, plan_table, preview
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel

TWO = (PfSpec("0000:6b:00.0", "4940", totalvfs=2), PfSpec("0000:f3:00.0", "4942", totalvfs=2))


def test_preview_of_a_bare_node_names_driver_reboot_and_change(tmp_path: Path) -> None:
    facts = facts_of(with_host(SimKernel(TWO, iommu=False, modules=("vfio_pci",))), tmp_path)
    shown = preview(facts, [{}], [])
    assert (shown["impact"], shown["drivers"]) == ("reboot", ["qat_4xxx"])
    assert shown["host"] == ["the kernel runs without intel_iommu=on"]
    assert [pf["now"] for pf in shown["pfs"]] == ["without driver, 0 of 2 VFs"] * 2
    assert [pf["then"] for pf in shown["pfs"]] == ["4xxx, up, 2 of 2 VFs on vfio-pci"] * 2


def test_preview_of_a_converged_node_is_empty(tmp_path: Path) -> None:
    node = with_host(SimKernel(TWO))
    converge(node, parse_policy([{}]))
    shown = preview(facts_of(node, tmp_path), [{}], [])
    assert (shown["impact"], shown["host"], shown["drivers"]) == ("none", [], [])
    assert not any(pf["steps"] for pf in shown["pfs"])


def test_preview_tells_why_a_policy_cannot_be_carried_out(tmp_path: Path) -> None:
    shown = preview(facts_of(with_host(SimKernel(TWO)), tmp_path), [{"vfs": 99}], [])
    assert shown["pfs"] == []
    assert len(shown["problems"]) == 2


def test_plan_table_shows_each_pf_and_what_is_in_the_way(tmp_path: Path) -> None:
    node = with_host(SimKernel(TWO))
    converge(node, parse_policy([{"services": ["dc"]}]))
    node.hold("0000:6b:00.1", pid=4711, command="qemu-kvm")
    text = plan_table([{"node": "node1", "plan": preview(facts_of(node, tmp_path), [{"services": ["sym"]}], [])}])
    rows = text.splitlines()
    assert rows[0].split() == ["Node", "PF", "Impact", "Now", "Then"]
    assert "0000:6b:00.0  recreate  4xxx, up, dc, 2 of 2 VFs on vfio-pci" in rows[2]
    assert rows[3].startswith("       0000:f3:00.0")
    assert "node1: refused while VF 0000:6b:00.1 is held by qemu-kvm (pid 4711)." in rows
    assert rows[-1] == "Impact of the whole: recreate."


def test_facts_table_shows_each_pf_and_what_is_wrong(tmp_path: Path) -> None:
    node = with_host(SimKernel(TWO))
    converge(node, parse_policy([{"match": {"device": "4940"}}]))
    node.write("/sys/bus/pci/devices/0000:f3:00.0/qat/state", "down")
    rows = facts_table([facts_of(node, tmp_path)]).splitlines()
    assert " ".join(rows[2].split()) == "node1 0000:6b:00.0 4xxx 4940 0 up sym+asym 2 of 2 vfio-pci 2 0 lost"
    assert "0 of 2" in rows[3]
    assert rows[-1].startswith("node1: PFDOWN: PF 0000:f3:00.0 is down, expected up.")
