# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: which steps, in which order, with which impact."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.plan import Plan, plan_pfs
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import DEVICES, VFIO, PfSpec, SimKernel

PF = "0000:6b:00.0"


def node_with(**options: Any) -> SimKernel:
    return SimKernel((PfSpec(PF, "4940", totalvfs=2),), **options)


def plan_for(node: SimKernel, **rule: Any) -> Plan:
    return plan_pfs(*observe(node), parse_policy([rule]))


def steps(plan: Plan) -> list[tuple[str, str, int | None]]:
    return [(step.op, step.value, step.vf_index) for pf in plan.pfs for step in pf.steps]


def test_plan_configures_a_fresh_pf_in_the_safe_order() -> None:
    assert steps(plan_for(node_with(), services=["dc"])) == [
        ("state", "down", None),
        ("services", "dc", None),
        ("autoprobe", "0", None),
        ("enable_vfs", "2", None),
        ("override", VFIO, 0),
        ("probe", VFIO, 0),
        ("override", VFIO, 1),
        ("probe", VFIO, 1),
    ]


def test_plan_removes_vfs_before_it_changes_services() -> None:
    node = node_with()
    converge(node, parse_policy([{}]))
    plan = plan_for(node, services=["dc"])
    assert [op for op, _value, _vf in steps(plan)][:4] == ["disable_vfs", "state", "services", "enable_vfs"]
    assert plan.impact == "recreate"


def test_plan_is_empty_when_services_differ_only_in_order() -> None:
    node = node_with(release="6.12")
    node.write(f"{DEVICES}/{PF}/qat/state", "down")
    node.write(f"{DEVICES}/{PF}/qat/cfg_services", "asym;sym")
    converge(node, parse_policy([{}]))
    plan = plan_for(node, services=["sym", "asym"])
    assert plan.empty
    assert plan.impact == "none"


def test_plan_only_binds_the_vf_that_drifted() -> None:
    node = node_with()
    converge(node, parse_policy([{}]))
    vf = f"{PF[:-1]}2"
    node.write(f"/sys/bus/pci/drivers/{VFIO}/unbind", vf)
    plan = plan_for(node)
    assert steps(plan) == [("probe", VFIO, 1)]
    assert plan.impact == "none"


def test_plan_unbinds_for_another_driver() -> None:
    node = node_with()
    converge(node, parse_policy([{}]))
    plan = plan_for(node, driver="none")
    assert steps(plan)[:2] == [("override", "", 0), ("unbind", VFIO, 0)]
    assert plan.impact == "rebind"


def test_plan_names_who_is_in_the_way() -> None:
    node = node_with()
    converge(node, parse_policy([{}]))
    node.hold("0000:6b:00.2", pid=77, command="dpdk-test")
    plan = plan_for(node, vfs=0)
    assert [vf.address for vf in plan.pfs[0].blocked] == ["0000:6b:00.2"]
    assert plan.as_data()["pfs"][0]["blocked"] == [{"vf": "0000:6b:00.2", "holders": ["dpdk-test (pid 77)"]}]


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (node_with(iommu=False), "IOMMU"),
        (node_with(modules=("qat_4xxx",)), "NOVFIO"),
        (node_with(modules=("vfio_pci",)), "UNBOUND-PF"),
        (SimKernel((PfSpec(PF, "37c8"),)), "DENYLIST"),
        (SimKernel((PfSpec(PF, "4940", totalvfs=0),)), "NOSRIOV"),
    ],
    ids=["no IOMMU", "no vfio-pci", "no driver", "denylist on", "no SR-IOV"],
)
def test_plan_says_what_has_to_be_there_first(node: SimKernel, problem: str) -> None:
    assert problem in [unmet.id for unmet in plan_for(node).pfs[0].unmet]


def test_plan_needs_the_vf_driver_for_kernel() -> None:
    node = SimKernel((PfSpec(PF, "37c8", totalvfs=1),))
    assert [unmet.id for unmet in plan_for(node, driver="kernel").pfs[0].unmet] == ["NOVFDRIVER"]
    node.load("qat_c62xvf")
    assert not plan_for(node, driver="kernel").pfs[0].unmet


def test_plan_leaves_a_pf_alone_that_no_rule_matches() -> None:
    node = SimKernel((PfSpec(PF, "4940"), PfSpec("0000:b3:00.0", "4942")))
    plan = plan_for(node, match={"device": "4942"})
    assert [bool(pf.steps) for pf in plan.pfs] == [False, True]
