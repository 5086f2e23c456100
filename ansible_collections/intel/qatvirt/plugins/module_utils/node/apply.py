# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out: prove unused, write, read back, and undo what failed.

Every step looks before it writes and reads back afterwards, so a run that was killed anywhere is simply run again.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from ..errors import ConvergeFailed, InUse, StepBlocked, StepFailed, Unmet
from .describe import summary
from .holders import find_holders, holders_of
from .model import Holder, Pf, Vf, group_nodes, parse_services
from .observe import device_nodes, observe, observe_pf
from .pci import DRIVERS, device_path
from .plan import Plan, Step, plan, steps_to, target_of, touched
from .policy import Policy
from .sysfs import WRITE_TIMEOUT, System, WriteBlocked


@dataclass(frozen=True)
class Result:
    """Before, after, the plan in between; the PFs it was ``done`` on, and the held VFs that kept the others from it
    (``skipped_vfs``)."""

    before: tuple[Pf, ...]
    after: tuple[Pf, ...]
    plan: Plan
    done: tuple[str, ...] = ()
    skipped_vfs: tuple[Vf, ...] = ()


def converge(
    system: System,
    policy: Policy,
    skip_in_use: bool = False,
    timeout: float = WRITE_TIMEOUT,
    first_touch: Callable[[Pf], None] = lambda _pf: None,
) -> Result:
    """Observe, plan, apply, observe again. Raises PolicyError and as :func:`carry_out`."""
    pfs, vfio = observe(system)
    return carry_out(system, pfs, plan(pfs, vfio, policy), skip_in_use, timeout, first_touch)


def carry_out(
    system: System,
    before: tuple[Pf, ...],
    todo: Plan,
    skip_in_use: bool = False,
    timeout: float = WRITE_TIMEOUT,
    first_touch: Callable[[Pf], None] = lambda _pf: None,
) -> Result:
    """Apply a plan made from ``before``, PF by PF; ``first_touch`` gets each PF as it was, before its first write.

    Raises Unmet and InUse before anything is changed. Raises ConvergeFailed for the first PF that fails, after
    putting it back; later PFs are not touched. With ``skip_in_use`` held PFs are left alone and listed in the result.
    """
    unmet = tuple(problem for pf_plan in todo.pfs if pf_plan.steps for problem in pf_plan.unmet)
    if unmet:
        raise Unmet(unmet)
    blocked = tuple(vf for pf_plan in todo.pfs for vf in pf_plan.blocked)
    if blocked and not skip_in_use:
        raise InUse(blocked)
    done: list[str] = []
    skipped: list[Vf] = []
    for pf, pf_plan in zip(before, todo.pfs):
        try:
            if pf_plan.steps:
                _apply_pf(system, pf, pf_plan.steps, timeout, first_touch)
                done.append(pf.address)
        except InUse as error:
            if not skip_in_use:
                raise ConvergeFailed(f"{error}; PF {pf.address} was not touched", tuple(done)) from error
            skipped.extend(error.vfs)
        except StepFailed as error:
            raise ConvergeFailed(str(error), tuple(done)) from error
    return Result(before, observe(system)[0], todo, tuple(done), tuple(skipped))


@contextmanager
def _unused(system: System, vfs: tuple[Vf, ...]) -> Iterator[None]:
    """Prove that nobody has one of the VFs open, and keep it so until the block is left. Raises InUse.

    A vfio group can be open only once (EBUSY, drivers/vfio/group.c), so opening it is a proof that does not depend on
    what /proc shows, and nobody else can open the VF meanwhile. Removing a VF waits for those who took the *device* out
    of the group, not for an open group (vfio_unregister_group_dev, Linux 6.1 to 6.12); should a kernel wait for it
    after all, the claim is let go when the write is given up on.
    """
    holders = find_holders(system) if vfs else {}
    with ExitStack() as claims:
        groups = {vf.iommu_group for vf in vfs}
        taken = {node for group in groups for node in group_nodes(group) if not _claim(system, claims, node)}
        held = [vf for vf in (_with_holders(system, vf, holders, taken) for vf in vfs) if vf.holders]
        if held:
            raise InUse(tuple(held))
        yield


