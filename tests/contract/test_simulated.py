# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated kernel keeps the contract."""

from __future__ import annotations

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.pci import vf_address
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel
from tests.contract.scenario_runner import run_scenario
from tests.contract.scenarios import RELEASES, SCENARIOS, Scenario


class SimulatedNode:
    """A simulated node with the PFs of a lab node with igb donors."""

    pf, gen2 = "0000:01:00.0", "0000:02:00.0"
    vf_address = staticmethod(vf_address)

    def reset(self, release: str) -> None:
        pfs = (PfSpec(self.pf, "4940", 8, 128, 2), PfSpec(self.gen2, "37c8", 8, 128, 2))
        self.system = SimKernel(pfs, {"7.x": "7.3"}.get(release, release))

    def hold(self, vf: str) -> None:
        self.system.hold(vf, pid=1000)

    def release(self, _vf: str) -> None:
        self.system.exit(1000)

    def fail_up(self, pf: str, times: int) -> None:
        self.system.fail_up[pf] = times

    def busy(self, pf: str, on: bool) -> None:
        self.system.busy = {pf} if on else set()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_simulated_kernel_keeps_the_contract(scenario: Scenario, release: str) -> None:
    assert not scenario.broken(run_scenario(SimulatedNode(), release, scenario.on(release)))
