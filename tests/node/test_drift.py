# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift of every kind on one node: named by --check --diff, repaired by a run, everything else left alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.plays import PFS, Play, Site, bindings, files, look, shell

ELSEWHERE, UNBOUND, NO_OVERRIDE = "0000:01:10.0", "0000:01:10.2", "0000:01:10.4"
AUTOPROBE, SERVICES, NO_VFS, OPTION = PFS
MODPROBE = "/etc/modprobe.d/qatvirt.conf"

DRIFT = f"""
modprobe pci-pf-stub
cd /sys/bus/pci/devices
echo pci-pf-stub > {ELSEWHERE}/driver_override
echo {ELSEWHERE} > {ELSEWHERE}/driver/unbind
echo {ELSEWHERE} > /sys/bus/pci/drivers_probe
echo {UNBOUND} > {UNBOUND}/driver/unbind
echo > {NO_OVERRIDE}/driver_override
echo 1 > {AUTOPROBE}/sriov_drivers_autoprobe
echo 0 > {SERVICES}/sriov_numvfs
echo down > {SERVICES}/qat/state
echo dc > {SERVICES}/qat/cfg_services
echo 8 > {SERVICES}/sriov_numvfs
echo 0 > {NO_VFS}/sriov_numvfs
rm {MODPROBE}
systemctl --quiet disable qatvirt.service
"""


@dataclass(frozen=True)
class Story:
    """A node through drift, preview and repair. looks: converged, drifted, after the preview, after the repair."""

    looks: list[dict[str, str]]
    files: list[dict[str, str]]
    drifted_bindings: dict[str, str]
    repaired_bindings: dict[str, str]
    enabled: str
    plan: Play
    preview: Play
    repair: Play


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    node = site.node()
    looks, contents = [look(node)], [files(node)]
    shell(node, DRIFT)
    drifted_bindings = bindings(node)

    def record() -> None:
        looks.append(look(node))
        contents.append(files(node))

    record()
    plan = site.play("plan")
    preview = site.play("nodes", "--check", "--diff")
    record()
    repair = site.play("nodes", "--diff")
    record()
    enabled = node.run("systemctl is-enabled qatvirt.service", check=False).stdout.strip()
    return Story(looks, contents, drifted_bindings, bindings(node), enabled, plan, preview, repair)


@pytest.mark.parametrize(
    ("pf", "impact"), [(AUTOPROBE, "rebind"), (SERVICES, "recreate"), (NO_VFS, "none"), (OPTION, "none")]
)
def test_plan_tells_the_impact_of_each_pf(story: Story, pf: str, impact: str) -> None:
    assert re.search(rf"{pf} +{impact} ", story.plan.text), story.plan.text


@pytest.mark.parametrize(
    "line",
    [
        f"{ELSEWHERE} driver=pci-pf-stub",
        f"{UNBOUND} driver=- ",
        f"{NO_OVERRIDE} driver=vfio-pci override=-",
        f"{AUTOPROBE} .* autoprobe=on",
        f"{SERVICES} .* services=dc",
        f"{NO_VFS} .* vfs=0",
        f"before: {MODPROBE}",
    ],
)
def test_preview_names_what_drifted(story: Story, line: str) -> None:
    assert re.search(f"^ *-.*{line}", story.preview.text, re.MULTILINE), story.preview.text


def test_preview_names_the_unit_that_is_off(story: Story) -> None:
    assert story.preview.says("boot unit", "before: qatvirt.service", "-disabled", "+enabled"), story.preview.text


def test_preview_changes_nothing(story: Story) -> None:
    _converged, drifted, previewed, _repaired = story.looks
    assert previewed == drifted
    assert story.files[2] == story.files[1]


def test_repair_brings_back_the_policy(story: Story) -> None:
    assert story.repair.code == 0, story.repair.text
    assert story.looks[3] == story.looks[0]
    assert story.files[3] == story.files[0]
    assert story.enabled == "enabled"


def test_repair_leaves_everything_else_alone(story: Story) -> None:
    recreated = (SERVICES[:8], NO_VFS[:8])
    others = {
        address: inode
        for address, inode in story.drifted_bindings.items()
        if address in PFS or (address not in (ELSEWHERE, UNBOUND) and not address.startswith(recreated))
    }
    assert len(others) == len(PFS) + 6 + 8
    assert {address: story.repaired_bindings[address] for address in others} == others
