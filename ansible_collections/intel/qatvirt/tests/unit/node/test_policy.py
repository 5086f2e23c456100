# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: what is refused, in which words, and which rule wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import PolicyError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import (
    check_policy,
    ordered,
    parse_policy,
    settings_for,
)
from ansible_collections.intel.qatvirt.tests.unit.node.policies import MALFORMED
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel

MIXED = (PfSpec("0000:6b:00.0", "4940"), PfSpec("0000:b3:00.0", "37c8", numa=1))


@pytest.mark.parametrize(("raw", "words"), [*MALFORMED, (None, "the policy is None; expected a list")])
def test_parse_policy_names_what_is_wrong(raw: object, words: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy(raw)
    assert words in str(error.value)


def test_parse_policy_tells_everything_at_once() -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy([{"vfs": "some"}, {"driver": "x", "services": ["y"]}])
    assert len(error.value.messages) == 3


@pytest.mark.parametrize("device", ["4940", "0x4940", "8086:4940", 4940])
def test_parse_policy_takes_device_ids_as_people_write_them(device: object) -> None:
    pfs, _vfio = observe(SimKernel(MIXED))
    rule = parse_policy([{"match": {"device": device}}])[0]
    assert [rule.fits(pf) for pf in pfs] == [True, False]


def test_settings_for_later_rules_win_key_by_key() -> None:
    pfs, _vfio = observe(SimKernel(MIXED))
    policy = parse_policy([{"vfs": 0, "services": ["dc"]}, {"match": {"numa_node": 0}, "vfs": "max"}])
    settings = settings_for(policy, pfs[0])
    assert settings is not None
    assert (settings.vfs, settings.services, settings.driver) == ("max", {"dc"}, "vfio-pci")


def test_settings_for_is_none_where_nothing_matches() -> None:
    pfs, _vfio = observe(SimKernel(MIXED))
    assert settings_for(parse_policy([{"match": {"family": "4xxx"}}]), pfs[1]) is None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"match": {"address": "0000:01:00.0"}}, "matches no PF; this node has 0000:6b:00.0 (4xxx 4940, NUMA node 0)"),
        ({"match": {"family": "6xxx"}}, "the policy matches none of this node's PFs"),
        ({"match": {"family": "4xxx"}, "services": ["decomp"]}, "the device has no service decomp; it offers"),
        ({"match": {"family": "4xxx"}, "services": ["sym", "asym", "dc"]}, "the device takes 2 at once"),
        ({"match": {"family": "4xxx"}, "services": ["dcc", "sym"]}, "dcc works only alone"),
        ({"match": {"family": "4xxx"}, "vfs": 17}, "vfs is 17, the device has 16 at most"),
        ({"match": {"family": "4xxx"}, "vfs": 8}, "enables all 16 VFs or none; use max or 0"),
        ({"match": {"family": "4xxx"}, "driver": "kernel"}, "Linux has no VF driver for 4xxx"),
        ({"match": {"family": "c62x"}, "services": ["dc"]}, "has no qat/cfg_services"),
        ({"match": {"address": "0000:01:00.0"}}, "policy rule 1 (match {address: 0000:01:00.0}) matches no PF"),
    ],
)
def test_check_policy_names_pf_value_and_remedy(rule: dict[str, Any], words: str) -> None:
    pfs, _vfio = observe(SimKernel(MIXED))
    messages = check_policy(parse_policy([rule]), pfs)
    assert len(messages) == 1
    assert words in messages[0]


@pytest.mark.parametrize(("device", "fits"), [("4940", False), ("37c8", False), ("18a0", True)])
def test_check_policy_asks_for_all_vfs_or_none_of_in_tree_drivers_only(device: str, fits: bool) -> None:
    """The out-of-tree driver of a c4xxx enables any number of VFs."""
    pfs = tuple(replace(pf, vfs_possible=16) for pf in observe(SimKernel((PfSpec(device=device),)))[0])
    messages = check_policy(parse_policy([{"vfs": 8}]), pfs)
    assert messages == ([] if fits else [messages[0]])
    assert fits or "the in-tree driver enables all 16 VFs or none; use max or 0" in messages[0]


def test_check_policy_says_when_there_is_no_qat() -> None:
    assert "no QAT PF found" in check_policy(parse_policy([{}]), ())[0]


def test_ordered_writes_what_every_kernel_takes() -> None:
    assert ordered({"asym", "sym"}) == ["sym", "asym"]
