# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on a real cluster, by the rights that rbac.yml grants: one node for virtual machines, one for containers.

The tests run in the order they stand in: each leaves the site converged, the last one takes everything back but
KubeVirt.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import Lab, LabError, NodeSpec
from lab.cluster import images
from lab.cluster.control_plane import ControlPlane
from lab.cluster.profiles import DEFAULT, PROFILES
from lab.faults import hold, release
from tests import drills
from tests.cluster.modules import module
from tests.plays import ROOT, Play, play

PROFILE = PROFILES[DEFAULT]
VM, CONTAINER = "qat1", "qat2"
VFS = 16
PATIENCE = 600.0
LABEL = "qatvirt.intel.com/workload"
REPORT = "report"
README = ROOT / "lab" / "cluster" / "README.md"
MACHINE = "qat-vm"
"""The virtual machine that the README starts by hand."""


@dataclass(frozen=True)
class Site:
    """The cluster, and the runs that converged it.

    preview: --check before anything was there. proof: the report of the first run.
    """

    lab: Lab
    inventory: Path
    preview: Play
    first: Play
    proof: dict[str, Any]
    second: Play

    @property
    def cluster(self) -> ControlPlane:
        return self.lab.control_plane

    def play(self, playbook: str, *options: str, **variables: Any) -> Play:
        return play(self.inventory, playbook, *options, **variables)

    @property
    def report(self) -> dict[str, Any]:
        """What the last play that proved something has reported."""
        return drills.report_in(self.inventory.parent / REPORT)

    def node(self, name: str) -> dict[str, Any]:
        """The Node object."""
        found: dict[str, Any] = json.loads(self.cluster.kubectl("get", "node", name, "-o", "json"))
        return found

    def advertised(self, name: str) -> dict[str, int]:
        """QAT resources that a node has allocatable; kubelet keeps those of who has left at 0 for a while."""
        found = self.node(name)["status"]["allocatable"].items()
        return {resource: int(count) for resource, count in found if "qat" in resource and count != "0"}

    def marks(self, name: str) -> dict[str, str]:
        """What the node carries of ours."""
        metadata = self.node(name)["metadata"]
        found = {**metadata["labels"], **metadata.get("annotations", {})}
        return {key.split("/")[1]: value for key, value in found.items() if key.startswith("qatvirt.intel.com/")}

    def resource_versions(self) -> dict[str, str]:
        """Of objects that a refused run must not touch (a Node's own version changes by itself)."""
        objects = json.loads(self.cluster.kubectl("get", "daemonsets,kubevirts", "-A", "-o", "json"))["items"]
        return {item["metadata"]["name"]: str(item["metadata"]["generation"]) for item in objects}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Lab("tests-site", PROFILE) as lab:
        lab.down()
        lab.start_all([NodeSpec(name, driver=True, memory=PROFILE.memory) for name in (VM, CONTAINER)])
        inventory = lab.inventory(tmp_path_factory.mktemp("site"))
        variables = inventory.parent / "host_vars"
        variables.mkdir()
        (variables / f"{CONTAINER}.yml").write_text("qatvirt_workload: container\n")
        shared = inventory.parent / "group_vars"
        shared.mkdir()
        (shared / "all.yml").write_text(f"qat_validate_directory: {inventory.parent / REPORT}\n")
        granted = play(inventory, "rbac")
        assert granted.code == 0, granted.text
        preview = play(inventory, "site", "--check", "--diff")
        first = play(inventory, "site", "--diff")
        assert first.code == 0, f"{first.text}\n{state_of(lab.control_plane)}"
        proof = drills.report_in(inventory.parent / REPORT)
        second = play(inventory, "site", "--diff", qatvirt_test_machines=False)
        yield Site(lab, inventory, preview, first, proof, second)


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


def vf_pod(name: str, resource: str, count: int = 1) -> dict[str, Any]:
    limits = {"limits": {resource: str(count)}}
    script = (
        "env | grep ^QAT; ls /dev/vfio; exec 3<>/dev/vfio/$(ls /dev/vfio | grep -v vfio) && echo opened; sleep 100000"
    )
    container = {"name": "main", "image": images.BUSYBOX, "command": ["sh", "-c", script], "resources": limits}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }


def state_of(cluster: ControlPlane) -> str:
    """What the cluster has to say when a run has failed."""
    questions = ("get nodes,pods -A -o wide", "get events -A --sort-by=.lastTimestamp", "get kubevirts -A -o yaml")
    told = []
    for question in questions:
        try:
            told.append(cluster.kubectl(*question.split())[-6000:])
        except LabError as error:
            told.append(str(error))
    return "\n".join(told)


