# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks over the facts of nodes. Pure.

Where a fact of the hardware or the kernel is behind a check, the module that reads it names the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..errors import PolicyError
from ..node.devices import VENDOR
from ..node.model import ENABLE_IOMMU, Pf, Problem, Vf
from ..node.paths import SERVICE, STATUS
from ..node.pci import device_path
from ..node.plan import VFIO
from ..node.policy import ordered, parse_policy, settings_for
from .check import FAIL, NODE, WARN, Check, Finding, Findings
from .site import CheckedNode, Site

_CRYPTO = "EBUSY"
"""Code of a failure of the boot unit where the kernel itself uses the PF (``node.apply`` says so of EBUSY)."""

NodeFindings = Callable[[CheckedNode], Iterator[Finding]]


def each_node(look: NodeFindings) -> Callable[[Site], Findings]:
    """A check of single nodes as one of a site."""
    return lambda site: (finding for case in site.nodes for finding in look(case))


def _finding(case: CheckedNode, problem: Problem, what: str | None, evidence: str, pf: str | None = None) -> Finding:
    return Finding(problem.message, problem.fix, case.name, what, evidence, pf)


def _problems(case: CheckedNode, pfs: Iterable[Pf], check_id: str) -> Iterator[Finding]:
    """Problems of PFs and their VFs that the node layer has found itself."""
    for pf in pfs:
        found = [(f"PF {pf.address}", pf.address, problem) for problem in pf.problems]
        found += [(f"VF {vf.address}", vf.address, problem) for vf in pf.vfs for problem in vf.problems]
        for what, address, problem in found:
            if problem.id == check_id:
                yield _finding(case, problem, what, device_path(address), pf.address)


def _unread(site: Site) -> Iterator[Finding]:
    for name in site.unread:
        yield Finding(
            f"the facts of {name} are not there: it could not be reached, or a task failed on it",
            "read what the play said of it above, mend that, and run this again",
            name,
            f"node {name}",
            f"ansible {name} -m intel.qatvirt.qat_info --become",
        )


def _no_qat(case: CheckedNode) -> Iterator[Finding]:
    if not case.pfs:
        message = case.errors[0] if case.errors else "no QAT PF was found on the PCI bus"
        fix = "take the node out of the group qat_nodes, or switch QAT on in its BIOS"
        yield Finding(message, fix, case.name, f"node {case.name}", f"lspci -nn -d {VENDOR}: ; /sys/bus/pci/devices")


def _policy_errors(case: CheckedNode) -> Iterator[Finding]:
    for message in case.errors if case.pfs else ():
        yield Finding(message, "correct qat_vf_policy", case.name, "qat_vf_policy", _inventory(case))


def _inventory(case: CheckedNode) -> str:
    return f"ansible-inventory --host {case.name}"


def _policy_of_node(case: CheckedNode) -> Iterator[Finding]:
    """On a fleet of several models a rule may fit other nodes; on one model it is a slip of the pen."""
    yield from _policy_errors(case)
    for rule in case.policy or ():
        if not any(rule.fits(pf) for pf in case.pfs):
            yield _idle_rule(case, str(rule), "this node")


def _policy_of_site(site: Site) -> Iterator[Finding]:
    for case in site.nodes:
        yield from _policy_errors(case)
    idle: dict[str, CheckedNode] = {}
    for case in site.nodes:
        for rule in case.policy or ():
            if str(rule) not in idle and not any(rule.fits(pf) for other in site.nodes for pf in other.pfs):
                idle[str(rule)] = case
    for text, case in idle.items():
        yield _idle_rule(case, text, "any node")


def _idle_rule(case: CheckedNode, rule: str, where: str) -> Finding:
    return Finding(
        f"policy {rule} matches no PF of {where}",
        "nothing, where it is meant for other nodes; else correct qat_vf_policy",
        case.name,
        "qat_vf_policy",
        _inventory(case),
        severity=WARN,
    )


def _conflict(check_id: str) -> NodeFindings:
    def look(case: CheckedNode) -> Iterator[Finding]:
        for conflict in case.facts["conflicts"]:
            if conflict["id"] == check_id:
                yield _finding(case, Problem(**conflict), f"node {case.name}", _WHERE[check_id])

    return look


_WHERE = {
    "OOT-MIX": "modinfo -n intel_qat; ls /etc/init.d/qat_service /sys/module/usdm_drv",
    "QATMGR": "systemctl status qat.service",
}


