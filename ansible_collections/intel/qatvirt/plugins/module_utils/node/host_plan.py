# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host needs before VFs can go to vfio-pci: files, modules, kernel arguments, and whether these take a reboot.
Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .model import ENABLE_VTD, ManagedFile, Pf, Problem
from .policy import Policy, settings_for

IOMMU_ON = "intel_iommu=on"
DENYLIST_OFF = "vfio-pci.disable_denylist=1"
MODULES_LOAD = "/etc/modules-load.d/qatvirt.conf"
MODPROBE = "/etc/modprobe.d/qatvirt.conf"
_HEADER = "# Written by intel.qatvirt (role qat_host).\n"


@dataclass(frozen=True)
class HostPlan:
    """What a host needs.

    ``files``: files with the content that they have to have. ``load``: modules to load now. ``reload_vfio``: vfio-pci
    is loaded without disable_denylist=1 and has no device, so it is loaded again. ``unload_vfio``: this collection
    loaded vfio-pci, which has no device, so it is unloaded. ``args``: kernel arguments for every boot. ``gone``: kernel
    arguments that this collection has set and that go. ``reboot``: why a reboot is needed, empty where none is.
    ``problems``: what no reboot will solve.
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
    facts: dict[str, Any], pfs: tuple[Pf, ...], policy: Policy, extra_args: list[str], args_set: list[str]
) -> HostPlan:
    """Compare the facts of qat_info with what the policy needs.

    ``extra_args``: kernel arguments that the user wants besides. ``args_set``: kernel arguments that this collection
    has set.
    """
    kernel, vfio = facts["kernel"], facts["vfio"]
    vfio_pfs = [pf for pf in pfs if _gets_driver(policy, pf, "vfio-pci")]
    modules = ["vfio-pci"] if vfio_pfs else []
    modules += sorted(
        {str(pf.kind.vf_module) for pf in pfs if pf.kind.vf_module and _gets_driver(policy, pf, "kernel")}
    )
    denylisted = any(pf.kind.denylist for pf in vfio_pfs)

    args = list(extra_args)
    if vfio_pfs and (not kernel["iommu"] or IOMMU_ON in args_set) and IOMMU_ON not in args:
        args.append(IOMMU_ON)
    if denylisted and vfio["builtin"]:
        args.append(DENYLIST_OFF)

    firmware_off = not kernel["iommu"] and _effective_iommu_on(kernel["args"])
    must_reload = denylisted and vfio["loaded"] and not vfio["builtin"] and vfio["denylist_disabled"] is False
    return HostPlan(
        files=(
            ManagedFile(MODULES_LOAD, _HEADER + "".join(name + "\n" for name in modules) if modules else None),
            ManagedFile(MODPROBE, _HEADER + "options vfio-pci disable_denylist=1\n" if denylisted else None),
        ),
        load=tuple(name for name in modules if not _is_present(facts["modules"][name])),
        reload_vfio=must_reload and not vfio["devices"],
        args=tuple(args),
        gone=tuple(arg for arg in args_set if arg not in args),
        reboot=tuple(_reboot_reasons(kernel["args"], args, must_reload, vfio["devices"])),
        problems=(_NO_VTD,) if vfio_pfs and firmware_off else (),
    )


def plan_host_absent(facts: dict[str, Any], args_set: list[str], modules: dict[str, Any]) -> HostPlan:
    """Undo what this collection has done. ``args_set``: kernel arguments that it has set, ``modules``: modules that it
    has loaded."""
    return HostPlan(
        files=(ManagedFile(MODULES_LOAD, None), ManagedFile(MODPROBE, None)),
        load=(),
        reload_vfio=False,
        args=(),
        gone=tuple(args_set),
        reboot=tuple(f"the kernel still runs with {arg}" for arg in args_set if arg in facts["kernel"]["args"]),
        unload_vfio="vfio-pci" in modules and facts["vfio"]["loaded"] and not facts["vfio"]["devices"],
    )


_NO_VTD = Problem(
    "IOMMU",
    "the IOMMU is off although the kernel runs with intel_iommu=on",
    f"{ENABLE_VTD} (Intel Virtualization Technology for Directed I/O); a reboot alone will not help",
)


def _is_present(module: dict[str, Any]) -> bool:
    return bool(module["loaded"] or module["builtin"])


def _gets_driver(policy: Policy, pf: Pf, driver: str) -> bool:
    """Whether the policy binds VFs of this PF to a driver. ``driver``: as the policy names it."""
    settings = settings_for(policy, pf)
    return settings is not None and settings.driver == driver and settings.vfs != 0


def _effective_iommu_on(args: list[str]) -> bool:
    """Whether the kernel arguments switch the IOMMU on: the last intel_iommu= decides (drivers/iommu/intel/iommu.c
    parses each in turn)."""
    given = [arg for arg in args if arg.startswith("intel_iommu=")]
    return bool(given) and given[-1].startswith(IOMMU_ON)


def _reboot_reasons(running: list[str], wanted: list[str], must_reload: bool, users: list[str]) -> list[str]:
    reasons = [f"the kernel runs without {arg}" for arg in wanted if arg not in running]
    if must_reload and users:
        reasons.append("vfio-pci was loaded with its denylist on and is in use by {0}".format(", ".join(users)))
    return reasons
