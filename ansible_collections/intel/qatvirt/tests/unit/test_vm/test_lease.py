# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs are dead, by the own clock."""

from __future__ import annotations

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.lease import Watch

LABEL = "qatvirt.intel.com/test-run"


def lease(run: str, renewed: int, duration: int = 30) -> dict[str, Any]:
    spec = {"renewTime": f"2026-11-25T04:00:{renewed:02}.000000Z", "leaseDurationSeconds": duration}
    return {"metadata": {"name": f"qat-test-{run}", "labels": {LABEL: run}}, "spec": spec}


def test_a_run_is_dead_when_its_lease_was_not_renewed_for_as_long_as_it_is_good_for() -> None:
    watch = Watch("own", LABEL)
    watch.look([lease("other", 0)], 1000.0)
    watch.look([lease("other", 0)], 1029.0)
    assert (watch.dead(1029.0), watch.undecided(1029.0)) == (set(), {"other"})
    watch.look([lease("other", 0)], 1030.0)
    assert (watch.dead(1030.0), watch.undecided(1030.0)) == ({"other"}, set())


def test_one_renewal_tells_that_it_lives_and_starts_the_time_anew() -> None:
    watch = Watch("own", LABEL)
    watch.look([lease("other", 0)], 1000.0)
    watch.look([lease("other", 5)], 1029.0)
    assert (watch.dead(1031.0), watch.undecided(1031.0)) == (set(), set())
    watch.look([lease("other", 5)], 1059.0)
    assert watch.dead(1059.0) == {"other"}


def test_the_own_lease_is_never_dead() -> None:
    watch = Watch("own", LABEL)
    watch.look([lease("own", 0)], 1000.0)
    assert (watch.dead(2000.0), watch.undecided(2000.0)) == (set(), set())


def test_a_lease_that_is_gone_is_forgotten() -> None:
    watch = Watch("own", LABEL)
    watch.look([lease("other", 0)], 1000.0)
    watch.look([], 1001.0)
    assert (watch.dead(2000.0), watch.undecided(2000.0), watch.known()) == (set(), set(), set())


def test_a_lease_says_itself_how_long_it_is_good_for() -> None:
    watch = Watch("own", LABEL)
    watch.look([lease("other", 0, duration=300)], 1000.0)
    assert watch.dead(1299.0) == set()
    assert watch.dead(1300.0) == {"other"}


def test_leases_of_others_are_none_of_its_business() -> None:
    watch = Watch("own", LABEL)
    watch.look([{"metadata": {"name": "leader"}, "spec": {}}], 1000.0)
    assert watch.known() == set()
