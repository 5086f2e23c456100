# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters answer wrong input with an error that names the filter and the host."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.intel.qatvirt.plugins.filter.cluster import qat_cases, qat_site_nodes


@pytest.mark.parametrize("nodes_of", [qat_site_nodes, qat_cases])
def test_a_host_without_facts_is_named(nodes_of: object) -> None:
    with pytest.raises(AnsibleFilterError, match=r"worker1: its facts are not there; run intel\.qatvirt\.qat_info"):
        nodes_of(["worker1"], {"worker1": {"ansible_facts": {}}})  # type: ignore[operator]
