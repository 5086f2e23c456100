# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Intel's plugin is told."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import ClusterNode
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.qat_plugin import other_daemonsets, settings
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError

BIG = ClusterNode("big", workload="container", vf_counts={"8086:4941": 128}, drivers=("4xxxvf",))
OLD = ClusterNode("old", workload="container", vf_counts={"8086:37c9": 48}, drivers=("c6xxvf",))
OURS = ("qatvirt", "intel-qat-plugin")


def daemonset(namespace: str, name: str, *arguments: str, image: str = "r/intel-qat-plugin:0.36.0") -> dict[str, Any]:
    containers = [{"image": image, "args": list(arguments)}]
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"template": {"spec": {"containers": containers}}},
    }


def test_all_drivers_and_the_most_vfs_of_nodes_for_containers() -> None:
    machines = ClusterNode("vms", workload="vm", vf_counts={"8086:4947": 256}, drivers=("420xxvf",))
    found = settings([BIG, OLD, machines], [], *OURS)
    assert found == {"nodes": 2, "drivers": ["4xxxvf", "c6xxvf"], "max_devices": 128}


def test_a_limited_play_takes_nothing_from_other_nodes() -> None:
    deployed = daemonset(*OURS, "-dpdk-driver=vfio-pci", "-kernel-vf-drivers=4xxxvf,420xxvf", "-max-num-devices=128")
    found = settings([OLD], [deployed], *OURS)
    assert found == {"nodes": 1, "drivers": ["420xxvf", "4xxxvf", "c6xxvf"], "max_devices": 128}


def test_a_device_the_plugin_does_not_know_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"does not know the device of ice \(200xxvf\).*qatvirt_workload of these nodes to vm"
    ):
        settings([ClusterNode("ice", workload="container", drivers=("200xxvf",))], [], *OURS)


def test_another_plugin_is_found_by_its_image() -> None:
    others = [daemonset("default", "intel-qat-plugin"), daemonset("x", "sgx", image="r/intel-sgx-plugin:1")]
    assert other_daemonsets([daemonset(*OURS), *others], *OURS) == ["default/intel-qat-plugin"]
