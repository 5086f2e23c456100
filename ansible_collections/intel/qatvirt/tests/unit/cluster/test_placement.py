# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""KubeVirt off nodes for containers, beside all other rules."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.placement import RULE, keep_off, let_on
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import Refused

GPU = {"key": "gpu", "operator": "Exists"}
NAMED = [{"key": "metadata.name", "operator": "In", "values": ["a"]}]


def placed(*terms: dict[str, Any], **more: Any) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    return {"spec": {"workloads": {"nodePlacement": {**more, **({"affinity": affinity} if terms else {})}}}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"spec": {}}, placed({"matchExpressions": [RULE]})),
        (placed({"matchExpressions": [GPU]}), placed({"matchExpressions": [GPU, RULE]})),
        (
            placed({"matchExpressions": [GPU]}, {"matchFields": NAMED}, tolerations=[{"key": "x"}]),
            placed(
                {"matchExpressions": [GPU, RULE]},
                {"matchFields": NAMED, "matchExpressions": [RULE]},
                tolerations=[{"key": "x"}],
            ),
        ),
    ],
)
def test_the_rule_is_in_every_term_and_goes_without_a_trace(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert keep_off(deepcopy(before)) == after
    assert keep_off(deepcopy(after)) == after
    assert let_on(deepcopy(after)) == before


def test_a_selector_that_asks_for_machines_is_enough() -> None:
    before = placed(nodeSelector={"qatvirt.intel.com/workload": "vm"})
    assert keep_off(deepcopy(before)) == before


def test_without_the_rule_there_is_nothing_to_take() -> None:
    before = placed({"matchExpressions": [GPU]})
    assert let_on(deepcopy(before)) == before


def test_a_term_that_fits_no_node_still_fits_none() -> None:
    before = placed({}, {"matchExpressions": [GPU]})
    after = keep_off(deepcopy(before))
    assert after == placed({}, {"matchExpressions": [GPU, RULE]})
    assert let_on(after) == before


def test_a_selector_that_asks_for_containers_is_refused() -> None:
    with pytest.raises(Refused, match=r"nodePlacement\.nodeSelector has qatvirt\.intel\.com/workload: container"):
        keep_off(placed(nodeSelector={"qatvirt.intel.com/workload": "container"}))


def test_the_placement_may_be_elsewhere() -> None:
    where = ("spec", "deployment", "nodePlacements", "workload")
    before = {"spec": {"deployment": {"nodePlacements": {"infra": {"tolerations": []}}}}}
    after = keep_off(deepcopy(before), where)
    found = after["spec"]["deployment"]["nodePlacements"]["workload"]["affinity"]
    assert {"workloads"}.isdisjoint(after["spec"])
    assert found == placed({"matchExpressions": [RULE]})["spec"]["workloads"]["nodePlacement"]["affinity"]
    assert let_on(after, where) == before
