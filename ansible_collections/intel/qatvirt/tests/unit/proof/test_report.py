# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as data, and its end as text for a person. Its page: tests/unit/plugins/test_page.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import validate
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import report, verdict_text
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.site import Site
from ansible_collections.intel.qatvirt.tests.unit.proof import reports
from ansible_collections.intel.qatvirt.tests.unit.proof.sites import (
    RESOURCES,
    VM,
    case,
    healthy_facts,
    healthy_site,
)

MADE = "2026-11-25T04:00:00Z"


def made(site: Site) -> dict[str, Any]:
    return report(site, validate(site), MADE)


def test_a_healthy_site() -> None:
    found = made(healthy_site())
    assert (found["schema"], found["made"], found["verdict"], found["emulated"]) == (2, MADE, "pass", False)
    assert sum(found["summary"].values()) == len(found["checks"])
    assert found["cluster"]["configured_by"] == "KubeVirt kubevirt/kubevirt"
    assert found["cluster"]["plugin"] == "registry/intel-qat-plugin:0.36.0"
    assert [node["resources"] for node in found["nodes"]] == [{"intel.com/qat": 16}, {"qat.intel.com/cy": 16}]
    assert [(node["ready"], node["schedulable"]) for node in found["nodes"]] == [(True, True), (True, True)]
    assert {vf["owner"]["kind"] for node in found["nodes"] for pf in node["pfs"] for vf in pf["vfs"]} == {"resource"}
    assert all(vf["iommu_group"] for node in found["nodes"] for pf in node["pfs"] for vf in pf["vfs"])


def test_resources_at_0_and_those_of_others_are_left_out() -> None:
    site = healthy_site(1)
    assert site.snapshot
    site.snapshot.nodes[0]["status"]["allocatable"] |= {
        "qat.intel.com/cy": "0",
        "qat.intel.com/dc": "4",
        "example.com/fpga": "2",
        "memory": "8Gi",
    }
    (node,) = made(site)["nodes"]
    assert node["resources"] == {"intel.com/qat": 16, "qat.intel.com/dc": 4}


def test_without_a_cluster_nothing_is_said_about_it() -> None:
    found = made(Site((case(VM, "vm", healthy_facts()),), resources=RESOURCES))
    assert found["cluster"] is None
    (node,) = found["nodes"]
    assert (node["ready"], node["schedulable"], node["resources"]) == (None, None, {})
    assert {vf["owner"]["kind"] for pf in node["pfs"] for vf in pf["vfs"]} == {"free"}


def test_a_node_that_is_cordoned_and_not_labelled() -> None:
    site = healthy_site(1)
    assert site.snapshot
    site.snapshot.nodes[0]["spec"]["unschedulable"] = True
    del site.snapshot.nodes[0]["metadata"]["labels"]["qatvirt.intel.com/ready"]
    (node,) = made(site)["nodes"]
    assert (node["ready"], node["schedulable"]) == (False, False)


def test_a_vf_with_two_owners_names_both() -> None:
    site = healthy_site(1)
    facts = site.nodes[0].facts
    holder = {"pid": 7, "command": "dpdk", "path": "/dev/vfio/1", "pod": None, "guest": None}
    facts["pfs"][0]["vfs"][0]["holders"] = [holder, {**holder, "pid": 8, "command": "qemu"}]
    (node,) = made(replace(site, nodes=(case(VM, "vm", facts),)))["nodes"]
    assert node["pfs"][0]["vfs"][0]["owner"] == {"kind": "process", "text": "dpdk (pid 7) and qemu (pid 8)"}


def test_one_failing_check_decides_over_warnings() -> None:
    site = healthy_site(1)
    assert site.snapshot
    site.snapshot.nodes[0]["spec"]["unschedulable"] = True
    assert made(site)["verdict"] == "warn"
    facts = site.nodes[0].facts
    facts["pfs"][0]["vfs"][0]["driver"] = None
    assert made(replace(site, nodes=(case(VM, "vm", facts),)))["verdict"] == "fail"


def test_the_end_of_a_play_names_findings_with_remedies_and_each_test() -> None:
    lines = verdict_text(reports.broken_site()).splitlines()
    assert lines[0] == "It does not hold. Checks: 15 pass, 1 warn, 3 fail, 1 skipped."
    assert any(line.startswith("[PFDOWN] fail: worker-a2.site.example.net PF 0000:e8:00.0: ") for line in lines)
    assert any(line.startswith("    To do: install the firmware package") for line in lines)
    assert lines[-2].startswith(
        "virtual machine qatvirt-test/qat-test-3f2a-worker-a2.site.example.net: fail: RESOURCE: "
    )
    assert lines[-1].endswith("on worker-a1.site.example.net saw 1 x 8086:4941, given 0000:6b:01.0")
    assert "Emulated hardware: this is no proof on QAT silicon." in verdict_text(reports.healthy_lab())