def eventually(question: Any, answer: Any) -> None:
    """Ask until the answer is as expected."""
    deadline = time.monotonic() + PATIENCE
    while (given := question()) != answer:
        assert time.monotonic() < deadline, given
        time.sleep(1)


def tried(site: Site, **options: Any) -> dict[str, Any]:
    """What a test machine on the node for machines has to say, by the account of the plays."""
    given = yaml.safe_load(site.inventory.read_text())["all"]["vars"]
    wanted = {
        "nodes": [{"name": VM, "workload": "vm", "vfs": {"8086:4941": VFS}}],
        "resources": {"8086:4941": "intel.com/qat"},
        "kernel_boot": given["qat_test_vm_kernel_boot"],
        "memory": given["qat_test_vm_memory"],
        "wait_timeout": given["qat_test_vm_wait_timeout"],
        **options,
    }
    result = module("qat_test_vm", kubeconfig=given["qatvirt_kubeconfig"], **wanted)
    assert not result["left"], result
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


def test_a_preview_of_an_empty_cluster_says_what_would_be_and_changes_nothing(site: Site) -> None:
    assert site.preview.code == 0, site.preview.text
    assert f"+  {LABEL}: container" in site.preview.text


def test_each_vf_is_advertised_once(site: Site) -> None:
    assert site.advertised(VM) == {"intel.com/qat": VFS}
    assert site.advertised(CONTAINER) == {"qat.intel.com/cy": VFS // 2, "qat.intel.com/dc": VFS // 2}


def test_the_first_run_ends_with_the_proof(site: Site) -> None:
    """A machine on the node for machines and a pod on the one for containers, and nothing to complain of."""
    assert drills.complaints(site.proof) == {}
    assert (site.proof["verdict"], site.proof["emulated"]) == ("pass", True)
    assert {test["node"]: (test["kind"], test["verdict"]) for test in site.proof["tests"]} == {
        VM: ("vm", "pass"),
        CONTAINER: ("pod", "pass"),
    }
    for test in site.proof["tests"]:
        assert [(seen["vendor"], seen["device"]) for seen in test["seen"]] == [("8086", "4941")]
        assert len(test["given"]) == 1
    last = site.first.text.strip().splitlines()[-8:]
    assert any("It holds: every check passed" in line for line in last), last
    assert any(f"{REPORT}/index.html" in line for line in last), last


def test_every_vf_has_one_owner(site: Site) -> None:
    kinds = {
        node["name"]: {vf["owner"]["text"] for pf in node["pfs"] for vf in pf["vfs"]} for node in site.proof["nodes"]
    }
    assert kinds == {VM: {"intel.com/qat"}, CONTAINER: {"qat.intel.com/cy", "qat.intel.com/dc"}}


def test_labels_say_what_was_observed(site: Site) -> None:
    seen = {"services": "dc_sym-asym", "ready": "true", "vfs": str(VFS)}
    assert site.marks(VM) == {"workload": "vm", **seen}
    assert site.marks(CONTAINER) == {"workload": "container", **seen}


def test_a_second_run_changes_nothing(site: Site) -> None:
    assert site.second.code == 0, site.second.text
    assert site.second.changes() == {VM: 0, CONTAINER: 0}


def test_kubevirt_keeps_off_the_node_for_containers(site: Site) -> None:
    where = ["get", "pods", "-A", "-l", "kubevirt.io=virt-handler", "-o", "jsonpath={.items[*].spec.nodeName}"]
    assert site.cluster.kubectl(*where).split() == [VM]


def test_the_plugin_has_no_privileges(site: Site) -> None:
    pods = site.cluster.kubectl("-n", "qatvirt", "get", "pods", "-o", "json")
    (pod,) = json.loads(pods)["items"]
    (container,) = pod["spec"]["containers"]
    security = container["securityContext"]
    assert not security.get("privileged") and security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/var/lib/kubelet/device-plugins"]


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
        "vm-not-permitted": {"resources": {"8086:4941": other}, "wait_timeout": 60},
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


def test_everything_is_taken_back(site: Site, walked: str) -> None:
    site.cluster.kubectl("delete", "vmi", MACHINE, "--wait")
    done = site.play("teardown")
    assert done.code == 0, done.text
    assert site.marks(VM) == site.marks(CONTAINER) == {}
    (kubevirt,) = json.loads(site.cluster.kubectl("get", "kubevirts", "-A", "-o", "json"))["items"]
    assert "permittedHostDevices" not in kubevirt["spec"]["configuration"]
    assert "intel-qat-plugin" not in site.cluster.kubectl("get", "daemonsets", "-A")
    eventually(lambda: (site.advertised(VM), site.advertised(CONTAINER)), ({}, {}))
