# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests a run makes, and what they are called."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import ClusterNode
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.plan import plan
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.plan import test_name as name_of_test
from ansible_collections.intel.qatvirt.tests.unit.test_vm.examples import (
    RESOURCES,
    SETTINGS,
    node,
    user,
)


class TestPlan:
    def plan(self, *nodes: tuple[ClusterNode, dict[str, Any]], pods: Any = (), kubevirt: bool = True) -> Any:
        return plan(list(nodes), list(pods), RESOURCES, SETTINGS, kubevirt)

    def test_a_node_is_tried_as_its_workload_is(self) -> None:
        machines = ClusterNode("qat1", vf_counts={"8086:4941": 16})
        containers = ClusterNode("qat2", "container", vf_counts={"8086:4941": 16})
        cases, results = self.plan((machines, node("qat1", qat=16)), (containers, node("qat2", cy=8, dc=8)))
        assert results == []
        assert [(test.kind, test.resource, test.selectors) for test in cases] == [
            ("vm", "intel.com/qat", ("8086:4941",)),
            ("pod", "qat.intel.com/cy", ("8086:4941",)),
        ]
        # The scheduler knows a node by the value of this label, which need not be its name.
        assert cases[0].hostname == "qat1.example.net"

    def test_where_there_is_a_choice_the_resource_with_the_most_free_vfs_is_tried(self) -> None:
        containers = ClusterNode("qat2", "container", vf_counts={"8086:4941": 16})
        item = node("qat2", cy=8, dc=8)
        (test,), _results = self.plan((containers, item), pods=[user("qat2", "qat.intel.com/cy", 8)])
        assert test.resource == "qat.intel.com/dc"
        (test,), _results = self.plan((containers, item), pods=[user("qat2", "qat.intel.com/cy", 8, "Succeeded")])
        assert test.resource == "qat.intel.com/cy"

    def test_only_the_kinds_of_a_resource_are_expected(self) -> None:
        machines = ClusterNode("qat1", vf_counts={"8086:37c9": 16, "8086:4941": 16})
        (test,), _results = self.plan((machines, node("qat1", c62x=16, qat=0)))
        assert (test.resource, test.selectors) == ("intel.com/qat-c62x", ("8086:37c9",))

    def test_a_cordoned_node_is_skipped_with_a_reason(self) -> None:
        machines = ClusterNode("qat1", vf_counts={"8086:4941": 16})
        cases, (result,) = self.plan((machines, node("qat1", cordoned=True, qat=16)))
        assert cases == []
        assert result["verdict"] == "skipped"
        assert "cordoned" in result["reason"]

    def test_a_node_that_advertises_nothing_fails_and_says_what_it_has(self) -> None:
        _cases, (result,) = self.plan((ClusterNode("qat1", vf_counts={"8086:4941": 16}), node("qat1", qat=0)))
        assert (result["verdict"], result["diagnosis"]["id"]) == ("fail", "NOVF")
        words = "node qat1 advertises 0 x intel.com/qat, and 1 of one are asked for; it has 16 x 8086:4941"
        assert result["reason"] == words
        assert "get node qat1" in result["diagnosis"]["evidence"]

    def test_a_node_that_cannot_have_as_many_as_are_asked_for_fails_at_once(self) -> None:
        machines = ClusterNode("qat1", vf_counts={"8086:4941": 16})
        settings = replace(SETTINGS, count=17)
        cases, (result,) = plan([(machines, node("qat1", qat=16))], [], RESOURCES, settings, True)
        assert (cases, result["diagnosis"]["id"]) == ([], "NOVF")
        assert "advertises 16 x intel.com/qat, and 17" in result["reason"]

    def test_without_kubevirt_only_pods_are_tried(self) -> None:
        machines = (ClusterNode("qat1", vf_counts={"8086:4941": 16}), node("qat1", qat=16))
        containers = (ClusterNode("qat2", "container", vf_counts={"8086:4941": 16}), node("qat2", cy=16))
        (test,), (result,) = self.plan(machines, containers, kubevirt=False)
        assert test.kind == "pod"
        assert (result["verdict"], result["diagnosis"]["id"]) == ("fail", "NOKUBEVIRT")


class TestNames:
    def test_a_name_is_a_label_whatever_the_node_is_called(self) -> None:
        for called in ("qat1", "Worker_1.EXAMPLE.net", "w" * 200, f"{'a' * 32}.{'b' * 100}"):
            name = name_of_test("3f2a91c4", called, set())
            assert re.fullmatch(r"qat-test-3f2a91c4-[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
            assert len(name) <= 50

    def test_nodes_that_differ_only_at_their_ends_get_different_names(self) -> None:
        names: set[str] = set()
        for number in range(12):
            names.add(name_of_test("3f2a91c4", f"{'w' * 60}{number}", names))
        assert len(names) == 12
        assert max(len(name) for name in names) <= 50
