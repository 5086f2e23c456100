# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's cluster as a site, and what can be seen of it from outside."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import Lab, LabError, NodeSpec, qemu
from lab.cluster import images
from lab.cluster.control_plane import ControlPlane
from lab.cluster.profiles import DEFAULT, PROFILES
from lab.paths import cache_root, cached, digest, remove_tree
from lab.shell import run
from tests import drills
from tests.plays import ROOT, Play, play

PROFILE = PROFILES[DEFAULT]
VM, CONTAINER = "qat1", "qat2"
"""The node for virtual machines and the one for containers."""
NODES = tuple(NodeSpec(name, driver=True, memory=PROFILE.memory) for name in (VM, CONTAINER))
VFS = 16
PATIENCE = 600.0
SAVED, SAVED_FOR = "saved-site", 12 * 3600
"""Kind of the saved site in the cache, and the seconds it is good for: KubeVirt's certificates are good for a day."""
MADE_FROM = ("ansible_collections", "lab", "playbooks", "tests/site/site.py")
SAVED_NETWORK = 240
"""Number of its network, which has to be free at each start of it: other labs take the first that is free."""
LABEL = "qatvirt.intel.com/workload"
REPORT = "report"


@dataclass(frozen=True)
class Site:
    """A cluster of two nodes with its inventory."""

    lab: Lab
    inventory: Path

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
        """Labels and annotations of this collection that the node carries."""
        metadata = self.node(name)["metadata"]
        found = {**metadata["labels"], **metadata.get("annotations", {})}
        return {key.split("/")[1]: value for key, value in found.items() if key.startswith("qatvirt.intel.com/")}

    def resource_versions(self) -> dict[str, str]:
        """Generations of the objects that a refused run must not touch (a Node's own version changes by itself)."""
        objects = json.loads(self.cluster.kubectl("get", "daemonsets,kubevirts", "-A", "-o", "json"))["items"]
        return {item["metadata"]["name"]: str(item["metadata"]["generation"]) for item in objects}


def write_inventory(lab: Lab, directory: Path) -> Path:
    """Write the inventory of the site into a directory, with the report of the proof beside it; its hosts.yml."""
    inventory = lab.inventory(directory)
    variables = inventory.parent / "host_vars"
    variables.mkdir()
    (variables / f"{CONTAINER}.yml").write_text("qatvirt_workload: container\n")
    shared = inventory.parent / "group_vars"
    shared.mkdir()
    (shared / "all.yml").write_text(f"qat_validate_directory: {inventory.parent / REPORT}\n")
    return inventory


def saved_site(directory: Path) -> Path:
    """A converged site, saved as a whole; made if the cache has none of today's tree. directory: for its inventory.

    The cache keeps one: it has some GB, and each change of the tree makes another.
    """
    files = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", *MADE_FROM).splitlines()
    key = digest(qemu.version(), *files, *(ROOT / name for name in files if (ROOT / name).is_file()))
    _forget_all_but(key)

    def make(saved: Path) -> None:
        with Lab("tests-saved-site", PROFILE, network=SAVED_NETWORK) as lab:
            lab.down()
            lab.start_all(NODES)
            converge(Site(lab, write_inventory(lab, directory)))
            lab.save_cluster(saved)

    return cached(SAVED, key, make)


def _forget_all_but(key: str) -> None:
    """Remove saved sites of another tree, and one that is so old that KubeVirt's certificates are about to end."""
    for saved in cache_root().glob(f"{SAVED}/*/"):
        if saved.name != key or time.time() - saved.stat().st_mtime > SAVED_FOR:
            remove_tree(saved)


def converge(site: Site) -> None:
    """Grant the rights of the plays and run site.yml, without the test machines."""
    granted = site.play("rbac")
    assert granted.code == 0, granted.text
    done = site.play("site", qatvirt_test_machines=False)
    assert done.code == 0, f"{done.text}\n{state_of(site.cluster)}"


def vf_pod(name: str, resource: str, count: int = 1) -> dict[str, Any]:
    """A pod that asks for VFs, says which it got and opens one."""
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
    """Ask a question until the answer is as expected."""
    deadline = time.monotonic() + PATIENCE
    while (given := question()) != answer:
        assert time.monotonic() < deadline, given
        time.sleep(1)
