# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on a real cluster, by the rights that rbac.yml grants: one node for virtual machines, one for containers.

The tests run in the order they stand in: each leaves the site converged, the last one takes everything back but
KubeVirt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab import Lab
from tests import drills
from tests.plays import Play
from tests.site.site import (
    CONTAINER,
    LABEL,
    NODES,
    PROFILE,
    REPORT,
    VFS,
    VM,
    Site,
    eventually,
    state_of,
    write_inventory,
)


@dataclass(frozen=True)
class Runs:
    """The runs that converged the site.

    preview: --check before anything was there. proof: the report of the first run.
    """

    preview: Play
    first: Play
    proof: dict[str, Any]
    second: Play


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two bare nodes and a cluster with nothing in it."""
    with Lab("tests-site", PROFILE) as lab:
        lab.down()
        lab.start_all(NODES)
        yield Site(lab, write_inventory(lab, tmp_path_factory.mktemp("site")))


@pytest.fixture(scope="module", autouse=True)
def runs(site: Site) -> Runs:
    """From bare nodes to the proof, and once more."""
    granted = site.play("rbac")
    assert granted.code == 0, granted.text
    preview = site.play("site", "--check", "--diff")
    first = site.play("site", "--diff")
    assert first.code == 0, f"{first.text}\n{state_of(site.cluster)}"
    proof = site.report
    second = site.play("site", "--diff", qatvirt_test_machines=False)
    return Runs(preview, first, proof, second)


def test_a_preview_of_an_empty_cluster_says_what_would_be_and_changes_nothing(runs: Runs) -> None:
    assert runs.preview.code == 0, runs.preview.text
    assert f"+  {LABEL}: container" in runs.preview.text


def test_each_vf_is_advertised_once(site: Site) -> None:
    assert site.advertised(VM) == {"intel.com/qat": VFS}
    assert site.advertised(CONTAINER) == {"qat.intel.com/cy": VFS // 2, "qat.intel.com/dc": VFS // 2}


def test_the_first_run_ends_with_the_proof(runs: Runs) -> None:
    """A machine on the node for machines and a pod on the one for containers, and nothing to complain of."""
    assert drills.complaints(runs.proof) == {}
    assert (runs.proof["verdict"], runs.proof["emulated"]) == ("pass", True)
    assert {test["node"]: (test["kind"], test["verdict"]) for test in runs.proof["tests"]} == {
        VM: ("vm", "pass"),
        CONTAINER: ("pod", "pass"),
    }
    for test in runs.proof["tests"]:
        assert [(seen["vendor"], seen["device"]) for seen in test["seen"]] == [("8086", "4941")]
        assert len(test["given"]) == 1
    last = runs.first.text.strip().splitlines()[-8:]
    assert any("It holds: every check passed" in line for line in last), last
    assert any(f"{REPORT}/index.html" in line for line in last), last


def test_every_vf_has_one_owner(runs: Runs) -> None:
    kinds = {
        node["name"]: {vf["owner"]["text"] for pf in node["pfs"] for vf in pf["vfs"]} for node in runs.proof["nodes"]
    }
    assert kinds == {VM: {"intel.com/qat"}, CONTAINER: {"qat.intel.com/cy", "qat.intel.com/dc"}}


def test_labels_say_what_was_observed(site: Site) -> None:
    seen = {"services": "dc_sym-asym", "ready": "true", "vfs": str(VFS)}
    assert site.marks(VM) == {"workload": "vm", **seen}
    assert site.marks(CONTAINER) == {"workload": "container", **seen}


def test_a_second_run_changes_nothing(runs: Runs) -> None:
    assert runs.second.code == 0, runs.second.text
    assert runs.second.changes() == {VM: 0, CONTAINER: 0}


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


def test_everything_is_taken_back(site: Site) -> None:
    done = site.play("teardown")
    assert done.code == 0, done.text
    assert site.marks(VM) == site.marks(CONTAINER) == {}
    (kubevirt,) = json.loads(site.cluster.kubectl("get", "kubevirts", "-A", "-o", "json"))["items"]
    assert "permittedHostDevices" not in kubevirt["spec"]["configuration"]
    assert "intel-qat-plugin" not in site.cluster.kubectl("get", "daemonsets", "-A")
    eventually(lambda: (site.advertised(VM), site.advertised(CONTAINER)), ({}, {}))