def _claim(system: System, claims: ExitStack, node: str) -> bool:
    """Keep a group open on ``claims``. False when somebody else has it."""
    try:
        claims.callback(system.claim(node).release)
    except OSError as error:
        return error.errno != errno.EBUSY
    return True


def _with_holders(system: System, vf: Vf, holders: dict[str, tuple[Holder, ...]], taken: set[str]) -> Vf:
    """The VF with whoever holds it now; ``taken``: groups that could not be opened, whatever /proc shows."""
    nodes = device_nodes(system, vf.address, vf.iommu_group)
    seen = holders_of(nodes, holders)
    unseen = tuple(Holder(0, "a process that /proc does not show", node) for node in nodes if node in taken)
    return replace(vf, holders=seen or unseen)


def _apply_pf(
    system: System, before: Pf, steps: tuple[Step, ...], timeout: float, first_touch: Callable[[Pf], None]
) -> None:
    """Run the steps of one PF; when one fails, put the PF back and say so in the StepFailed that is raised."""
    try:
        with _unused(system, touched(before, steps)):
            first_touch(before)
            for step in steps:
                _attempt(system, step, timeout)
    except StepBlocked as error:
        raise StepFailed(error.step, f"{error.reason}; {_who_blocks(system, before)}") from error
    except StepFailed as error:
        raise StepFailed(error.step, f"{error.reason} {_put_back(system, before, timeout)}") from error


def _attempt(system: System, step: Step, timeout: float) -> None:
    """One step; whatever goes wrong becomes a StepFailed."""
    try:
        _run(system, step, timeout)
    except WriteBlocked as error:
        raise StepBlocked(step, str(error.strerror)) from error
    except OSError as error:
        raise StepFailed(step, _explain(step, error)) from error


def _who_blocks(system: System, before: Pf) -> str:
    """Told without reading the PF: the blocked writer has its lock, so reading sriov_numvfs would wait as well
    (drivers/pci/iov.c)."""
    holders = find_holders(system)
    held = [replace(vf, holders=holders_of(group_nodes(vf.iommu_group), holders)) for vf in before.vfs]
    who = "; ".join(vf.held_by() for vf in held if vf.holders) or "no holder is visible in /proc"
    return f"{who}. The kernel goes on as soon as it is released; nothing else was written to PF {before.address}"


def _put_back(system: System, before: Pf, timeout: float) -> str:
    """Undo what was done to a PF; the sentence that says how it was left."""
    name = f"PF {before.address}"
    try:
        now = _observe_again(system, before)
        steps = steps_to(now, target_of(before))
        with _unused(system, touched(now, steps)):
            for step in steps:
                _run(system, step, timeout)
    except WriteBlocked as error:
        who = _who_blocks(system, before)
        return f"{name} could NOT be put back ({error}): it was {summary(before)}; {who}."
    except (OSError, StepFailed, InUse) as error:
        now = _observe_again(system, before)
        return f"{name} could NOT be put back ({error}): it was {summary(before)}, it is now {summary(now)}."
    return f"{name} was put back as it was: {summary(before)}."


def _observe_again(system: System, pf: Pf) -> Pf:
    return observe_pf(system, pf.address, pf.device, pf.kind, find_holders(system))


def _run(system: System, step: Step, timeout: float) -> None:
    """One step: nothing when it is so already, else write and read back. Raises OSError, StepFailed."""
    if step.op == "attach":
        _bind(system, step, step.address)
    elif step.op == "detach":
        _detach(system, step.address, step.value, timeout)
    elif step.op == "disable_vfs":
        _disable_vfs(system, step, timeout)
    elif step.op == "enable_vfs":
        _enable_vfs(system, step, timeout)
    elif step.vf_index is not None:
        _run_vf(system, step, timeout)
    else:
        path, same = _ATTRIBUTES[step.op]
        _set(system, step, f"{device_path(step.address)}/{path}", same, timeout)


def _same_services(found: str, wanted: str) -> bool:
    """As sets: Linux 7.2 and later read back in an order of their own."""
    return set(parse_services(found)) == set(parse_services(wanted))


_ATTRIBUTES: dict[str, tuple[str, Callable[[str, str], bool]]] = {
    "state": ("qat/state", str.__eq__),
    "services": ("qat/cfg_services", _same_services),
    "autoprobe": ("sriov_drivers_autoprobe", str.__eq__),
}


