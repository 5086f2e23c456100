# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sysfs writes that bring PFs to a policy, in a safe order, and what these writes cost. Pure.

:func:`plan_pfs` takes observed PFs and a policy and returns the steps. :func:`steps_to` alone knows the order:
converging to a policy, undoing a failed change and going back to the checkpoint all use it.

The kernel's rules (Linux 6.1 to 7.3, ``drivers/crypto/intel/qat/qat_common/adf_sriov.c`` and ``adf_sysfs.c``): services
change only while the PF is down; ``down`` removes all VFs and ``up`` does not bring them back; enabling VFs brings the
PF up; the number of VFs goes through 0; ``sriov_drivers_autoprobe`` is set before the VFs appear, so that no driver but
the policy's takes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .model import Pf, Problem, Vf, Vfio
from .policy import MAX, PfSettings, Policy, ordered, require_fit, settings_for

IMPACTS = ("none", "rebind", "recreate", "reboot")
"""What a plan costs, from the least to the worst."""
VFIO = "vfio-pci"


@dataclass(frozen=True)
class Step:
    """One sysfs change of the PF at ``address``, or of its VF number ``vf_index`` at ``vf_address``.

    ``op``: attach, detach, disable_vfs, enable_vfs, state, services, autoprobe, override, unbind or probe. ``value``:
    the new value of the attribute, or the driver.
    """

    op: str
    address: str
    value: str
    vf_index: int | None = None
    vf_address: str | None = None

    def __str__(self) -> str:
        return _SENTENCES[self.op].format(self.vf_address or self.address, self.value or "nothing")


_SENTENCES = {
    "attach": "{0}: bind the PF to {1}",
    "detach": "{0}: unbind the PF from {1}",
    "disable_vfs": "{0}: remove its VFs",
    "enable_vfs": "{0}: enable {1} VFs",
    "state": "{0}: bring the PF {1}",
    "services": "{0}: set the services to {1}",
    "autoprobe": "{0}: set sriov_drivers_autoprobe to {1}",
    "override": "{0}: set driver_override to {1}",
    "unbind": "{0}: unbind from {1}",
    "probe": "{0}: bind to {1}",
}


@dataclass(frozen=True)
class VfTarget:
    """The driver that a VF has to have, and its driver_override."""

    driver: str | None
    override: str | None


@dataclass(frozen=True)
class PfTarget:
    """What one PF has to become.

    ``services``, ``state``: None leaves them as they are. ``vf_targets``: one target for each VF, in the order of the
    VFs. ``attached``: whether the PF has its driver.
    """

    services: frozenset[str] | None
    state: str | None
    autoprobe: bool
    vf_targets: tuple[VfTarget, ...]
    attached: bool = True


@dataclass(frozen=True)
class PfPlan:
    """The steps of the PF at ``address``. ``impact``: one of IMPACTS. ``blocked``: held VFs that the steps would take
    away. ``unmet``: what is missing before the steps can be done (a driver, the IOMMU)."""

    address: str
    steps: tuple[Step, ...] = ()
    impact: str = "none"
    blocked: tuple[Vf, ...] = ()
    unmet: tuple[Problem, ...] = ()
    target: PfTarget | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Plan:
    """All PFs of a node, in address order."""

    pfs: tuple[PfPlan, ...]

    @property
    def impact(self) -> str:
        """The worst impact of all PFs."""
        return max((pf.impact for pf in self.pfs), key=IMPACTS.index, default="none")

    @property
    def empty(self) -> bool:
        """Whether nothing has to be done."""
        return not any(pf.steps for pf in self.pfs)

    def as_data(self) -> dict[str, Any]:
        """Lists and dicts as Ansible carries them."""
        return {"impact": self.impact, "pfs": [_pf_plan_data(pf) for pf in self.pfs]}


