# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: prove that the VFs are unused, write, read back, and undo what failed.

Every step reads before it writes and reads back afterwards, so a run that was killed at any point is simply run again.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from ..errors import ConvergeFailed, InUse, StepBlocked, StepFailed, Unmet
from .describe import summary
from .holders import find_holders, holders_of
from .model import Holder, Pf, Vf, group_nodes, parse_services
from .observe import device_nodes, observe, observe_pf
from .pci import DRIVERS, device_path
from .plan import Plan, Step, plan_pfs, steps_to, target_of, touched
from .policy import Policy
from .sysfs import WRITE_TIMEOUT, System, WriteBlocked

IN_USE = "IN_USE"
"""Code of a failure: a VF that has to change is held."""


@dataclass(frozen=True)
class Result:
    """What a run did. ``before``, ``after``: the PFs of the node. ``done``: addresses of the PFs that were changed.
    ``skipped_vfs``: held VFs, whose PFs were not changed for that reason."""

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
    """Observe, plan, apply, observe again. Raises PolicyError, and what :func:`carry_out` raises."""
    pfs, vfio = observe(system)
    return carry_out(system, pfs, plan_pfs(pfs, vfio, policy), skip_in_use, timeout, first_touch)


def carry_out(
    system: System,
    before: tuple[Pf, ...],
    plan: Plan,
    skip_in_use: bool = False,
    timeout: float = WRITE_TIMEOUT,
    first_touch: Callable[[Pf], None] = lambda _pf: None,
) -> Result:
    """Apply a plan that was made from ``before``, PF by PF. ``first_touch`` is called with each PF before the first
    write to it.

    Raises Unmet and InUse before anything is changed. Raises ConvergeFailed for the first PF that fails, after putting
    that PF back; later PFs are not touched. With ``skip_in_use`` a PF whose VFs are held is not touched, and the result
    lists those VFs.
    """
    unmet = tuple(problem for pf_plan in plan.pfs if pf_plan.steps for problem in pf_plan.unmet)
    if unmet:
        raise Unmet(unmet)
    blocked = tuple(vf for pf_plan in plan.pfs for vf in pf_plan.blocked)
    if blocked and not skip_in_use:
        raise InUse(blocked)
    done: list[str] = []
    skipped: list[Vf] = []
    for pf, pf_plan in zip(before, plan.pfs):
        try:
            if pf_plan.steps:
                _apply_pf(system, pf, pf_plan.steps, timeout, first_touch)
                done.append(pf.address)
        except InUse as error:
            if not skip_in_use:
                message = f"{error}; PF {pf.address} was not touched"
                raise ConvergeFailed(message, pf.address, IN_USE, tuple(done)) from error
            skipped.extend(error.vfs)
        except StepFailed as error:
            raise ConvergeFailed(str(error), pf.address, error.code, tuple(done)) from error
    return Result(before, observe(system)[0], plan, tuple(done), tuple(skipped))


