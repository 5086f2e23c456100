# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host needs before VFs can go to vfio-pci."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.host_plan import (
    DENYLIST_OFF,
    IOMMU_ON,
    MODPROBE,
    MODULES_LOAD,
    HostPlan,
    plan_host,
    plan_host_absent,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import ENABLE_VTD, pfs_from_facts
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel

GEN2 = (PfSpec(device="37c8"),)


def host_plan(
    node: SimKernel, root: Path, args: tuple[str, ...] = (), args_set: tuple[str, ...] = (), **rule: Any
) -> HostPlan:
    facts = facts_of(node, root)
    return plan_host(facts, pfs_from_facts(facts), parse_policy([rule]), list(args), list(args_set))


def contents(plan: HostPlan) -> dict[str, object]:
    return {file.path: file.content for file in plan.files}


def test_plan_host_is_content_with_a_good_host(tmp_path: Path) -> None:
    plan = host_plan(with_host(SimKernel()), tmp_path)
    assert (plan.load, plan.args, plan.reboot, plan.problems, plan.reload_vfio) == ((), (), (), (), False)
    assert contents(plan)[MODPROBE] is None
    assert "vfio-pci\n" in str(contents(plan)[MODULES_LOAD])


def test_plan_host_switches_the_iommu_on_by_a_reboot(tmp_path: Path) -> None:
    plan = host_plan(with_host(SimKernel(iommu=False), args="ro intel_iommu=off"), tmp_path)
    assert plan.args == (IOMMU_ON,)
    assert plan.reboot == (f"the kernel runs without {IOMMU_ON}",)
    assert not plan.problems


@pytest.mark.parametrize(
    ("args", "stuck"),
    [("intel_iommu=on", True), ("intel_iommu=off intel_iommu=on", True), ("intel_iommu=on intel_iommu=off", False)],
)
def test_plan_host_blames_the_bios_when_the_argument_did_not_help(tmp_path: Path, args: str, stuck: bool) -> None:
    plan = host_plan(with_host(SimKernel(iommu=False), args=args), tmp_path, args_set=(IOMMU_ON,))
    assert [problem.fix.startswith(ENABLE_VTD) for problem in plan.problems] == ([True] if stuck else [])


def test_plan_host_keeps_its_argument_once_it_works(tmp_path: Path) -> None:
    plan = host_plan(with_host(SimKernel(), args="ro " + IOMMU_ON), tmp_path, args_set=(IOMMU_ON,))
    assert (plan.args, plan.gone, plan.reboot) == ((IOMMU_ON,), (), ())


def test_plan_host_wants_no_iommu_for_vfs_without_vfio(tmp_path: Path) -> None:
    plan = host_plan(with_host(SimKernel(iommu=False)), tmp_path, driver="none")
    assert (plan.args, plan.reboot) == ((), ())


def test_plan_host_lifts_the_denylist_for_gen2_only(tmp_path: Path) -> None:
    plan = host_plan(with_host(SimKernel(GEN2)), tmp_path)
    assert "disable_denylist=1" in str(contents(plan)[MODPROBE])
    assert (plan.reload_vfio, plan.reboot) == (True, ())


def test_plan_host_reboots_when_vfio_is_in_use_with_its_denylist_on(tmp_path: Path) -> None:
    node = with_host(SimKernel((PfSpec("0000:6b:00.0", "4940", totalvfs=1), PfSpec("0000:f3:00.0", "37c8"))))
    converge(node, parse_policy([{"match": {"device": "4940"}}]))
    plan = host_plan(node, tmp_path)
    assert not plan.reload_vfio
    assert plan.reboot == ("vfio-pci was loaded with its denylist on and is in use by 0000:6b:00.1",)


def test_plan_host_lifts_the_denylist_of_a_builtin_vfio_by_argument(tmp_path: Path) -> None:
    plan = host_plan(with_host(SimKernel(GEN2), builtin=("kernel/drivers/vfio/pci/vfio-pci.ko",)), tmp_path)
    assert DENYLIST_OFF in plan.args
    assert plan.reboot == (f"the kernel runs without {DENYLIST_OFF}",)


def test_plan_host_loads_what_is_not_loaded(tmp_path: Path) -> None:
    assert host_plan(with_host(SimKernel(modules=("qat_4xxx",))), tmp_path).load == ("vfio-pci",)
    assert host_plan(with_host(SimKernel(GEN2)), tmp_path, driver="kernel").load == ("qat_c62xvf",)


def test_plan_host_adds_and_drops_what_the_user_asks_for(tmp_path: Path) -> None:
    plan = host_plan(
        with_host(SimKernel(), args="iommu=pt"), tmp_path, args=("iommu=pt",), args_set=("iommu=pt", "quiet")
    )
    assert (plan.args, plan.gone, plan.reboot) == (("iommu=pt",), ("quiet",), ())


def test_plan_host_absent_takes_back_what_was_ours(tmp_path: Path) -> None:
    facts = facts_of(with_host(SimKernel(), args="ro " + IOMMU_ON), tmp_path)
    plan = plan_host_absent(facts, [IOMMU_ON], {"vfio-pci": "not loaded"})
    assert (plan.gone, plan.unload_vfio) == ((IOMMU_ON,), True)
    assert plan.reboot == (f"the kernel still runs with {IOMMU_ON}",)
    assert set(contents(plan).values()) == {None}
