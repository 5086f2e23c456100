# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry as a whole, and faults that the drills cannot inject for real (tests/drills.py has those they can)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.check import Answer
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.cluster_checks import owners_of
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import CHECKS, preflight, validate
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.site import Site
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel
from ansible_collections.intel.qatvirt.tests.unit.proof.sites import (
    CONTAINER,
    RESOURCES,
    VM,
    booted,
    case,
    healthy_facts,
    healthy_site,
    snapshot,
)


def found(answers: list[Answer]) -> dict[str, str]:
    """Verdicts of checks that found something."""
    return {answer.check.id: answer.verdict for answer in answers if answer.verdict in ("fail", "warn")}


def nodes_only(*facts: dict[str, Any]) -> Site:
    return Site(tuple(case(f"node{number}", "vm", one) for number, one in enumerate(facts, start=1)))


def test_ids_are_unique() -> None:
    ids = [check.id for check in CHECKS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_comes_after_those_that_explain_it(check: Any) -> None:
    earlier = {other.id for other in CHECKS[: CHECKS.index(check)]}
    assert set(check.explained_by) <= earlier


@pytest.mark.parametrize(("nodes", "pfs"), [(1, 1), (2, 1), (5, 8)])
def test_a_site_as_it_should_be_gives_no_warning(nodes: int, pfs: int) -> None:
    answers = validate(healthy_site(nodes, pfs))
    assert found(answers) == {}
    assert {answer.check.id for answer in answers} == {check.id for check in CHECKS}
    assert all(answer.reason for answer in answers if answer.verdict == "skipped")


def test_without_a_cluster_its_checks_are_skipped_with_the_reason() -> None:
    answers = validate(nodes_only(healthy_facts()))
    assert found(answers) == {}
    skipped = {answer.reason for answer in answers if answer.check.layer != "node"}
    assert skipped == {"no cluster was named (qatvirt_kubeconfig)"}


def test_no_device_is_told_and_nothing_else() -> None:
    assert found(validate(nodes_only(booted(with_host(SimKernel(())))))) == {"NOQAT": "fail"}


def test_a_port_that_does_not_isolate_is_told_and_nothing_else() -> None:
    kernel = with_host(SimKernel((PfSpec(totalvfs=2, isolated=False),)))
    converge(kernel, parse_policy([{}]))
    assert found(validate(nodes_only(booted(kernel)))) == {"GROUP": "fail"}


def test_a_pf_without_sriov_is_told_and_nothing_else() -> None:
    assert found(validate(nodes_only(booted(with_host(SimKernel((PfSpec(totalvfs=0),))))))) == {"NOSRIOV": "fail"}


def test_an_unsigned_module_is_told_and_nothing_else() -> None:
    facts = booted(with_host(SimKernel(modules=("vfio_pci",))))
    facts["kernel"]["secure_boot"] = True
    assert found(validate(nodes_only(facts))) == {"SECUREBOOT": "fail"}


def test_an_unknown_boot_loader_is_told_and_nothing_else() -> None:
    site = nodes_only(healthy_facts(files=()))
    wanting = replace(
        site.nodes[0], host=replace(site.nodes[0].host, args=("iommu=pt",), reboot=("iommu=pt is not set",))
    )
    assert found(validate(replace(site, nodes=(wanting,)))) == {"LOADER": "fail"}


def test_a_rule_for_other_nodes_of_the_site_is_no_slip_of_the_pen() -> None:
    rules = [{}, {"match": {"device": "4942"}}]
    facts = [healthy_facts(device=device) for device in ("4940", "4942")]
    for one in facts:
        one["boot"]["policy"]["policy"] = rules
    both = Site(tuple(case(f"node{number}", "vm", one, rules) for number, one in enumerate(facts)))
    assert found(validate(both)) == {}
    assert found(validate(replace(both, nodes=both.nodes[:1]))) == {"POLICY": "warn"}


def test_one_cause_does_not_hide_the_fault_of_another_pf() -> None:
    """Two PFs: one without driver, the other with a VF that is not bound."""
    facts = healthy_facts(pfs=2)
    first, second = facts["pfs"]
    first |= {"driver": None, "vfs": [], "vfs_enabled": 0, "services": None, "state": None}
    first["problems"] = [{"id": "UNBOUND-PF", "message": "no driver", "fix": "load it"}]
    facts["firmware"] = {name: f"/lib/firmware/{name}" for name in facts["firmware"]}
    second["vfs"][3]["driver"] = None
    assert found(validate(nodes_only(facts))) == {"UNBOUND-PF": "fail", "VFDRV": "fail"}


def test_a_machine_on_the_site_owns_its_vf() -> None:
    site = healthy_site()
    facts = site.nodes[0].facts
    holder = {"pid": 7, "command": "qemu", "path": "/dev/vfio/1", "pod": "uid-launcher", "guest": "default_user"}
    facts["pfs"][0]["vfs"][0]["holders"] = [holder]
    facts["pfs"][0]["vfs"][1]["holders"] = [{**holder, "pid": 8, "pod": "uid-gone", "guest": None}]
    assert site.snapshot
    launcher = {
        "metadata": {
            "name": "virt-launcher-user",
            "namespace": "default",
            "uid": "uid-launcher",
            "labels": {"kubevirt.io": "virt-launcher"},
            "ownerReferences": [{"kind": "VirtualMachineInstance", "name": "user"}],
        },
        "spec": {"nodeName": VM, "containers": []},
        "status": {"phase": "Running"},
    }
    held = Site(
        (case(VM, "vm", facts), *site.nodes[1:]),
        snapshot=replace(site.snapshot, pods=[*site.snapshot.pods, launcher]),
        resources=RESOURCES,
    )

    owners = owners_of(held, held.nodes[0])
    kinds = [owner.kind for who in owners.values() for owner in who]
    assert kinds[:3] == ["vm", "process", "resource"] and len(kinds) == 16
    assert str(next(iter(owners.values()))[0]) == "virtual machine default/user"


def test_a_vf_with_two_owners_is_shown() -> None:
    site = healthy_site()
    facts = site.nodes[0].facts
    holder = {"pid": 7, "command": "dpdk", "path": "/dev/vfio/1", "pod": "a", "guest": None}
    facts["pfs"][0]["vfs"][0]["holders"] = [holder, {**holder, "pid": 8, "command": "qemu", "pod": "b"}]
    twice = replace(site, nodes=(case(VM, "vm", facts), *site.nodes[1:]))
    (answer,) = [answer for answer in validate(twice) if answer.verdict == "fail"]
    assert answer.check.id == "TWO-OWNERS"
    assert "dpdk (pid 7, pod uid a) and process qemu (pid 8, pod uid b)" in answer.findings[0].message


@pytest.mark.parametrize(
    ("test", "verdicts"),
    [
        ({"verdict": "pass"}, {}),
        ({"verdict": "skipped", "reason": "the node is cordoned"}, {}),
        ({"verdict": "fail", "reason": "it saw none"}, {"GUEST": "fail"}),
        ({"functional": {"verdict": "fail", "reason": "no driver"}}, {"FUNC": "fail"}),
        ({"functional": {"verdict": "impossible", "reason": "no qatlib"}}, {}),
    ],
)
def test_answers_of_machines_count(test: dict[str, Any], verdicts: dict[str, str]) -> None:
    answer = {"node": VM, "object": "virtual machine a/b", "verdict": "pass", "reason": None, "functional": None}
    site = replace(healthy_site(), tests=[{**answer, "diagnosis": None, **test}])
    assert found(validate(site)) == verdicts


def test_a_node_for_containers_needs_no_kubevirt() -> None:
    site = Site(
        (case(CONTAINER, "container", healthy_facts()),),
        snapshot=replace(snapshot({CONTAINER: "container"}), kubevirts=None),
        resources={},
    )
    answers = {answer.check.id: answer for answer in validate(site)}
    assert found(list(answers.values())) == {}
    assert answers["KUBEVIRT"].reason == "no node is for virtual machines"


def node_without_vfs(status: object) -> Site:
    """A node whose boot unit enabled no VFs and wrote that status."""
    facts = booted(with_host(SimKernel((PfSpec(totalvfs=2),))))
    facts["boot"]["status"] = status
    return nodes_only(facts)


def test_a_pf_that_the_kernel_keeps_is_told_by_the_code_of_the_boot_unit() -> None:
    failure = {"code": "EBUSY", "pf": "0000:6b:00.0", "message": "in any words"}
    answers = validate(node_without_vfs({"ok": False, "messages": ["in any words"], "failures": [failure]}))
    assert found(answers) == {"LKCF": "fail"}
    (finding,) = next(answer.findings for answer in answers if answer.check.id == "LKCF")
    assert "the kernel refused to make them: in any words" in finding.message


@pytest.mark.parametrize(
    "status",
    [
        {"ok": False, "messages": ["the kernel itself uses the PF (dm-crypt, IPsec or zram over QAT)"]},
        {"ok": False, "messages": [], "failures": [{"code": "ENOMEM", "pf": "0000:6b:00.0", "message": "no memory"}]},
        {"ok": True, "messages": []},
        None,
        [],
    ],
    ids=["written before there were codes", "another code", "no failure", "no status", "damaged"],
)
def test_missing_vfs_without_that_code_are_told_as_such(status: object) -> None:
    assert found(validate(node_without_vfs(status))) == {"VFCOUNT": "fail"}


# ---------------------------------------------------------------- preflight


def problems(node: SimKernel, root: Path, policy: object = None, skip: bool = False) -> list[tuple[str, str]]:
    found = preflight(facts_of(node, root), [{}] if policy is None else policy, [], skip)
    assert all(item["node"] == "node1" and item["message"] and item["fix"] for item in found)
    return [(item["severity"], item["id"]) for item in found]


def held_node() -> SimKernel:
    node = with_host(SimKernel())
    converge(node, parse_policy([{}]))
    node.hold("0000:6b:00.3")
    return node


def test_preflight_finds_nothing_on_a_good_node(tmp_path: Path) -> None:
    assert problems(with_host(SimKernel()), tmp_path) == []


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
    assert problems(node, tmp_path, policy) == found


def test_preflight_only_warns_of_held_vfs_that_may_be_skipped(tmp_path: Path) -> None:
    assert problems(held_node(), tmp_path, [{"services": ["dc"]}], skip=True) == [("warn", "INUSE")]


def test_preflight_finds_vfs_that_share_a_group(tmp_path: Path) -> None:
    node = with_host(SimKernel((PfSpec(totalvfs=2, isolated=False),)))
    converge(node, parse_policy([{}]))
    assert problems(node, tmp_path) == [("fail", "GROUP"), ("fail", "GROUP")]


def test_preflight_finds_a_dead_device(tmp_path: Path) -> None:
    node = with_host(SimKernel())
    node.pf().dead = True
    assert problems(node, tmp_path) == [("fail", "PFDOWN")]


def test_preflight_tells_everything_with_the_worst_first(tmp_path: Path) -> None:
    node = with_host(
        SimKernel(iommu=False, modules=("vfio_pci",)), args="intel_iommu=on", files=("/etc/init.d/qat_service",)
    )
    found = problems(node, tmp_path)
    assert {check for _severity, check in found} == {"OOT-MIX", "IOMMU", "FW"}
    assert [severity for severity, _check in found] == ["fail", "fail", "warn"]
