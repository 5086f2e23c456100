# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After nodes.yml, all VFs are bound to vfio-pci, and a boot unit with the policy binds them at the next boot."""

from __future__ import annotations

import json
from typing import Any

import pytest

testinfra_hosts = ["ansible://qat_nodes"]

PFS = "/sys/bus/pci/devices/*/sriov_totalvfs"


@pytest.fixture(scope="module")
def pfs(host: Any) -> list[str]:
    """The sysfs directories of the node's two PFs."""
    found = host.check_output(f"ls -d {PFS}").split()
    assert len(found) == 2
    return [path.rsplit("/", 1)[0] for path in found]


def test_every_pf_has_all_vfs_on_vfio_pci(host: Any, pfs: list[str]) -> None:
    for pf in pfs:
        possible = int(host.file(f"{pf}/sriov_totalvfs").content_string)
        drivers = host.check_output(f"readlink {pf}/virtfn*/driver").split()
        assert len(drivers) == possible > 0
        assert {driver.rsplit("/", 1)[1] for driver in drivers} == {"vfio-pci"}


def test_every_vf_has_a_vfio_group_of_its_own(host: Any, pfs: list[str]) -> None:
    groups = host.check_output("readlink " + " ".join(f"{pf}/virtfn*/iommu_group" for pf in pfs)).split()
    assert len(set(groups)) == len(groups)
    for group in groups:
        assert host.file("/dev/vfio/" + group.rsplit("/", 1)[1]).exists


def test_boot_unit_is_enabled_with_the_policy(host: Any) -> None:
    assert host.service("qatvirt").is_enabled
    policy = json.loads(host.file("/etc/qatvirt/policy.json").content_string)
    assert policy
    assert "vfio" in host.file("/etc/modules-load.d/qatvirt.conf").content_string
