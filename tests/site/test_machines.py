# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A converged site in use: a pod with a VF, machines that cannot start, one started by hand, a node that changes hands.

The tests run in the order they stand in; each leaves the site converged.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import Lab
from lab.cluster import images
from lab.faults import hold, release
from tests import drills
from tests.cluster.modules import module
from tests.plays import ROOT
from tests.site.site import (
    CONTAINER,
    PATIENCE,
    PROFILE,
    VFS,
    VM,
    Site,
    eventually,
    saved_site,
    state_of,
    vf_pod,
    write_inventory,
)

pytestmark = pytest.mark.long

README = ROOT / "lab" / "cluster" / "README.md"
MACHINE = "qat-vm"
"""The virtual machine that the README starts by hand."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A converged site, from its saved cluster."""
    saved = saved_site(tmp_path_factory.mktemp("saved"))
    with Lab("tests-machines", PROFILE) as lab:
        lab.down()
        lab.start_saved_cluster(saved)
        yield Site(lab, write_inventory(lab, tmp_path_factory.mktemp("site")))


@pytest.fixture
def pod(site: Site) -> Iterator[str]:
    """A pod on the node for containers, with one VF."""
    site.cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump(vf_pod("user", "qat.intel.com/cy")))
    site.cluster.kubectl("wait", "pod/user", "--for=jsonpath={.status.phase}=Running", f"--timeout={PATIENCE}s")
    yield "user"
    site.cluster.kubectl("delete", "pod", "user", "--wait", "--grace-period=1")


@pytest.fixture(scope="module")
def walked(site: Site) -> Iterator[str]:
    """What the lines of the README print that start a virtual machine with one VF. It runs until the last test."""
    (lines,) = re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    try:
        done = subprocess.run(
            ["bash", "-exuo", "pipefail", "-c", lines],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "PATH": path, "QATVIRT_LAB": site.lab.name},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{state_of(site.cluster)}"
        yield done.stdout
    finally:
        site.cluster.kubectl("delete", "vmi", MACHINE, "--wait", "--ignore-not-found")


def tried(site: Site, **options: Any) -> dict[str, Any]:
    """What a test machine on the node for machines has to say, by the account of the plays."""
    given = yaml.safe_load(site.inventory.read_text())["all"]["vars"]
    wanted = {
        "nodes": [{"name": VM, "vf_counts": {"8086:4941": VFS}, "families": {"8086:4941": "4xxx"}}],
        "kernel_boot": given["qat_test_vm_kernel_boot"],
        "memory": given["qat_test_vm_memory"],
        "wait_timeout": given["qat_test_vm_wait_timeout"],
        **options,
    }
    result = module("qat_test_vm", kubeconfig=given["qatvirt_kubeconfig"], **wanted)
    assert not result["not_removed"], result
    test: dict[str, Any]
    (test,) = result["tests"]
    return test


def diagnosed(test: dict[str, Any]) -> str:
    """The finding that the check of test machines makes of it."""
    assert test["verdict"] == "fail", test
    return f"{test['diagnosis']['id']}: {test['diagnosis']['message']}"


def offer(site: Site, resource: str, count: int | None) -> None:
    """Have the node for machines count a resource that has nothing behind it, or no longer."""
    wanted = {resource: None if count is None else str(count)}
    patch = json.dumps({"status": {"capacity": wanted, "allocatable": wanted}})
    site.cluster.kubectl("patch", "node", VM, "--subresource=status", "--type=merge", "-p", patch)


def own_objects(site: Site) -> str:
    """What there is of test machines."""
    kinds = "virtualmachineinstances,pods,secrets,leases"
    return site.cluster.kubectl("get", kinds, "-n", "qatvirt-test", "-o", "name").strip()


def test_a_pod_gets_its_vf(site: Site, pod: str) -> None:
    def said() -> list[str]:
        return site.cluster.kubectl("logs", pod).split()

    eventually(lambda: said()[-1:], ["opened"])
    variable, group = said()[0], next(word for word in said() if word.isdigit())
    address = re.fullmatch(r"QAT0=(\S+)", variable)
    assert address
    link = site.lab.node(CONTAINER).run(f"readlink /sys/bus/pci/devices/{address[1]}/iommu_group").stdout
    assert link.strip().endswith(f"/{group}")


