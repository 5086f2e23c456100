# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that was saved as a whole goes on where it was: its objects, its pods, its nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import Lab, LabError, NodeSpec
from lab.cluster import images
from lab.cluster.control_plane import ControlPlane
from lab.cluster.profiles import PROFILES

pytestmark = pytest.mark.long

PROFILE = PROFILES["kubernetes"]
NAME = "tests-saved"
COUNTS = "i=0; while echo $i; do i=$((i+1)); sleep 1; done"


def counted(cluster: ControlPlane) -> int:
    """The last number that the pod has said."""
    return int(cluster.kubectl("logs", "counter", "--tail=1"))


def container(cluster: ControlPlane) -> str:
    """What containerd calls the pod's container, and how often it was started."""
    status = "{.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}"
    return cluster.kubectl("get", "pod", "counter", "-o", f"jsonpath={status}")


def test_a_saved_cluster_goes_on_where_it_was(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    with Lab(NAME, PROFILE) as lab:
        lab.down()
        node = lab.start(NodeSpec("qat1", memory=PROFILE.memory))
        cluster, boot = lab.control_plane, node.boot_id()
        cluster.kubectl("run", "counter", f"--image={images.BUSYBOX}", "--restart=Never", "--", "sh", "-c", COUNTS)
        cluster.kubectl("wait", "pod/counter", "--for=condition=Ready", "--timeout=120s")
        before, number = container(cluster), counted(cluster)
        lab.save_cluster(saved)
        cluster.kubectl("create", "namespace", "later")
    with Lab(NAME, PROFILE) as lab:
        (node,) = lab.start_saved_cluster(saved)
        assert node.boot_id() == boot
        cluster = lab.control_plane
        assert container(cluster) == before
        assert counted(cluster) >= number
        cluster.kubectl("run", "another", f"--image={images.BUSYBOX}", "--restart=Never", "--", "true")
        cluster.kubectl("wait", "pod/another", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
        with pytest.raises(LabError, match="not found"):
            cluster.kubectl("get", "namespace", "later")
        with Lab(f"{NAME}-2", PROFILE) as other, pytest.raises(LabError, match="these lab networks are taken"):
            other.start_saved_cluster(saved)
