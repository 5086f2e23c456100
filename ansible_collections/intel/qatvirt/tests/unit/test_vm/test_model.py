# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of a run's objects."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import run_name
from ansible_collections.intel.qatvirt.tests.unit.test_vm.examples import SETTINGS


def test_all_objects_of_a_run_are_named_after_its_id() -> None:
    assert SETTINGS.name == run_name("3f2a91c4") == "qat-test-3f2a91c4"
    assert replace(SETTINGS, run="00ff00ff").name == "qat-test-00ff00ff"