@contextmanager
def _unused(system: System, vfs: tuple[Vf, ...]) -> Iterator[None]:
    """Prove that no process has one of the VFs open, and keep them unused until the block ends. Raises InUse.

    A vfio group can be open only once (EBUSY, drivers/vfio/group.c), so opening the group is a proof that does not
    depend on what /proc shows, and no other process can open the VF meanwhile. Removing a VF waits for processes that
    took the *device* out of the group, not for an open group (vfio_unregister_group_dev, Linux 6.1 to 6.12). Should a
    kernel wait for an open group after all, the group is released once the write is given up.
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
    """Open a group, which stays open until ``claims`` ends. False where another process has the group open."""
    try:
        claims.callback(system.claim(node).release)
    except OSError as error:
        return error.errno != errno.EBUSY
    return True


def _with_holders(system: System, vf: Vf, holders: dict[str, tuple[Holder, ...]], taken: set[str]) -> Vf:
    """The VF with its present holders. ``taken``: groups that another process has open, shown in /proc or not."""
    nodes = device_nodes(system, vf.address, vf.iommu_group)
    seen = holders_of(nodes, holders)
    unseen = tuple(Holder(0, "a process that /proc does not show", node) for node in nodes if node in taken)
    return replace(vf, holders=seen or unseen)


def _apply_pf(
    system: System, before: Pf, steps: tuple[Step, ...], timeout: float, first_touch: Callable[[Pf], None]
) -> None:
    """Run the steps of one PF. Where a step fails, put the PF back and raise a StepFailed that says how the PF is
    now."""
    try:
        with _unused(system, touched(before, steps)):
            first_touch(before)
            for step in steps:
                _attempt(system, step, timeout)
    except StepBlocked as error:
        raise StepFailed(error.step, f"{error.reason}; {_who_blocks(system, before)}", error.code) from error
    except StepFailed as error:
        raise StepFailed(error.step, f"{error.reason} {_put_back(system, before, timeout)}", error.code) from error


def _attempt(system: System, step: Step, timeout: float) -> None:
    """Run one step. Raises StepFailed for every failure."""
    try:
        _run(system, step, timeout)
    except WriteBlocked as error:
        raise StepBlocked(step, str(error.strerror), errno_name(error)) from error
    except OSError as error:
        raise StepFailed(step, _explain(step, error), errno_name(error)) from error


def _who_blocks(system: System, before: Pf) -> str:
    """A sentence on which processes the kernel waits for.

    Reads nothing of the PF: the blocked writer has the PF's lock, so a read of sriov_numvfs would wait, too
    (drivers/pci/iov.c).
    """
    holders = find_holders(system)
    held = [replace(vf, holders=holders_of(group_nodes(vf.iommu_group), holders)) for vf in before.vfs]
    who = "; ".join(vf.held_by() for vf in held if vf.holders) or "no holder is visible in /proc"
    return f"{who}. The kernel goes on as soon as the VF is released; nothing else was written to PF {before.address}"


def _put_back(system: System, before: Pf, timeout: float) -> str:
    """Bring a PF back to what it was. Returns the sentence that says how the PF is now."""
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
    """Write and read back, unless the node already is as the step wants it. Raises OSError, StepFailed."""
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
    """Compares sets: Linux 7.2 and later print services in an order of their own."""
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
    """Linux 6.1 keeps its list of VFs when the device fails to start during this write, and from then on answers
    EINVAL. It takes the write again once it has dropped that list."""
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
    """Remove VFs where the kernel refuses 0 in sriov_numvfs (Linux 6.1: EINVAL, "Already enabled for this device"):
    taking the PF down, or unbinding it from its driver, removes them."""
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
    """Have the kernel bind a function: driver_override decides for a VF, the ids of the drivers for a PF. drivers_probe
    itself reports no failed probe."""
    link = device_path(address) + "/driver"
    if system.link(link) == step.value:
        return
    system.write("/sys/bus/pci/drivers_probe", address)
    found = system.link(link)
    if found != step.value:
        raise StepFailed(
            step,
            "{0} has {1} after probing, expected {2}; dmesg says why the driver refused the function.".format(
                address, "driver " + found if found else "no driver", step.value
            ),
        )


def errno_name(error: OSError) -> str:
    """The name of an error's errno, such as ``EBUSY``."""
    return errno.errorcode.get(error.errno or 0, str(error.errno))


def _explain(step: Step, error: OSError) -> str:
    name = errno_name(error)
    hint = _HINTS.get((step.op, name)) or _HINTS.get(("", name)) or "dmesg may say more"
    return f"writing {error.filename} gave {name} ({error.strerror}): {hint}."


_MMIO = "not enough MMIO space or bus numbers; see the BIOS (MMIO above 4G) or boot with pci=realloc"
_SERVICES = "this kernel does not take these services (before Linux 6.5 only sym;asym and dc; dcc since 6.7)"
_HINTS = {
    ("enable_vfs", "ENOMEM"): _MMIO,
    ("enable_vfs", "ENOENT"): "the PF has no driver that makes VFs",
    ("enable_vfs", "EINVAL"): "the driver makes VFs only with the IOMMU on; boot with intel_iommu=on",
    ("services", "EINVAL"): _SERVICES,
    ("", "EBUSY"): "the kernel itself uses the PF (dm-crypt, IPsec or zram over QAT), or the PF is in reset",
    ("", "EFAULT"): "the driver could not start the device; dmesg says why (often firmware)",
    ("", "EACCES"): "run as root",
    ("", "EROFS"): "sysfs is mounted read-only here; run on the node itself, not in a container",
}
