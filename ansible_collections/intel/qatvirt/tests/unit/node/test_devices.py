# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device table."""

from __future__ import annotations

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.devices import (
    FAMILIES,
    SERVICES,
    Family,
    family_named,
    family_of_pf,
)


def test_families_share_no_id() -> None:
    ids = [device for family in FAMILIES for device in family.pf + family.vf]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_family_is_complete(family: Family) -> None:
    assert family_named(family.name) is family
    assert len(family.pf) == len(family.vf)
    assert len(family.intree_since) in (0, len(family.pf))
    assert len(family.firmware) == 2
    assert (family.vf_driver is None) == (family.vf_module is None)
    assert family.sysfs == bool(family.services) == bool(family.max_services)
    assert set(family.services) <= set(SERVICES)


@pytest.mark.parametrize(
    ("pf", "vf", "driver", "since"),
    [("4940", "4941", "4xxx", "5.11"), ("4942", "4943", "4xxx", "5.19"), ("37c8", "37c9", "c6xx", "4.5")],
)
def test_family_of_pf_knows_vf_driver_and_kernel(pf: str, vf: str, driver: str, since: str) -> None:
    family = family_of_pf(pf)
    assert family is not None
    assert (family.vf_of(pf), family.pf_driver, family.since(pf)) == (vf, driver, since)


@pytest.mark.parametrize("device", ["4941", "10c9", ""])
def test_family_of_pf_is_none_for_others(device: str) -> None:
    assert family_of_pf(device) is None