def _iommu(case: CheckedNode) -> Iterator[Finding]:
    if case.facts["kernel"]["iommu"] or not case.pfs:
        yield from _problems(case, case.pfs, "IOMMU")
        return
    yield Finding(
        "the IOMMU is off: /sys/class/iommu is empty, and without an IOMMU no VF can be given away",
        ENABLE_IOMMU,
        case.name,
        f"node {case.name}",
        "/sys/class/iommu; dmesg | grep -i -e DMAR -e IOMMU",
    )


def _iommu_hinders(case: CheckedNode) -> Iterator[Finding]:
    for problem in case.host.problems if case.host else ():
        yield _finding(case, problem, f"node {case.name}", "/proc/cmdline; /sys/class/iommu")


def _driverless(case: CheckedNode) -> Iterator[tuple[Pf, str]]:
    """PFs that are to have VFs and have no driver, with the id of the check that names why."""
    for pf in case.wanted_pfs:
        if pf.driver is None:
            yield pf, _why_driverless(case, pf)


def _why_driverless(case: CheckedNode, pf: Pf) -> str:
    module = case.facts["modules"][pf.module]
    if pf.driver_loaded:
        return "FW" if _missing_firmware(case, pf) else "UNBOUND-PF"
    if module["path"] is None and not module["builtin"]:
        return "NOMOD"
    return "SECUREBOOT" if _signed_only(case) else "UNBOUND-PF"


def _signed_only(case: CheckedNode) -> bool:
    kernel = case.facts["kernel"]
    return bool(kernel["secure_boot"]) or kernel["lockdown"] not in (None, "none")


def _missing_firmware(case: CheckedNode, pf: Pf) -> list[str]:
    return [name for name in pf.kind.firmware if case.facts["firmware"].get(name) is None]


def _no_module(case: CheckedNode) -> Iterator[Finding]:
    for pf, why in _driverless(case):
        if why == "NOMOD":
            release = case.facts["kernel"]["release"]
            yield Finding(
                f"PF {pf.address} ({VENDOR}:{pf.device}) has no driver, and kernel {release} has no module {pf.module}",
                "run the role qat_driver, which installs the distribution's module or compiles it (Debian ships none "
                "for Gen4 and later, Ubuntu has it in linux-modules-extra)",
                case.name,
                f"PF {pf.address}",
                f"modinfo {pf.module}; /lib/modules/{release}/modules.dep",
                pf.address,
            )


def _secure_boot(case: CheckedNode) -> Iterator[Finding]:
    for pf, why in _driverless(case):
        if why == "SECUREBOOT":
            yield Finding(
                f"module {pf.module} is there and not loaded, and this node takes signed modules only",
                "sign it with a key that is enrolled (mokutil), as DKMS does, or use a distribution that ships it",
                case.name,
                f"PF {pf.address}",
                "mokutil --sb-state; /sys/kernel/security/lockdown; dmesg | grep -i module",
                pf.address,
            )


def _secure_boot_hinders(case: CheckedNode) -> Iterator[Finding]:
    for pf in case.wanted_pfs if _signed_only(case) else ():
        module = case.facts["modules"][pf.module]
        if not pf.driver_loaded and module["path"] is None and not module["builtin"]:
            yield Finding(
                f"module {pf.module} has to be built, and this node takes signed ones only (Secure Boot, lockdown)",
                "enrol a machine owner key that DKMS signs with (mokutil), or use a distribution that ships it",
                case.name,
                f"PF {pf.address}",
                "mokutil --sb-state; /sys/kernel/security/lockdown",
                pf.address,
                severity=WARN,
            )


def _firmware(case: CheckedNode) -> Iterator[Finding]:
    for pf, why in _driverless(case):
        if why == "FW":
            yield _firmware_finding(case, pf)


def _firmware_hinders(case: CheckedNode) -> Iterator[Finding]:
    """Only a warning: it may be in the initramfs."""
    for pf, _why in _driverless(case):
        if _missing_firmware(case, pf):
            yield _firmware_finding(case, pf, WARN)


