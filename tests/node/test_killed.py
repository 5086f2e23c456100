# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that dies, in the middle or at each of its writes in turn, and is started again."""

from __future__ import annotations

import json

import pytest

from lab import Node
from tests.plays import PFS, bindings, look

PF = PFS[2]

#: Runs on the node with the node's own copy of the program. Swaps the services of one PF to and fro; each time the
#: process gets SIGKILL before its next write, one write later than the time before, and then another one takes over.
#: Arguments: the PF; the number of writes before the first kill; the number of kills, or none to go on until a process
#: has no write left.
KILLER = """
import json, os, signal, sys
sys.path.insert(0, "/usr/local/lib/qatvirt/qatvirt-node.pyz")
from qatvirt_boot.node.apply import converge
from qatvirt_boot.node.policy import parse_policy
from qatvirt_boot.node.sysfs import System


class Mortal(System):
    writes_left = 0

    def write(self, path, value, *timeout):
        if self.writes_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.writes_left -= 1
        super().write(path, value, *timeout)


def policy(services):
    return parse_policy([{"match": {"address": sys.argv[1]}, "services": services}])


def run_until_killed(services, writes):
    pid = os.fork()
    if pid == 0:
        system = Mortal()
        system.writes_left = writes
        converge(system, policy(services))
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


wanted, other = ["dc"], ["sym", "asym"]
first, kills = int(sys.argv[2]), int((sys.argv[3:] or [sys.maxsize])[0])
stories = []
while len(stories) < kills and run_until_killed(wanted, first + len(stories)):
    again = converge(System(), policy(wanted))
    after = next(pf for pf in again.after if pf.address == sys.argv[1])
    stories.append({
        "services": sorted(after.services) == sorted(wanted),
        "drivers": sorted({str(vf.driver) for vf in after.vfs}),
        "vfs": len(after.vfs),
        "left to do": [str(step) for pf in converge(System(), policy(wanted)).plan.pfs for step in pf.steps],
    })
    wanted, other = other, wanted
print(json.dumps(stories))
"""


WRITES = 4 + 2 * 8
"""VFs off, down, services, VFs on; driver_override and binding of each of the 8 VFs."""


def test_killed_in_the_middle_and_run_again_converges(node: Node) -> None:
    """The services are written, and there are no VFs."""
    assert_converges_after_kills(node, f"{PF} 3 1", kills=1)


@pytest.mark.long
def test_killed_at_any_write_and_run_again_converges(node: Node) -> None:
    assert_converges_after_kills(node, f"{PF} 0", kills=WRITES)


def assert_converges_after_kills(node: Node, arguments: str, kills: int) -> None:
    """Kill runs as the arguments of KILLER say: each next run makes the PF whole, and no other PF is touched."""
    before = bindings(node)
    node.write("/root/killer.py", KILLER)
    stories = json.loads(node.run(f"python3 /root/killer.py {arguments}").stdout)
    assert len(stories) == kills
    for story in stories:
        assert story == {"services": True, "drivers": ["vfio-pci"], "vfs": 8, "left to do": []}
    after = bindings(node)
    others = {address for address in before if not address.startswith(PF[:8])}
    assert {address: after[address] for address in others} == {address: before[address] for address in others}
    assert look(node)[f"{PF}/qat/state"] == "up"
