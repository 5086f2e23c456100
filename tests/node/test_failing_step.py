# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step that the driver refuses: the PF is put back, and the error says so; where that fails, too, it says that."""

from __future__ import annotations

from lab import Node, faults
from tests.plays import PFS, POLICY, Site, look

NEW_POLICY = [*POLICY, {"match": {"family": "4xxx"}, "services": ["dc"]}]
FIRST, FAILING, LAST = PFS[:3]
FAILING_MASK = 1 << 1


def of(pf: str, seen: dict[str, str]) -> dict[str, str]:
    """What look() saw of a PF and its VFs."""
    return {path: value for path, value in seen.items() if path.startswith(pf[:8])}


def test_pf_is_put_back_when_a_step_fails(site: Site, node: Node) -> None:
    before = look(node)
    faults.fail_up(node, True, FAILING_MASK, times=1)
    failed = site.module("qat_vf", policy=NEW_POLICY)
    after = look(node)
    assert failed["failed"]
    assert failed["msg"].startswith(FAILING), failed["msg"]
    for words in ("EFAULT", f"PF {FAILING} was put back as it was"):
        assert words in failed["msg"], failed["msg"]
    assert of(FAILING, after) == of(FAILING, before)
    assert of(LAST, after) == of(LAST, before)
    assert after[f"{FIRST}/qat/cfg_services"] == "dc"


def test_pf_that_cannot_be_put_back_is_described_and_repaired_later(site: Site, node: Node) -> None:
    faults.fail_up(node, True, FAILING_MASK)
    failed = site.module("qat_vf", policy=NEW_POLICY)
    assert failed["failed"]
    for words in (f"PF {FAILING} could NOT be put back", "it is now", "down"):
        assert words in failed["msg"]

    faults.fail_up(node, False)
    repaired = site.module("qat_vf", policy=NEW_POLICY)
    assert repaired["changed"], repaired
    for pf in (FIRST, FAILING, LAST):
        assert look(node)[f"{pf}/qat/cfg_services"] == "dc"