def _firmware_finding(case: CheckedNode, pf: Pf, severity: str | None = None) -> Finding:
    return Finding(
        f"firmware {', '.join(_missing_firmware(case, pf))} of PF {pf.address} is not in /lib/firmware",
        "install the distribution's firmware package (linux-firmware, firmware-misc-nonfree, firmware-intel-misc) and "
        "regenerate the initramfs; the driver will not take the PF without it",
        case.name,
        f"PF {pf.address}",
        "/lib/firmware; dmesg | grep -i firmware",
        pf.address,
        severity,
    )


def _unbound(case: CheckedNode) -> Iterator[Finding]:
    pfs = [pf for pf, why in _driverless(case) if why == "UNBOUND-PF"]
    yield from _problems(case, pfs, "UNBOUND-PF")


def _down(case: CheckedNode) -> Iterator[Finding]:
    for pf in case.wanted_pfs:
        where = f"{device_path(pf.address)}/qat/state; /sys/kernel/debug/qat_{pf.driver}_{pf.address}/heartbeat/status"
        for problem in pf.problems:
            if problem.id == "PFDOWN":
                yield _finding(case, problem, f"PF {pf.address}", where, pf.address)


def _dead(case: CheckedNode) -> Iterator[Finding]:
    """A run brings a PF up that is down, and cannot bring a dead one back."""
    dead = {pf.address for pf in case.pfs if pf.heartbeat == "dead"}
    return (finding for finding in _down(case) if finding.pf in dead)


def _no_sriov(case: CheckedNode) -> Iterator[Finding]:
    return _problems(case, case.wanted_pfs, "NOSRIOV")


def _group(case: CheckedNode) -> Iterator[Finding]:
    return _problems(case, case.wanted_pfs, "GROUP")


def _services(case: CheckedNode) -> Iterator[Finding]:
    for pf in case.pfs:
        target = case.targets.get(pf.address)
        wanted = target.services if target else None
        if wanted is not None and pf.driver and set(pf.services or ()) != wanted:
            found = "+".join(ordered(set(pf.services))) if pf.services else "none"
            yield Finding(
                f"PF {pf.address} serves {found}, expected {'+'.join(ordered(set(wanted)))}",
                "run site.yml, which sets them (its VFs are made anew for that)",
                case.name,
                f"PF {pf.address}",
                f"{device_path(pf.address)}/qat/cfg_services",
                pf.address,
            )


def _missing_vfs(case: CheckedNode) -> Iterator[tuple[Pf, int]]:
    """PFs with another number of VFs than they are to have, and that number."""
    for pf in case.pfs:
        target = case.targets.get(pf.address)
        if target and pf.vfs_enabled != len(target.vf_targets):
            yield pf, len(target.vf_targets)


def _refused_by_kernel(case: CheckedNode) -> str | None:
    """The message of the boot unit where the kernel's own crypto kept a PF. A status of an older boot unit has no
    codes."""
    status = case.facts["boot"]["status"]
    failures = status.get("failures", []) if isinstance(status, dict) else []
    return next((failure["message"] for failure in failures if failure["code"] == _CRYPTO), None)


def _kernel_user(case: CheckedNode) -> Iterator[Finding]:
    said = _refused_by_kernel(case)
    for pf, _wanted in _missing_vfs(case) if said else ():
        yield Finding(
            f"PF {pf.address} has {pf.vfs_enabled} VFs, and the kernel refused to make them: {said}",
            "stop what uses QAT inside the kernel (dm-crypt, IPsec, zram: /proc/crypto lists qat drivers with their "
            f"reference counts), then systemctl restart {SERVICE}, or run site.yml",
            case.name,
            f"PF {pf.address}",
            f"{STATUS}; /proc/crypto",
            pf.address,
        )


def _vf_count(case: CheckedNode) -> Iterator[Finding]:
    for pf, wanted in _missing_vfs(case):
        yield Finding(
            f"PF {pf.address} has {pf.vfs_enabled} VFs, expected {wanted} of {pf.vfs_possible} possible",
            "run site.yml, which makes them; the in-tree drivers make all VFs of a PF or none, whatever number is "
            "asked",
            case.name,
            f"PF {pf.address}",
            f"{device_path(pf.address)}/sriov_numvfs",
            pf.address,
        )


def _for_vfio(case: CheckedNode) -> Iterator[Pf]:
    """PFs whose VFs are to be on vfio-pci."""
    return (pf for pf in case.wanted_pfs if case.targets[pf.address].vf_targets[0].driver == VFIO)


