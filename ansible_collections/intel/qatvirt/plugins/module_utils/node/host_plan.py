# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host needs before VFs can go to vfio-pci: files, modules, kernel arguments, and whether that takes a
reboot. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .model import ManagedFile, Pf, Problem
from .policy import Policy, settings_for

IOMMU_ON = "intel_iommu=on"
DENYLIST_OFF = "vfio-pci.disable_denylist=1"
MODULES_LOAD = "/etc/modules-load.d/qatvirt.conf"
MODPROBE = "/etc/modprobe.d/qatvirt.conf"
_HEADER = "# Written by intel.qatvirt (role qat_host).\n"


@dataclass(frozen=True)
class HostPlan:
    """``files``: as they are to be. ``load``: modules to load now. ``reload_vfio``: vfio-pci runs without its option
    and nobody uses it.

    ``unload_vfio``: we loaded it, nobody uses it, and it is to go. ``args``: kernel arguments that must last,
    ``gone``: those of ours no longer wanted. ``reboot``: why a reboot is needed, empty when not.
    ``problems``: what no reboot will cure.
    """

    files: tuple[ManagedFile, ...]
    load: tuple[str, ...]
    reload_vfio: bool
    args: tuple[str, ...]
    gone: tuple[str, ...]
    reboot: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    unload_vfio: bool = False


def plan_host(
    facts: dict[str, Any], pfs: tuple[Pf, ...], policy: Policy, extra_args: list[str], ours: list[str]
) -> HostPlan:
    """Compare host facts (``host.observe_host``) with what the policy needs.

    ``extra_args``: kernel arguments the user wants besides; ``ours``: arguments this collection has set before.
    """
    kernel, vfio = facts["kernel"], facts["vfio"]
    wanting = [pf for pf in pfs if _wants(policy, pf, "vfio-pci")]
    modules = ["vfio-pci"] if wanting else []
    modules += sorted({str(pf.kind.vf_module) for pf in pfs if pf.kind.vf_module and _wants(policy, pf, "kernel")})
    denylisted = any(pf.kind.denylist for pf in wanting)

    args = list(extra_args)
    if wanting and (not kernel["iommu"] or IOMMU_ON in ours) and IOMMU_ON not in args:
        args.append(IOMMU_ON)
    if denylisted and vfio["builtin"]:
        args.append(DENYLIST_OFF)

    stuck = not kernel["iommu"] and _effective_iommu_on(kernel["args"])
    must_reload = denylisted and vfio["loaded"] and not vfio["builtin"] and vfio["denylist_disabled"] is False
    return HostPlan(
        files=(
            ManagedFile(MODULES_LOAD, _HEADER + "".join(name + "\n" for name in modules) if modules else None),
            ManagedFile(MODPROBE, _HEADER + "options vfio-pci disable_denylist=1\n" if denylisted else None),
        ),
        load=tuple(name for name in modules if not _there(facts["modules"][name])),
        reload_vfio=must_reload and not vfio["devices"],
        args=tuple(args),
        gone=tuple(arg for arg in ours if arg not in args),
        reboot=tuple(_reboot_reasons(kernel["args"], args, must_reload, vfio["devices"])),
        problems=(_NO_VTD,) if wanting and stuck else (),
    )


def plan_host_absent(facts: dict[str, Any], ours: list[str], modules: dict[str, Any]) -> HostPlan:
    """Back to before us: ``ours``: kernel arguments we set, ``modules``: modules we loaded."""
    return HostPlan(
        files=(ManagedFile(MODULES_LOAD, None), ManagedFile(MODPROBE, None)),
        load=(),
        reload_vfio=False,
        args=(),
        gone=tuple(ours),
        reboot=tuple(f"the kernel still runs with {arg}" for arg in ours if arg in facts["kernel"]["args"]),
        unload_vfio="vfio-pci" in modules and facts["vfio"]["loaded"] and not facts["vfio"]["devices"],
    )


_NO_VTD = Problem(
    "IOMMU",
    "the IOMMU is off although the kernel runs with intel_iommu=on",
    "switch VT-d (Intel Virtualization Technology for Directed I/O) on in the BIOS; a reboot alone will not help",
)


def _there(module: dict[str, Any]) -> bool:
    return bool(module["loaded"] or module["builtin"])


def _wants(policy: Policy, pf: Pf, driver: str) -> bool:
    """Whether VFs of this PF are to go to a driver (as the policy names it)."""
    settings = settings_for(policy, pf)
    return settings is not None and settings.driver == driver and settings.vfs != 0


def _effective_iommu_on(args: list[str]) -> bool:
    """The last intel_iommu= decides (drivers/iommu/intel/iommu.c: each occurrence is parsed in turn)."""
    given = [arg for arg in args if arg.startswith("intel_iommu=")]
    return bool(given) and given[-1].startswith(IOMMU_ON)


def _reboot_reasons(running: list[str], wanted: list[str], must_reload: bool, users: list[str]) -> list[str]:
    reasons = [f"the kernel runs without {arg}" for arg in wanted if arg not in running]
    if must_reload and users:
        reasons.append("vfio-pci was loaded with its denylist on and is in use by {0}".format(", ".join(users)))
    return reasons
