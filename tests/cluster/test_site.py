# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on a real cluster, by the rights that rbac.yml grants: one node for virtual machines, one for containers.

The tests run in the order they stand in: each leaves the site converged, the last one takes everything back but
KubeVirt.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import Lab, LabError, Node, NodeSpec
from lab.cluster import images, manifests
from lab.cluster.control_plane import ControlPlane
from lab.cluster.profiles import DEFAULT, PROFILES
from tests.lab.plays import RECAP, Play, play

PROFILE = PROFILES[DEFAULT]
VM, CONTAINER = "qat1", "qat2"
VFS = 16
PATIENCE = 600.0
LABEL = "qatvirt.intel.com/workload"


@dataclass(frozen=True)
class Site:
    """The cluster, and the runs that converged it. preview: --check before anything was there."""

    lab: Lab
    inventory: Path
    preview: Play
    first: Play
    second: Play

    @property
    def cluster(self) -> ControlPlane:
        return self.lab.control_plane

    def play(self, playbook: str, *options: str, **variables: Any) -> Play:
        return play(self.inventory, playbook, *options, **variables)

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


def changes(done: Play) -> dict[str, int]:
    """Changed tasks by host."""
    return {host: int(changed) for host, changed, _unreachable, _failed in RECAP.findall(done.text)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Lab("tests-site", PROFILE) as lab:
        lab.down()
        lab.start_all([NodeSpec(name, driver=True, memory=PROFILE.memory) for name in (VM, CONTAINER)])
        inventory = lab.inventory(tmp_path_factory.mktemp("site"))
        variables = inventory.parent / "host_vars"
        variables.mkdir()
        (variables / f"{CONTAINER}.yml").write_text("qatvirt_workload: container\n")
        granted = play(inventory, "rbac")
        assert granted.code == 0, granted.text
        preview = play(inventory, "site", "--check", "--diff")
        first = play(inventory, "site", "--diff")
        assert first.code == 0, f"{first.text}\n{state_of(lab.control_plane)}"
        yield Site(lab, inventory, preview, first, play(inventory, "site", "--diff"))


@pytest.fixture
def pod(site: Site) -> Iterator[str]:
    """A pod on the node for containers, with one VF."""
    site.cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump(vf_pod("user", "qat.intel.com/cy")))
    site.cluster.kubectl("wait", "pod/user", "--for=jsonpath={.status.phase}=Running", f"--timeout={PATIENCE}s")
    yield "user"
    site.cluster.kubectl("delete", "pod", "user", "--wait", "--grace-period=1")


@pytest.fixture(scope="module")
def machine(site: Site) -> Iterator[str]:
    """A virtual machine with one VF, running."""
    site.cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump(manifests.qat_vmi("user")))
    try:
        site.cluster.kubectl("wait", "vmi/user", "--for=jsonpath={.status.phase}=Running", f"--timeout={PATIENCE}s")
        yield "user"
    finally:
        site.cluster.kubectl("delete", "vmi", "user", "--wait", "--ignore-not-found")


def vf_pod(name: str, resource: str) -> dict[str, Any]:
    limits = {"limits": {resource: "1"}}
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


def test_a_preview_of_an_empty_cluster_says_what_would_be_and_changes_nothing(site: Site) -> None:
    assert site.preview.code == 0, site.preview.text
    assert f"+  {LABEL}: container" in site.preview.text