def _vfio(case: CheckedNode) -> Iterator[Finding]:
    vfio = case.facts["vfio"]
    if any(_for_vfio(case)) and not vfio["loaded"] and not vfio["builtin"]:
        yield Finding(
            f"{VFIO} is not loaded, so no VF can be bound to it",
            "run site.yml (role qat_host), which loads it now and at every boot",
            case.name,
            f"node {case.name}",
            "/sys/bus/pci/drivers/vfio-pci; lsmod",
        )


def _denylist(case: CheckedNode) -> Iterator[Finding]:
    vfio = case.facts["vfio"]
    for pf in _for_vfio(case) if vfio["denylist_disabled"] is False else ():
        if pf.kind.denylist and pf.vfs and any(vf.driver != VFIO for vf in pf.vfs):
            yield Finding(
                f"{VFIO} runs with disable_denylist=N and refuses the VFs of PF {pf.address} ({pf.family})",
                "run site.yml (role qat_host), which sets disable_denylist=1; where vfio-pci is in use or built in, "
                "that takes a reboot",
                case.name,
                f"PF {pf.address}",
                "/sys/module/vfio_pci/parameters/disable_denylist",
                pf.address,
            )


def _vf_driver(case: CheckedNode) -> Iterator[Finding]:
    for pf in case.wanted_pfs:
        wanted = case.targets[pf.address].vf_targets[0].driver
        by_driver: dict[str | None, list[Vf]] = {}
        for vf in pf.vfs:
            if vf.driver != wanted:
                by_driver.setdefault(vf.driver, []).append(vf)
        for driver, vfs in by_driver.items():
            yield Finding(
                f"{_some(vfs)} of PF {pf.address} {'is' if len(vfs) == 1 else 'are'} on {driver or 'no driver'}, "
                f"expected {wanted or 'none'}; KubeVirt passes over what is not on {VFIO}, without a word",
                "run site.yml, which binds them",
                case.name,
                f"VF {vfs[0].address}",
                f"{device_path(vfs[0].address)}/driver",
                pf.address,
            )


def _some(vfs: list[Vf]) -> str:
    return f"VF {vfs[0].address}" if len(vfs) == 1 else f"VF {vfs[0].address} and {len(vfs) - 1} more"


def _held(case: CheckedNode) -> Iterator[Finding]:
    """VFs that a process outside of any pod has open."""
    for pf in case.pfs:
        for vf in pf.held():
            if any(holder.pod is None for holder in vf.holders):
                yield Finding(
                    f"{vf.held_by()}, which is in no pod: Kubernetes does not know of it, and gives that VF away, too",
                    "stop that process, or keep it off this node; Kubernetes has to be the only one that hands VFs out",
                    case.name,
                    f"VF {vf.address}",
                    f"ls -l /proc/{vf.holders[0].pid}/fd | grep vfio",
                    pf.address,
                )


def _in_use(case: CheckedNode) -> Iterator[Finding]:
    for pf in case.plan.pfs if case.plan else ():
        for vf in pf.blocked:
            yield Finding(
                f"PF {pf.address} needs a change ({pf.impact}) that would take away a VF in use: {vf.held_by()}",
                "stop or move what holds it, or set qat_vf_on_in_use to skip to leave this PF for later",
                case.name,
                f"VF {vf.address}",
                f"ls -l /proc/{vf.holders[0].pid}/fd | grep vfio",
                pf.address,
                WARN if case.skip_in_use else FAIL,
            )


def _loader(case: CheckedNode) -> Iterator[Finding]:
    if case.host and case.host.reboot and case.facts["boot_loader"] is None:
        yield Finding(
            f"kernel arguments are needed ({', '.join(case.host.args)}), but the boot loader is not known",
            "set them by hand and reboot; known are update-grub, grubby, rpm-ostree and kernel-install",
            case.name,
            f"node {case.name}",
            "/proc/cmdline",
        )


def _reboot(case: CheckedNode) -> Iterator[Finding]:
    for reason in case.host.reboot if case.host else ():
        yield Finding(
            f"a reboot is due: {reason}",
            "reboot the node when that suits, or let site.yml do it (qat_host_reboot)",
            case.name,
            f"node {case.name}",
            "/proc/cmdline",
        )


def _boot(case: CheckedNode) -> Iterator[Finding]:
    if not case.wanted_pfs:
        return
    boot: dict[str, Any] = case.facts["boot"]
    wrong = _boot_trouble(case, boot)
    if wrong:
        fix = f"run site.yml, which installs {SERVICE} with the policy of the inventory"
        yield Finding(wrong, fix, case.name, SERVICE, f"systemctl status {SERVICE}; {STATUS}")


