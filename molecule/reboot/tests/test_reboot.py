# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After nodes.yml on a node whose IOMMU was off: the node rebooted once, the IOMMU is on, the VFs are there."""

from __future__ import annotations

from typing import Any

testinfra_hosts = ["ansible://qat_nodes"]


def test_node_rebooted_exactly_once(host: Any) -> None:
    assert len(host.file("/var/lib/boots").content_string.split()) == 2


def test_kernel_argument_is_there_once_and_the_iommu_is_on(host: Any) -> None:
    arguments = host.file("/proc/cmdline").content_string.split()
    assert [argument for argument in arguments if argument.startswith("intel_iommu=")][-1] == "intel_iommu=on"
    assert host.check_output("ls /sys/class/iommu")


def test_vfs_are_on_vfio_pci(host: Any) -> None:
    drivers = host.check_output("readlink /sys/bus/pci/devices/*/virtfn*/driver").split()
    assert drivers
    assert {driver.rsplit("/", 1)[1] for driver in drivers} == {"vfio-pci"}
