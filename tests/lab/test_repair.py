# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that was killed half-way is repaired by up and removed by down, whatever the stage.

The tests run in the order they stand in, on one cluster.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab, LabError, NodeSpec
from lab.cluster.profiles import PROFILES
from lab.paths import labs_root

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
NAME = "tests-repair"
UP = (sys.executable, "-m", "lab", "up", "--name", NAME, "--profile", "kubernetes", "--nodes", "1")


@pytest.fixture(scope="module", autouse=True)
def nothing_there() -> Iterator[None]:
    Lab(NAME).down()
    yield
    Lab(NAME).down()


def killed_at(stage: str) -> None:
    """Run up, and kill it and what it runs in the foreground as soon as it says that it begins a stage."""
    up = subprocess.Popen(UP, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert up.stderr is not None
    for line in up.stderr:
        if line.strip().startswith(f"… {stage}"):
            break
    else:
        pytest.fail(f"up never came to '{stage}'")
    os.killpg(up.pid, signal.SIGKILL)
    up.wait()


def ready() -> list[str]:
    """Names of the nodes that the cluster counts on."""
    found = Lab(NAME).control_plane.kubectl(
        *("get", "nodes", "-o"),
        'jsonpath={range .items[?(@.status.conditions[-1].status=="True")]}{.metadata.name}{"\\n"}{end}',
    )
    return found.split()


def traces() -> list[str]:
    """Processes that live in the lab's directory, and its network devices."""
    directory = labs_root() / NAME
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(directory):
                processes.append((process / "comm").read_text().strip())
        except OSError:
            continue  # ended meanwhile
    return processes + [str(path) for path in [directory] if path.exists()]


@pytest.mark.parametrize("stage", ["start the control plane", "start qat1"])
def test_down_after_a_kill_leaves_nothing(stage: str) -> None:
    killed_at(stage)
    assert traces()
    Lab(NAME).down()
    assert traces() == []


def test_up_after_kills_at_every_stage_makes_the_cluster_whole() -> None:
    for stage in ("start the control plane", "start qat1", "wait for qat1"):
        killed_at(stage)
    subprocess.run(UP, cwd=ROOT, check=True)
    assert ready() == ["qat1"]


def test_servers_that_died_come_back_with_what_they_knew() -> None:
    lab = Lab(NAME, PROFILES["kubernetes"])
    lab.control_plane.kubectl("create", "namespace", "kept")
    for name in ("etcd", "kube-apiserver", "kube-scheduler"):
        lab.control_plane.server(name).kill()
    boot = lab.node("qat1").boot_id()
    assert lab.start(lab.node("qat1").spec).boot_id() == boot
    assert "kept" in lab.control_plane.kubectl("get", "namespace", "kept")
    assert ready() == ["qat1"]


def test_a_restored_node_is_a_node_of_the_cluster_again() -> None:
    lab = Lab(NAME, PROFILES["kubernetes"])
    boot = lab.node("qat1").machine.pid()
    assert lab.restore("qat1").machine.pid() != boot
    assert ready() == ["qat1"]


def test_two_clusters_do_not_meet() -> None:
    with Lab(f"{NAME}-2", PROFILES["kubernetes"]) as two:
        two.down()
        two.start(NodeSpec("two", memory=PROFILES["kubernetes"].memory))
        assert two.control_plane.kubectl("get", "nodes", "-o", "name").split() == ["node/two"]
        assert ready() == ["qat1"]
    assert ready() == ["qat1"]


def test_a_lab_without_a_cluster_does_not_become_one() -> None:
    Lab(NAME).down()
    Lab(NAME).start(NodeSpec("qat1"))
    with pytest.raises(LabError, match="is no cluster, not of profile kubernetes: end it first with"):
        Lab(NAME, PROFILES["kubernetes"]).start(NodeSpec("qat1"))
    with pytest.raises(LabError, match="is no cluster: 'python -m lab up --cluster"):
        _ = Lab(NAME).control_plane