def _set(system: System, step: Step, path: str, same: Callable[[str, str], bool], timeout: float) -> None:
    if same(system.read(path), step.value):
        return
    system.write(path, step.value, timeout)
    found = system.read(path)
    if not same(found, step.value):
        raise StepFailed(step, f"{path} reads {found!r} after the write, expected {step.value!r}.")


def _enable_vfs(system: System, step: Step, timeout: float) -> None:
    """Linux 6.1 answers EINVAL for ever after a start that failed in here, because it keeps its list of VFs; making it
    drop the list helps."""
    path = device_path(step.address)
    try:
        _set(system, step, path + "/sriov_numvfs", str.__eq__, timeout)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _drop_vfs(system, step, path, timeout)
        _set(system, step, path + "/sriov_numvfs", str.__eq__, timeout)


def _disable_vfs(system: System, step: Step, timeout: float) -> None:
    path = device_path(step.address)
    numvfs = path + "/sriov_numvfs"
    if system.read(numvfs) == "0":
        return
    try:
        system.write(numvfs, "0", timeout)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _drop_vfs(system, step, path, timeout)
    if system.read(numvfs) != "0":
        raise StepFailed(step, f"{numvfs} still reads {system.read(numvfs)!r}, expected '0'.")


def _drop_vfs(system: System, step: Step, path: str, timeout: float) -> None:
    """Linux 6.1 answers EINVAL ("Already enabled for this device") to 0: there taking the PF down, or off its driver,
    removes the VFs."""
    if system.exists(path + "/qat/state"):
        for state in ("up", "down"):
            _run(system, replace(step, op="state", value=state), timeout)
        return
    driver = str(system.link(path + "/driver"))
    _detach(system, step.address, driver, timeout)
    _bind(system, Step("attach", step.address, driver), step.address)


def _detach(system: System, pf: str, driver: str, timeout: float) -> None:
    system.write(f"{DRIVERS}/{driver}/unbind", pf, timeout)


def _run_vf(system: System, step: Step, timeout: float) -> None:
    address = system.link(f"{device_path(step.address)}/virtfn{step.vf_index}")
    if address is None:
        raise StepFailed(step, f"PF {step.address} has no VF {step.vf_index} (virtfn{step.vf_index} is missing).")
    path = device_path(address)
    if step.op == "override":
        system.write(path + "/driver_override", step.value or "\n", timeout)
    elif step.op == "unbind" and system.link(path + "/driver") is not None:
        system.write(f"{DRIVERS}/{step.value}/unbind", address, timeout)
    elif step.op == "probe":
        _bind(system, step, address)


def _bind(system: System, step: Step, address: str) -> None:
    """Let the kernel find the driver: the override decides for a VF, the ids for a PF. drivers_probe itself reports
    no failed probe."""
    link = device_path(address) + "/driver"
    if system.link(link) == step.value:
        return
    system.write("/sys/bus/pci/drivers_probe", address)
    found = system.link(link)
    if found != step.value:
        raise StepFailed(
            step,
            "{0} has {1} after probing, expected {2}; dmesg tells why the driver refused it.".format(
                address, "driver " + found if found else "no driver", step.value
            ),
        )


def _explain(step: Step, error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, str(error.errno))
    hint = _HINTS.get((step.op, name)) or _HINTS.get(("", name)) or "dmesg may say more"
    return f"writing {error.filename} gave {name} ({os.strerror(error.errno or 0)}): {hint}."


_HINTS = {
    (
        "enable_vfs",
        "ENOMEM",
    ): "not enough MMIO space or bus numbers; see the BIOS (MMIO above 4G) or boot with pci=realloc",
    ("enable_vfs", "ENOENT"): "the PF has no driver that makes VFs",
    ("enable_vfs", "EINVAL"): "the driver wants the IOMMU for VFs; boot with intel_iommu=on",
    ("services", "EINVAL"): "this kernel does not take them (before Linux 6.5 only sym;asym and dc, dcc since 6.7)",
    ("", "EBUSY"): "the kernel itself uses the PF (dm-crypt, IPsec or zram over QAT), or it is in reset",
    ("", "EFAULT"): "the driver could not start the device; dmesg says why (often firmware)",
    ("", "EACCES"): "run as root",
    ("", "EROFS"): "sysfs is mounted read-only here; run on the node itself, not in a container",
}