def test_each_vf_is_advertised_once(site: Site) -> None:
    assert site.advertised(VM) == {"intel.com/qat": VFS}
    assert site.advertised(CONTAINER) == {"qat.intel.com/cy": VFS // 2, "qat.intel.com/dc": VFS // 2}


def test_labels_say_what_was_observed(site: Site) -> None:
    seen = {"services": "dc_sym-asym", "ready": "true", "vfs": str(VFS)}
    assert site.marks(VM) == {"workload": "vm", **seen}
    assert site.marks(CONTAINER) == {"workload": "container", **seen}


def test_a_second_run_changes_nothing(site: Site) -> None:
    assert site.second.code == 0, site.second.text
    assert changes(site.second) == {VM: 0, CONTAINER: 0}


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


def test_a_virtual_machine_gets_its_vf(site: Site, machine: str) -> None:
    pods = ["get", "pod", "-l", f"vm.kubevirt.io/name={machine}", "-o", "name"]
    (launcher,) = site.cluster.kubectl(*pods).split()

    def report() -> str:
        return site.cluster.kubectl("logs", launcher, "-c", "guest-console-log")

    eventually(lambda: "QATVIRT-RESULT" in report(), True)
    (answer, *_later) = re.findall(r"QATVIRT-RESULT (\{.*\})", report())
    seen = [(device["vendor"], device["device"]) for device in json.loads(answer)["pci"]]
    assert seen.count(("0x8086", "0x4941")) == 1


def test_a_node_does_not_change_hands_under_a_virtual_machine(site: Site, machine: str) -> None:
    before = (site.marks(VM), site.resource_versions())
    refused = site.play("cluster", "-e", json.dumps({"qatvirt_workload": "container"}))
    assert refused.code != 0
    assert refused.says(VM, "is to be for containers", f"virtual machine default/{machine}", "nothing was changed")
    assert (site.marks(VM), site.resource_versions()) == before


def test_vfs_made_anew_under_a_running_cluster_are_found_again(site: Site, machine: str) -> None:
    """Those of the PF whose VFs the machine has not; the machine goes on."""
    node = site.lab.node(VM)
    address = free_pf(node)
    node.run(f"echo 0 > /sys/bus/pci/devices/{address}/sriov_numvfs")
    eventually(lambda: site.advertised(VM), {"intel.com/qat": VFS // 2})
    started = site.cluster.kubectl("get", "vmi", machine, "-o", "jsonpath={.metadata.uid}{.status.phase}")
    repaired = site.play("site")
    assert repaired.code == 0, repaired.text
    assert site.advertised(VM) == {"intel.com/qat": VFS}
    assert site.marks(VM)["ready"] == "true"
    assert site.cluster.kubectl("get", "vmi", machine, "-o", "jsonpath={.metadata.uid}{.status.phase}") == started


def free_pf(node: Node) -> str:
    """A PF none of whose VFs a QEMU holds."""
    script = """
    held=$(find /proc/[0-9]*/fd -lname '/dev/vfio/[0-9]*' -printf '%l\\n' 2>/dev/null | sort -u)
    held=${held##*/}
    cd /sys/bus/pci/devices
    for pf in */sriov_numvfs; do
        pf=${pf%/*}
        case $(cat $pf/class) in 0x0b4000) ;; *) continue;; esac
        groups=$(for vf in $pf/virtfn*; do basename $(readlink -f $vf/iommu_group); done)
        echo "$groups" | grep -qxF "$held" || echo $pf
    done
    """
    (free, *_more) = node.run(script).stdout.split()
    return free


def test_a_node_changes_hands_and_back(site: Site) -> None:
    switched = site.play("cluster", "--diff", "-e", json.dumps({"qatvirt_workload": "vm"}))
    assert switched.code == 0, switched.text
    assert site.advertised(CONTAINER) == {"intel.com/qat": VFS}
    assert site.marks(CONTAINER)["workload"] == "vm"
    back = site.play("cluster", "--diff")
    assert back.code == 0, back.text
    assert site.advertised(CONTAINER) == {"qat.intel.com/cy": VFS // 2, "qat.intel.com/dc": VFS // 2}


def test_everything_is_taken_back(site: Site, machine: str) -> None:
    site.cluster.kubectl("delete", "vmi", machine, "--wait")
    done = site.play("teardown")
    assert done.code == 0, done.text
    assert site.marks(VM) == site.marks(CONTAINER) == {}
    (kubevirt,) = json.loads(site.cluster.kubectl("get", "kubevirts", "-A", "-o", "json"))["items"]
    assert "permittedHostDevices" not in kubevirt["spec"]["configuration"]
    assert "intel-qat-plugin" not in site.cluster.kubectl("get", "daemonsets", "-A")
    eventually(lambda: (site.advertised(VM), site.advertised(CONTAINER)), ({}, {}))
