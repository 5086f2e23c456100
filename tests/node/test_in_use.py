# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VFs that somebody holds: a process of a pod and a virtual machine, on two PFs of one node."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lab import Node, faults
from tests.plays import POLICY, Play, Site, look, shell

POD = "1b2c3d4e-0000-4000-8000-123456789abc"
BY_POD, BY_VM = "0000:01:10.2", "0000:02:10.0"
NEW_POLICY = [*POLICY, {"match": {"family": "4xxx"}, "services": ["dc"]}]


def hold_by_pod(node: Node, address: str) -> int:
    """Start a process that has the VF open, in the control group of a pod; its pid."""
    pid = faults.hold(node, address)
    group = f"/sys/fs/cgroup/kubepods-pod{POD.replace('-', '_')}.slice"
    shell(node, f"mkdir {group}", f"echo {pid} > {group}/cgroup.procs")
    return pid


def hold_by_vm(node: Node, address: str) -> int:
    """Start a virtual machine (stopped before its first instruction) that has the VF; its pid."""
    machine = "-name guest=default_vm1 -machine q35,accel=kvm -cpu host -m 64 -nodefaults -display none -S"
    return int(
        shell(
            node,
            f"systemd-run --quiet --unit=vm qemu-system-x86_64 {machine} -device vfio-pci,host={address}",
            "pid=$(systemctl show --value --property=MainPID vm)",
            f"group=$(basename $(readlink /sys/bus/pci/devices/{address}/iommu_group))",
            "until ls -l /proc/$pid/fd | grep -q /dev/vfio/$group$; do sleep 0.2; done",
            "echo $pid",
        )
    )


@dataclass(frozen=True)
class Story:
    """looks: converged, after the refusal, after the run that skips. Whether the holders lived through both."""

    pod: int
    vm: int
    looks: list[dict[str, str]]
    alive: bool
    refusal: Play
    skip: Play


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    node = site.node()
    looks = [look(node)]
    pod, vm = hold_by_pod(node, BY_POD), hold_by_vm(node, BY_VM)
    refusal = site.play("nodes", qat_vf_policy=NEW_POLICY)
    looks.append(look(node))
    skip = site.play("nodes", qat_vf_policy=NEW_POLICY, qat_vf_on_in_use="skip")
    looks.append(look(node))
    alive = node.run(f"ps -o pid= {pod} {vm}").stdout.split() == [str(pod), str(vm)]
    return Story(pod, vm, looks, alive, refusal, skip)


def test_change_is_refused_and_nothing_is_changed(story: Story) -> None:
    assert story.refusal.code != 0
    assert story.looks[1] == story.looks[0]


def test_refusal_names_vf_process_and_pod(story: Story) -> None:
    assert story.refusal.says(BY_POD, f"pid {story.pod}", "qatlab-hold", POD), story.refusal.text


def test_refusal_names_vf_and_virtual_machine(story: Story) -> None:
    assert story.refusal.says(BY_VM, "qemu-system", f"(pid {story.vm}, virtual machine default_vm1)"), (
        story.refusal.text
    )


def test_skip_converges_the_other_pfs_only(story: Story) -> None:
    assert story.skip.code == 0, story.skip.text
    changed = {path for path in story.looks[2] if story.looks[2][path] != story.looks[1][path]}
    assert changed == {"0000:03:00.0/qat/cfg_services"}
    assert story.looks[2]["0000:03:00.0/qat/cfg_services"] == "dc"
    assert story.looks[2]["0000:03:10.0/driver"] == "vfio-pci"


def test_skip_says_what_was_left(story: Story) -> None:
    assert story.skip.says(BY_POD, f"pid {story.pod}", BY_VM, f"pid {story.vm}", "were left as they are"), (
        story.skip.text
    )


def test_holders_live_through_it(story: Story) -> None:
    assert story.alive
