# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab node keeps the contract: PCI core, vfio and sysfs of Linux 6.12, driver stand-ins that act as each release."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.boot_unit import build_program
from lab import Lab
from lab.spec import NodeSpec
from tests.contract.scenarios import RELEASES, SCENARIOS, Scenario

RUNNER = Path(__file__).with_name("scenario_runner.py")
ON_NODE = "/run/qatvirt-contract"
CASES = [
    (scenario, release) for scenario in SCENARIOS for release in RELEASES if release == "6.12" or not scenario.core
]

Answers = dict[tuple[str, str], list[tuple[str, str]]]


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """The node's answers by scenario name and release."""
    with Lab("contract") as lab:
        node = lab.start(NodeSpec("contract", ids=("4940", "37c8"), driver=True))
        node.run(f"mkdir -p {ON_NODE} && modprobe -a vfio-pci qat_4xxx qat_c62x")
        node.run(f"base64 -d > {ON_NODE}/node.pyz", stdin=b64encode(build_program()).decode())
        node.write(f"{ON_NODE}/scenario_runner.py", RUNNER.read_text())
        steps = json.dumps([(release, scenario.on(release)) for scenario, release in CASES])
        runner = f"PYTHONPATH={ON_NODE}/node.pyz python3 {ON_NODE}/scenario_runner.py 0000:01:00.0 0000:02:00.0"
        found = json.loads(node.run(runner, stdin=steps).stdout)
        yield {(scenario.name, release): found[number] for number, (scenario, release) in enumerate(CASES)}


@pytest.mark.parametrize(("scenario", "release"), CASES, ids=lambda value: getattr(value, "name", value))
def test_lab_node_keeps_the_contract(scenario: Scenario, release: str, answers: Answers) -> None:
    assert not scenario.broken(answers[scenario.name, release])