def _pf_plan_data(plan: PfPlan) -> dict[str, Any]:
    return {
        "address": plan.address,
        "impact": plan.impact,
        "steps": [str(step) for step in plan.steps],
        "blocked": [{"vf": vf.address, "holders": [str(holder) for holder in vf.holders]} for vf in plan.blocked],
        "unmet": [problem.as_data() for problem in plan.unmet],
    }


def plan_pfs(pfs: tuple[Pf, ...], vfio: Vfio, policy: Policy) -> Plan:
    """The steps for every PF the policy matches. Raises PolicyError when the policy does not fit the hardware."""
    require_fit(policy, pfs)
    return Plan(tuple(_plan_pf(pf, vfio, settings_for(policy, pf)) for pf in pfs))


def _plan_pf(pf: Pf, vfio: Vfio, settings: PfSettings | None) -> PfPlan:
    if settings is None:
        return PfPlan(pf.address)
    target = target_for(pf, settings)
    return plan_to(pf, target, tuple(_unmet(pf, vfio, target)))


def plan_to(pf: Pf, target: PfTarget, unmet: tuple[Problem, ...] = ()) -> PfPlan:
    """The steps that take one PF to a target, their impact, and the held VFs that block them."""
    steps = steps_to(pf, target)
    lost = touched(pf, steps)
    impact = "none" if not lost else "recreate" if _removes_vfs(steps) else "rebind"
    return PfPlan(pf.address, steps, impact, tuple(vf for vf in lost if vf.holders), unmet, target)


def plan_restore(pfs: tuple[Pf, ...], targets: dict[str, PfTarget]) -> Plan:
    """The plan that takes PFs to recorded targets (by address). A PF without a driver has nothing left to put back."""
    return Plan(
        tuple(
            plan_to(pf, targets[pf.address]) if pf.address in targets and pf.driver else PfPlan(pf.address)
            for pf in pfs
        )
    )


def touched(pf: Pf, steps: tuple[Step, ...]) -> tuple[Vf, ...]:
    """The existing VFs that lose their driver in these steps: all where VFs are removed, else those that are
    unbound."""
    if _removes_vfs(steps):
        return pf.vfs
    unbound = {step.vf_index for step in steps if step.op == "unbind"}
    return tuple(vf for vf in pf.vfs if vf.index in unbound)


def _removes_vfs(steps: tuple[Step, ...]) -> bool:
    return any(step.op in ("detach", "disable_vfs") or (step.op, step.value) == ("state", "down") for step in steps)


def target_for(pf: Pf, settings: PfSettings) -> PfTarget:
    """What the policy's settings mean for this PF."""
    # A PF that offers no VFs does not satisfy "max": it has the problem NOSRIOV.
    count = max(pf.vfs_possible, 1) if settings.vfs == MAX else int(settings.vfs)
    driver = {"vfio-pci": VFIO, "kernel": pf.kind.vf_driver, "none": None}[settings.driver]
    attached = pf.driver is not None or count > 0 or settings.services is not None
    return PfTarget(
        services=settings.services,
        state="up" if pf.kind.sysfs and (pf.driver is None or pf.state is not None) else None,
        autoprobe=pf.autoprobe and not attached,
        vf_targets=(VfTarget(driver, driver),) * count,
        attached=attached,
    )


def target_of(pf: Pf) -> PfTarget:
    """The present state of a PF, as a target to go back to."""
    return PfTarget(
        services=None if pf.services is None else frozenset(pf.services),
        state=pf.state,
        autoprobe=pf.autoprobe,
        vf_targets=tuple(VfTarget(vf.driver, vf.driver_override) for vf in pf.vfs),
        attached=pf.driver is not None,
    )


