# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts survive the way through a play."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import pfs_from_facts, vfio_from_facts
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import SimKernel


def test_facts_give_back_what_was_observed(tmp_path: Path) -> None:
    node = with_host(SimKernel())
    converge(node, parse_policy([{}]))
    node.hold("0000:6b:00.3")
    facts = json.loads(json.dumps(facts_of(node, tmp_path)))
    assert (pfs_from_facts(facts), vfio_from_facts(facts)) == observe(node)


@pytest.mark.parametrize("facts", [{}, {"schema": 0}, None, []])
def test_pfs_from_facts_refuses_other_facts(facts: object) -> None:
    with pytest.raises(InputError, match=r"these are no facts of intel\.qatvirt\.qat_info"):
        pfs_from_facts(facts)  # type: ignore[arg-type]
