# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from facts to options of modules, and the errors of filters."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.intel.qatvirt.plugins.filter.cluster import (
    qat_host_devices,
    qat_hosts,
    qat_nodes,
    qat_plugin_settings,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import ClusterNode


@pytest.mark.parametrize("nodes_of", [qat_nodes, qat_hosts])
def test_a_host_without_facts_is_named(nodes_of: object) -> None:
    with pytest.raises(
        AnsibleFilterError, match=r"host worker1 has no QAT facts; run the module intel\.qatvirt\.qat_info"
    ):
        nodes_of(["worker1"], {"worker1": {"ansible_facts": {}}})  # type: ignore[operator]


def test_kubevirt_permits_each_kind_of_vf_that_nodes_for_machines_have() -> None:
    nodes = [
        ClusterNode("a", families={"8086:4941": "4xxx", "8086:37c9": "c62x"}),
        ClusterNode("b", workload="container", families={"8086:4945": "402xx"}),
    ]
    assert qat_host_devices([node.as_data() for node in nodes], "intel.com/qat", {"c62x": "intel.com/old"}) == [
        {"selector": "8086:37c9", "resource_name": "intel.com/old"},
        {"selector": "8086:4941", "resource_name": "intel.com/qat"},
    ]


def test_wrong_input_names_the_filter_and_what_is_missing() -> None:
    with pytest.raises(AnsibleFilterError, match="qat_plugin_settings: the input has no key 'name'"):
        qat_plugin_settings([{}], [], "qatvirt", "plugin")