def steps_to(pf: Pf, target: PfTarget) -> tuple[Step, ...]:
    """The writes that take an observed PF to a target; empty where the PF is as the target says."""
    if not target.attached:
        return _detach_steps(pf, target)
    new_services = target.services is not None and set(pf.services or ()) != target.services
    count = len(target.vf_targets)
    remove = pf.vfs_enabled > 0 and (new_services or pf.vfs_enabled != count)
    enable = count > 0 and (remove or pf.vfs_enabled == 0)

    steps = []
    if pf.driver is None:
        steps.append(Step("attach", pf.address, pf.kind.pf_driver))
    if remove:
        steps.append(Step("disable_vfs", pf.address, "0"))
    if new_services:
        steps.append(Step("state", pf.address, "down"))
        steps.append(Step("services", pf.address, ";".join(ordered(target.services or set()))))
    if enable and pf.autoprobe:
        steps.append(Step("autoprobe", pf.address, "0"))
    if enable:
        steps.append(Step("enable_vfs", pf.address, str(count)))
    elif target.state is not None and (remove or new_services or pf.state != target.state):
        steps.append(Step("state", pf.address, target.state))
    # Autoprobe goes on only after the VFs have appeared, because the kernel must bind no new VF by itself. It goes on
    # before the VFs are bound, because without autoprobe a VF that has no override cannot be bound.
    if (pf.autoprobe and not enable) != target.autoprobe:
        steps.append(Step("autoprobe", pf.address, str(int(target.autoprobe))))
    for index, vf_target in enumerate(target.vf_targets):
        steps += _vf_steps(pf, index, None if enable else pf.vf_at(index), vf_target)
    return tuple(steps)


def _detach_steps(pf: Pf, target: PfTarget) -> tuple[Step, ...]:
    """Unbinding the PF removes its VFs and the driver's settings; sriov_drivers_autoprobe belongs to the PCI core and
    stays."""
    steps = [Step("detach", pf.address, pf.driver)] if pf.driver else []
    if pf.autoprobe != target.autoprobe:
        steps.append(Step("autoprobe", pf.address, str(int(target.autoprobe))))
    return tuple(steps)


def _vf_steps(pf: Pf, index: int, vf: Vf | None, target: VfTarget) -> list[Step]:
    """The writes that take one VF to its target. ``vf``: None for a VF that will be new, without driver and
    override."""
    driver, override = (vf.driver, vf.driver_override) if vf else (None, None)
    address = pf.expected_vf(index)
    steps = []
    if override != target.override:
        steps.append(Step("override", pf.address, target.override or "", index, address))
    if driver != target.driver:
        if driver is not None:
            steps.append(Step("unbind", pf.address, driver, index, address))
        if target.driver is not None:
            steps.append(Step("probe", pf.address, target.driver, index, address))
    return steps


def _unmet(pf: Pf, vfio: Vfio, target: PfTarget) -> list[Problem]:
    wants_vfio = any(vf.driver == VFIO for vf in target.vf_targets)
    found = [problem for problem in pf.problems if problem.id == "NOSRIOV" and target.vf_targets]
    if not pf.driver_loaded:
        found += [problem for problem in pf.problems if problem.id == "UNBOUND-PF"]
    if any(vf.driver == pf.kind.vf_driver for vf in target.vf_targets if vf.driver) and not pf.vf_driver_loaded:
        found.append(
            Problem(
                "NOVFDRIVER",
                f"driver {pf.kind.vf_driver} for the VFs of PF {pf.address} is not loaded",
                f"run the role qat_host, or modprobe {pf.kind.vf_module}",
            )
        )
    if not wants_vfio:
        return found
    found += [problem for problem in pf.problems if problem.id == "IOMMU"]
    if not vfio.loaded:
        found.append(
            Problem("NOVFIO", "the vfio-pci driver is not loaded", "run the role qat_host, or modprobe vfio-pci")
        )
    elif pf.kind.denylist and vfio.denylist_disabled is False:
        found.append(
            Problem(
                "DENYLIST",
                f"vfio-pci refuses the VFs of {pf.address} ({pf.family}): its denylist is on",
                "run the role qat_host, or load vfio-pci with 'modprobe vfio-pci disable_denylist=1' (where it is "
                "built in, boot with vfio-pci.disable_denylist=1)",
            )
        )
    return found
