# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties that hold for every state of a node and every policy, on the behaviour of each kernel."""

from __future__ import annotations

import errno
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ConvergeFailed, InUse, PolicyError, Unmet
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import Result, carry_out, converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.describe import describe, predict
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.plan import PfTarget, plan_pfs, plan_restore, target_of
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import Policy, parse_policy, settings_for
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import ReadBlocked
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import DEVICES, VFIO, Killed, Pf, SimKernel
from ansible_collections.intel.qatvirt.tests.unit.node.worlds import nodes, policies

REFUSED = (PolicyError, Unmet, InUse)

settings.register_profile("qatvirt", deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("qatvirt")


def attempt(node: SimKernel, policy: Policy, skip_in_use: bool = False) -> Result | Exception:
    """Converge. Returns the Result, or the error."""
    try:
        return converge(node, policy, skip_in_use)
    except (*REFUSED, ConvergeFailed) as reason:
        assert str(reason)
        return reason


def picture(node: SimKernel, pf: Pf) -> dict:
    """The state of a PF as a user sees it, without its history."""
    return {
        "driver": pf.driver,
        "up": pf.up,
        "services": set(pf.services.split(";")) if pf.driver else None,
        "autoprobe": pf.autoprobe,
        "vfs": [(vf.address, vf.driver, vf.override) for vf in pf.vfs.values()],
    }


def pictures(node: SimKernel) -> dict[str, dict]:
    return {pf.address: picture(node, pf) for pf in node.pfs()}


def assert_follows(node: SimKernel, policy: Policy) -> None:
    """The node is as the policy says, told from the kernel's side and not from what the code under test reads."""
    for seen in observe(node)[0]:
        wanted = settings_for(policy, seen)
        if wanted is None:
            continue
        pf = node.pf(seen.address)
        count = pf.totalvfs if wanted.vfs == "max" else wanted.vfs
        driver = {"vfio-pci": VFIO, "kernel": pf.family.vf_driver, "none": None}[wanted.driver]
        assert [vf.driver for vf in pf.vfs.values()] == [driver] * count
        assert wanted.services is None or set(pf.services.split(";")) == wanted.services
        assert pf.up or (pf.driver is None and not count)
        assert not (count and pf.autoprobe)


def kernel_refuses(node: SimKernel, policy: Policy) -> bool:
    """Whether this kernel refuses something the policy rightly wants, which shows only when it is tried."""
    for seen in observe(node)[0]:
        wanted = settings_for(policy, seen)
        if wanted is None:
            continue
        if wanted.vfs and node.release.needs_iommu and not node.iommu:
            return True
        if wanted.services and node.release.name == "6.1" and wanted.services not in ({"sym", "asym"}, {"dc"}):
            return True
    return False


@given(st.data())
def test_converge_reaches_the_policy_or_refuses(data: st.DataObject) -> None:
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    before, untouched = pictures(node), node.touched()
    outcome = attempt(node, policy)
    event(type(outcome).__name__)
    if isinstance(outcome, REFUSED):
        assert not node.writes
        assert node.touched() == untouched
    elif isinstance(outcome, ConvergeFailed):
        assert kernel_refuses(node, policy)
        failed = [
            address
            for address, seen in pictures(node).items()
            if seen != before[address] and address not in outcome.done
        ]
        assert not failed or "NOT" in str(outcome)
    else:
        assert_follows(node, policy)
        assert plan_pfs(*observe(node), policy).empty
    assert not node.torn


@given(st.data())
def test_converge_leaves_other_vfs_alone(data: st.DataObject) -> None:
    """A VF that the plan does not name keeps its binding: same generation, never bound or unbound."""
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    counters = node.touched()
    try:
        plan = plan_pfs(*observe(node), policy)
    except PolicyError:
        return
    named = {step.vf_address for pf in plan.pfs for step in pf.steps if step.op in ("unbind", "probe")}
    remade = {pf.address for pf in plan.pfs if pf.impact == "recreate"}
    others = [address for address in counters if address not in named and node.vf(address).pf.address not in remade]
    if not isinstance(attempt(node, policy), ConvergeFailed):
        assert {address: node.touched().get(address) for address in others} == {
            address: counters[address] for address in others
        }


@given(st.data())
def test_preview_shows_what_converge_does(data: st.DataObject) -> None:
    """What check mode and --diff print before is what the node looks like after. Not for a PF without driver: which
    services that one comes up with only its driver knows."""
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    pfs, vfio = observe(node)
    assume(all(pf.driver for pf in pfs))
    try:
        shown = describe(predict(pfs, plan_pfs(pfs, vfio, policy)))
    except PolicyError:
        return
    outcome = attempt(node, policy)
    if isinstance(outcome, Result):
        assert shown == describe(outcome.after)


@given(st.data())
def test_restore_puts_every_pf_back(data: st.DataObject) -> None:
    """A node goes back to what was recorded before the first change, and then nothing is left to do."""
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    before = pictures(node)
    recorded: dict[str, PfTarget] = {}
    try:
        converge(node, policy, first_touch=lambda pf: recorded.setdefault(pf.address, target_of(pf)))
    except (*REFUSED, ConvergeFailed):
        return
    pfs, converged = observe(node)[0], pictures(node)
    try:
        carry_out(node, pfs, plan_restore(pfs, recorded))
    except InUse:
        event("in use")
        assert pictures(node) == converged
        return
    except ConvergeFailed:
        event("could not restore")
        return
    assert pictures(node) == before
    assert plan_restore(observe(node)[0], recorded).empty


@given(st.data())
def test_converge_skips_what_is_in_use(data: st.DataObject) -> None:
    """With skip_in_use exactly the PFs whose held VFs are in the way stay as they were."""
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    before = pictures(node)
    outcome = attempt(node, policy, skip_in_use=True)
    assert not isinstance(outcome, InUse)
    assert not node.torn
    if isinstance(outcome, (PolicyError, Unmet, ConvergeFailed)):
        return
    left = {node.vf(vf.address).pf.address for vf in outcome.skipped_vfs}
    assert all(node.held(vf.address) for vf in outcome.skipped_vfs)
    assert all(pictures(node)[address] == before[address] for address in left)
    assert {pf.address for pf in plan_pfs(*observe(node), policy).pfs if pf.steps} == left


@given(st.data(), st.integers(1, 12), st.booleans())
def test_converge_killed_anywhere_and_run_again_converges(data: st.DataObject, write: int, after: bool) -> None:
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    node.kill(write, after)
    try:
        outcome = attempt(node, policy)
    except Killed:
        node.survive()
        outcome = attempt(node, policy)
        assert not isinstance(outcome, REFUSED)
        event("killed")
    node.survive()
    assert not node.torn
    if isinstance(outcome, ConvergeFailed):
        assert kernel_refuses(node, policy)
    elif not isinstance(outcome, REFUSED):
        assert_follows(node, policy)
        assert plan_pfs(*observe(node), policy).empty


@given(st.data(), st.integers(1, 12), st.sampled_from((errno.EINVAL, errno.EBUSY, errno.ENOMEM, errno.EIO)))
def test_converge_undoes_a_failed_step_or_says_what_it_could_not(data: st.DataObject, write: int, code: int) -> None:
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    before = pictures(node)
    fail_write(node, write, code)
    outcome = attempt(node, policy)
    assert not node.torn
    if isinstance(outcome, ConvergeFailed):
        event("failed")
        changed = {address for address, seen in pictures(node).items() if seen != before[address]}
        assert changed <= set(outcome.done) or "NOT" in str(outcome)
    elif not isinstance(outcome, REFUSED):
        assert_follows(node, policy)


def fail_write(node: SimKernel, number: int, code: int) -> None:
    """The ``number``-th write from now fails."""
    calls = iter(range(1, number + 1))

    def interrupt() -> None:
        if next(calls, None) == number:
            node.fail(DEVICES.rsplit("/", 1)[0] + "/*", code)

    node.interrupt = interrupt


@given(st.data(), st.integers(1, 12))
def test_converge_never_takes_a_vf_that_was_opened_meanwhile(data: st.DataObject, moment: int) -> None:
    """A process opens a VF just before any claim or write: the kernel is never asked for that VF afterwards."""
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    victims = [vf.address for vf in node.vfs() if vf.driver == VFIO]
    if not victims:
        return
    victim = data.draw(st.sampled_from(victims))
    calls = iter(range(1, moment + 1))

    def open_it() -> None:
        if next(calls, None) == moment and victim in node.touched():
            try:
                node.hold(victim, pid=1777)
                event("opened")
            except OSError:
                event("could not open it")

    node.interrupt = open_it
    attempt(node, policy)
    assert not node.torn


@given(st.data())
def test_converge_recovers_from_a_bring_up_that_failed_once(data: st.DataObject) -> None:
    """The device does not start the first time the driver tries; the next run finds whatever that left and
    converges."""
    node = data.draw(nodes())
    policy = parse_policy(data.draw(policies(node)))
    node.fail_up = {pf.address: 1 for pf in node.pfs()}
    attempt(node, policy)
    node.fail_up = {}
    outcome = attempt(node, policy)
    if isinstance(outcome, ConvergeFailed):
        assert kernel_refuses(node, policy)
    elif not isinstance(outcome, REFUSED):
        assert_follows(node, policy)


@pytest.mark.parametrize("release", ["6.1", "6.12", "7.3"])
def test_reboot_loses_everything_and_converge_brings_it_back(release: str) -> None:
    node = SimKernel(release=release)
    policy = parse_policy([{"match": {}, "services": ["sym", "asym"]}])
    converge(node, policy)
    before = pictures(node)
    node = node.reboot()
    assert pictures(node) != before
    converge(node, policy)
    assert pictures(node) == before


@pytest.mark.parametrize("release", ["6.1", "6.12", "7.3"])
@pytest.mark.parametrize(("attribute", "value"), [("sriov_numvfs", "0"), ("qat/state", "down")])
def test_converge_does_not_hang_on_a_pf_somebody_else_hangs_on(release: str, attribute: str, value: str) -> None:
    """Another tool asked for the VFs of a running VM: the kernel makes it wait, and who reads the wrong file too."""
    node = SimKernel(release=release)
    policy = parse_policy([{"match": {}, "services": ["dc"]}])
    converge(node, policy)
    node.hold("0000:6b:00.2", pid=1000)
    with suppress(OSError):
        node.write(f"{DEVICES}/0000:6b:00.0/{attribute}", value)
    node.writes.clear()
    with suppress(ReadBlocked, ConvergeFailed):
        converge(node, policy)
    node.exit(1000)
    converge(node, policy)
    assert_follows(node, policy)