def _boot_trouble(case: CheckedNode, boot: dict[str, Any]) -> str | None:
    if not boot["enabled"]:
        return f"{SERVICE} is not enabled, and the kernel forgets services and VFs at every boot"
    document = boot["policy"]
    try:
        kept = parse_policy(document["policy"])
    except (PolicyError, TypeError, KeyError):
        return f"the policy that {SERVICE} follows cannot be read"
    if any(settings_for(kept, pf) != settings_for(case.policy or (), pf) for pf in case.pfs):
        return f"{SERVICE} follows another policy than the inventory has, so the next boot undoes what is now"
    return None


_GONE = ("UNREAD", "NOQAT")
_NO_DRIVER = ("NOMOD", "SECUREBOOT", "FW", "UNBOUND-PF")
_NO_VFS = (*_GONE, "POLICY", "OOT-MIX", *_NO_DRIVER, "IOMMU", "PFDOWN", "NOSRIOV")

NODE_CHECKS: tuple[Check, ...] = (
    Check(
        "UNREAD", NODE, FAIL,
        "Could every node of the inventory be read?",
        "The node is off, cannot be reached, does not let Ansible in, or a step failed on it.",
        "See what the play said of it, and run it again.",
        _unread,
    ),
    Check(
        "NOQAT", NODE, FAIL,
        "Is there a QAT device on the node?",
        "The processor has no QAT, or the BIOS has switched it off.",
        "Switch QAT on in the BIOS, or take the node out of the group qat_nodes.",
        each_node(_no_qat), _no_qat,
    ),
    Check(
        "POLICY", NODE, FAIL,
        "Does the policy fit the hardware?",
        "A rule of qat_vf_policy is malformed, asks for what the device cannot do, or matches nothing.",
        "Correct qat_vf_policy.",
        _policy_of_site, _policy_of_node,
    ),
    Check(
        "OOT-MIX", NODE, FAIL,
        "Is the in-tree driver the only one?",
        "Intel's out-of-tree package is installed beside it: modules of the same names, its own service and its own "
        "VFs.",
        "Uninstall it and reboot (both on one node panic: erratum QAT20-40475).",
        each_node(_conflict("OOT-MIX")), _conflict("OOT-MIX"),
    ),
    Check(
        "QATMGR", NODE, FAIL,
        "Is qatlib's service off?",
        "qat.service of qatlib makes VFs, binds them and hands them to processes of the host by itself.",
        "systemctl disable --now qat.service",
        each_node(_conflict("QATMGR")), _conflict("QATMGR"),
    ),
    Check(
        "IOMMU", NODE, FAIL,
        "Is the IOMMU on, and has every function its group?",
        "VT-d is off in the BIOS, or the kernel runs without intel_iommu=on.",
        f"{ENABLE_IOMMU[0].upper()}{ENABLE_IOMMU[1:]}.",
        each_node(_iommu), _iommu_hinders, explained_by=_GONE,
    ),
    Check(
        "NOMOD", NODE, FAIL,
        "Has the running kernel the module of each PF?",
        "The distribution does not ship it (Debian: Gen4 and later), keeps it in another package (Ubuntu), or the "
        "kernel "
        "was upgraded and the module was not built for it.",
        "Run the role qat_driver.",
        each_node(_no_module), explained_by=(*_GONE, "OOT-MIX"),
    ),
    Check(
        "SECUREBOOT", NODE, FAIL,
        "Does the kernel take the module?",
        "Secure Boot or lockdown lets only signed modules in, and this one's key is not enrolled.",
        "Enrol the key DKMS signs with (mokutil), or use a distribution that ships the module.",
        each_node(_secure_boot), _secure_boot_hinders, explained_by=_GONE,
    ),
    Check(
        "FW", NODE, FAIL,
        "Is the firmware of each PF there?",
        "The firmware package is not installed, too old for the device, or the initramfs was made before it.",
        "Install it and regenerate the initramfs.",
        each_node(_firmware), _firmware_hinders, explained_by=_GONE,
    ),
    Check(
        "UNBOUND-PF", NODE, FAIL,
        "Has each PF its driver?",
        "The module is not loaded, is too old for this device id, or refused the PF (firmware, NUMA).",
        "Load it; dmesg says why it refused.",
        each_node(_unbound), explained_by=(*_GONE, "OOT-MIX"),
    ),
    Check(
        "PFDOWN", NODE, FAIL,
        "Is each PF up, and does it answer?",
        "Somebody took it down (its VFs went with that), it could not start, or the device hangs.",
        "Run site.yml; where the heartbeat is dead, restart the platform (never the PCI reset of a Gen4 device).",
        each_node(_down), _dead, explained_by=(*_GONE, *_NO_DRIVER),
    ),
    Check(
        "NOSRIOV", NODE, FAIL,
        "Does each PF offer VFs?",
        "SR-IOV is off in the BIOS, or the PF itself was handed into a virtual machine.",
        "Switch SR-IOV on in the BIOS.",
        each_node(_no_sriov), _no_sriov, explained_by=_GONE,
    ),
    Check(
        "SVC", NODE, FAIL,
        "Does each PF serve what the policy says?",
        "Somebody else set the services, or the boot brought the driver's default back.",
        "Run site.yml.",
        each_node(_services), explained_by=(*_GONE, *_NO_DRIVER),
    ),
    Check(
        "LKCF", NODE, FAIL,
        "Does the kernel's own crypto leave the PFs alone?",
        "dm-crypt, IPsec or zram use the PF, and the driver answers EBUSY to any change of its VFs.",
        "Stop that use, then run site.yml.",
        each_node(_kernel_user), explained_by=_NO_VFS,
    ),
    Check(
        "VFCOUNT", NODE, FAIL,
        "Has each PF the VFs it is to have?",
        "They were never made, taken away, or lost at a boot; an in-tree driver makes all or none.",
        "Run site.yml.",
        each_node(_vf_count), explained_by=(*_NO_VFS, "LKCF"),
    ),
    Check(
        "VFIO", NODE, FAIL,
        "Is vfio-pci loaded where VFs are to be on it?",
        "The module was unloaded, or never loaded since the boot.",
        "Run site.yml (role qat_host).",
        each_node(_vfio), explained_by=_NO_VFS,
    ),
    Check(
        "DENYLIST", NODE, FAIL,
        "Does vfio-pci take VFs of Gen2 devices?",
        "Since Linux 5.9 it refuses C3xxx, C62x and DH895xCC unless it is loaded with disable_denylist=1.",
        "Run site.yml (role qat_host), and reboot where it says so.",
        each_node(_denylist), explained_by=(*_NO_VFS, "VFIO"),
    ),
    Check(
        "VFDRV", NODE, FAIL,
        "Is every VF on the driver it is to have?",
        "Another driver took it (a VF driver of the kernel, qat_vfio_pci), or nobody bound it.",
        "Run site.yml.",
        each_node(_vf_driver), explained_by=(*_NO_VFS, "VFIO", "DENYLIST"),
    ),
    Check(
        "GROUP", NODE, FAIL,
        "Is every VF alone in its IOMMU group?",
        "The PCIe port above does not isolate its functions (no ACS).",
        "Enable ACS in the BIOS, or use another slot.",
        each_node(_group), _group, explained_by=_GONE,
    ),
    Check(
        "INUSE", NODE, FAIL,
        "Does nobody but Kubernetes use VFs, and none that must change?",
        "A process of the host (DPDK, a QEMU outside of KubeVirt, qatlib) has a VF open; or, before a run, a workload "
        "has one that the run would take away.",
        "Stop it, or move it away.",
        each_node(_held), _in_use, explained_by=("QATMGR",),
    ),
    Check(
        "LOADER", NODE, FAIL,
        "Can kernel arguments be set where they are needed?",
        "The node's boot loader is none this collection knows.",
        "Set them by hand and reboot.",
        each_node(_loader), _loader, explained_by=("IOMMU",),
    ),
    Check(
        "REBOOT", NODE, WARN,
        "Is no reboot due?",
        "Kernel arguments or module options were set that count from the next boot on.",
        "Reboot when it suits.",
        each_node(_reboot), explained_by=("IOMMU", "DENYLIST", "LOADER"),
    ),
    Check(
        "BOOT", NODE, WARN,
        "Will the node have its VFs after the next boot?",
        "The boot unit is not installed, not enabled, or follows an older policy.",
        "Run site.yml.",
        each_node(_boot), explained_by=_NO_VFS,
    ),
)  # fmt: skip