def test_a_node_does_not_change_hands_under_a_pod(site: Site, pod: str) -> None:
    before = (site.marks(CONTAINER), site.resource_versions())
    refused = site.play("cluster", "-e", json.dumps({"qatvirt_workload": "vm"}))
    assert refused.code != 0
    assert refused.says(
        CONTAINER, "is to be for virtual machines", "pod default/user (qat.intel.com/cy: 1)", "nothing was changed"
    )
    assert (site.marks(CONTAINER), site.resource_versions()) == before


@pytest.fixture
def held(site: Site) -> Iterator[None]:
    """Processes of the node for machines have all its VFs open."""
    node = site.lab.node(VM)
    try:
        for address in node.run("ls /sys/bus/pci/drivers/vfio-pci | grep :").stdout.split():
            hold(node, address)
        yield
    finally:
        release(node)


@pytest.fixture
def other(site: Site) -> Iterator[str]:
    """A resource that the node for machines counts, and that nobody has."""
    resource = "intel.com/other"
    offer(site, resource, VFS)
    yield resource
    offer(site, resource, None)


@pytest.mark.usefixtures("held")
def test_machines_that_cannot_start_say_why(site: Site, other: str) -> None:
    """All at once, by four runs of the module."""
    kernel = {"image": f"{images.REGISTRY}/none:1", "kernel_path": "/boot/vmlinuz", "initrd_path": "/boot/initrd"}
    faults: dict[str, dict[str, Any]] = {
        "vm-busy": {},
        "vm-no-image": {"kernel_boot": kernel},
        "vm-memory": {"memory": "64Gi", "wait_timeout": 60},
        "vm-not-permitted": {"resource": other, "wait_timeout": 60},
    }
    assert set(faults) | {"vm-exhausted", "vm-gate"} == set(drills.names(drills.MACHINE))
    with ThreadPoolExecutor() as pool:
        ill = {name: pool.submit(tried, site, **options) for name, options in faults.items()}
    told = {name: diagnosed(future.result()) for name, future in ill.items()}
    assert {name: text for name, text in told.items() if not text.startswith(drills.drill(name).says)} == {}
    assert own_objects(site) == ""


def test_vfs_that_a_pod_has_are_named(site: Site) -> None:
    site.cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump(vf_pod("all", "intel.com/qat", VFS)))
    try:
        site.cluster.kubectl("wait", "pod/all", "--for=condition=PodScheduled", f"--timeout={PATIENCE}s")
        assert diagnosed(tried(site, wait_timeout=60)).startswith(drills.drill("vm-exhausted").says)
    finally:
        site.cluster.kubectl("delete", "pod", "all", "--wait", "--grace-period=1")


def test_a_closed_gate_is_named(site: Site) -> None:
    def gates(*names: str) -> None:
        patch = {"spec": {"configuration": {"developerConfiguration": {"featureGates": list(names)}}}}
        site.cluster.kubectl("-n", "kubevirt", "patch", "kubevirt", "kubevirt", "--type=merge", "-p", json.dumps(patch))

    gates()
    try:
        # virt-api takes a while to hear of it.
        eventually(lambda: tried(site, wait_timeout=60)["verdict"], "fail")
        assert diagnosed(tried(site)).startswith(drills.drill("vm-gate").says)
    finally:
        gates("HostDevices")


def test_a_virtual_machine_by_hand_gets_its_vf(walked: str) -> None:
    (answer, *_later) = re.findall(r"QATVIRT-RESULT (\{.*\})", walked)
    seen = [(device["vendor"], device["device"], device["class"]) for device in json.loads(answer)["pci"]]
    assert seen.count(("0x8086", "0x4941", "0x0b4000")) == 1


def test_a_node_does_not_change_hands_under_a_virtual_machine(site: Site, walked: str) -> None:
    before = (site.marks(VM), site.resource_versions())
    refused = site.play("cluster", "-e", json.dumps({"qatvirt_workload": "container"}))
    assert refused.code != 0
    assert refused.says(VM, "is to be for containers", f"virtual machine default/{MACHINE}", "nothing was changed")
    assert (site.marks(VM), site.resource_versions()) == before


def test_a_node_changes_hands_and_back(site: Site) -> None:
    switched = site.play("cluster", "--diff", "-e", json.dumps({"qatvirt_workload": "vm"}))
    assert switched.code == 0, switched.text
    assert site.advertised(CONTAINER) == {"intel.com/qat": VFS}
    assert site.marks(CONTAINER)["workload"] == "vm"
    back = site.play("cluster", "--diff")
    assert back.code == 0, back.text
    assert site.advertised(CONTAINER) == {"qat.intel.com/cy": VFS // 2, "qat.intel.com/dc": VFS // 2}
