# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks over the facts of nodes. Pure.

Where a check rests on a fact about the hardware or the kernel, the module that reads that fact names its source.
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
    """The check of one node as a check of a site: of all its nodes."""
    return lambda site: (finding for checked in site.nodes for finding in look(checked))


def _of_node(checked: CheckedNode, *, message: str, evidence: str, fix: str | None = None) -> Finding:
    """A finding about a whole node."""
    return Finding(message=message, fix=fix, node=checked.name, object=f"node {checked.name}", evidence=evidence)


def _of_pf(
    checked: CheckedNode,
    pf: Pf,
    *,
    message: str,
    evidence: str,
    vf: Vf | None = None,
    fix: str | None = None,
    severity: str | None = None,
) -> Finding:
    """A finding about a PF, or about one of its VFs."""
    return Finding(
        message=message,
        fix=fix,
        node=checked.name,
        object=f"VF {vf.address}" if vf else f"PF {pf.address}",
        evidence=evidence,
        pf=pf.address,
        severity=severity,
    )


def _problems(checked: CheckedNode, pfs: Iterable[Pf], check_id: str) -> Iterator[Finding]:
    """Problems of PFs and their VFs that the node layer itself has found."""
    for pf in pfs:
        for vf, problem in _problems_of(pf):
            if problem.id == check_id:
                evidence = device_path(vf.address if vf else pf.address)
                yield _of_pf(checked, pf, vf=vf, message=problem.message, fix=problem.fix, evidence=evidence)


def _problems_of(pf: Pf) -> list[tuple[Vf | None, Problem]]:
    """All problems of a PF, each with the VF that has it, None for the PF itself."""
    own: list[tuple[Vf | None, Problem]] = [(None, problem) for problem in pf.problems]
    return own + [(vf, problem) for vf in pf.vfs for problem in vf.problems]


def _unread(site: Site) -> Iterator[Finding]:
    for name in site.unread:
        yield Finding(
            message=f"the facts of {name} are missing: the node could not be reached, or a task failed on it",
            node=name,
            object=f"node {name}",
            evidence=f"ansible {name} -m intel.qatvirt.qat_info --become",
        )


def _no_qat(checked: CheckedNode) -> Iterator[Finding]:
    if not checked.pfs:
        yield _of_node(
            checked,
            message=checked.errors[0] if checked.errors else "no QAT PF was found on the PCI bus",
            evidence=f"lspci -nn -d {VENDOR}: ; /sys/bus/pci/devices",
        )


def _policy_errors(checked: CheckedNode) -> Iterator[Finding]:
    for message in checked.errors if checked.pfs else ():
        yield _of_policy(checked, message=message)


def _of_policy(checked: CheckedNode, *, message: str, fix: str | None = None, severity: str | None = None) -> Finding:
    return Finding(
        message=message,
        fix=fix,
        node=checked.name,
        object="qat_vf_policy",
        evidence=f"ansible-inventory --host {checked.name}",
        severity=severity,
    )


def _policy_of_node(checked: CheckedNode) -> Iterator[Finding]:
    """On a fleet of several models a rule that matches nothing here may be meant for other nodes: a warning."""
    yield from _policy_errors(checked)
    for rule in checked.policy or ():
        if not any(rule.fits(pf) for pf in checked.pfs):
            yield _idle_rule(checked, str(rule), "this node")


def _policy_of_site(site: Site) -> Iterator[Finding]:
    for checked in site.nodes:
        yield from _policy_errors(checked)
    idle: dict[str, CheckedNode] = {}
    for checked in site.nodes:
        for rule in checked.policy or ():
            if str(rule) not in idle and not any(rule.fits(pf) for other in site.nodes for pf in other.pfs):
                idle[str(rule)] = checked
    for text, checked in idle.items():
        yield _idle_rule(checked, text, "any node")


def _idle_rule(checked: CheckedNode, rule: str, where: str) -> Finding:
    return _of_policy(
        checked,
        message=f"policy {rule} matches no PF of {where}",
        fix="correct qat_vf_policy, unless the rule is meant for other nodes than these",
        severity=WARN,
    )


def _conflict(check_id: str) -> NodeFindings:
    """The check of what ``qat_info`` has found to manage QAT devices beside this collection."""

    def look(checked: CheckedNode) -> Iterator[Finding]:
        for conflict in checked.facts["conflicts"]:
            if conflict["id"] == check_id:
                evidence = _CONFLICT_EVIDENCE[check_id]
                yield _of_node(checked, message=conflict["message"], fix=conflict["fix"], evidence=evidence)

    return look


_CONFLICT_EVIDENCE = {
    "OOT-MIX": "modinfo -n intel_qat; ls /etc/init.d/qat_service /sys/module/usdm_drv",
    "QATMGR": "systemctl status qat.service",
}


def _iommu(checked: CheckedNode) -> Iterator[Finding]:
    if checked.facts["kernel"]["iommu"] or not checked.pfs:
        yield from _problems(checked, checked.pfs, "IOMMU")
        return
    yield _of_node(
        checked,
        message="the IOMMU is off: /sys/class/iommu is empty, and without an IOMMU no VF can be given away",
        evidence="/sys/class/iommu; dmesg | grep -i -e DMAR -e IOMMU",
    )


def _iommu_preflight(checked: CheckedNode) -> Iterator[Finding]:
    for problem in checked.host.problems if checked.host else ():
        evidence = "/proc/cmdline; /sys/class/iommu"
        yield _of_node(checked, message=problem.message, fix=problem.fix, evidence=evidence)


def _driverless(checked: CheckedNode) -> Iterator[tuple[Pf, str]]:
    """PFs that are to have VFs and have no driver, each with the id of the check that names why."""
    for pf in checked.wanted_pfs:
        if pf.driver is None:
            yield pf, _why_driverless(checked, pf)


def _why_driverless(checked: CheckedNode, pf: Pf) -> str:
    module = checked.facts["modules"][pf.module]
    if pf.driver_loaded:
        return "FW" if _missing_firmware(checked, pf) else "UNBOUND-PF"
    if module["path"] is None and not module["builtin"]:
        return "NOMOD"
    return "SECUREBOOT" if _signed_only(checked) else "UNBOUND-PF"


def _signed_only(checked: CheckedNode) -> bool:
    """Whether the node's kernel takes signed modules only."""
    kernel = checked.facts["kernel"]
    return bool(kernel["secure_boot"]) or kernel["lockdown"] not in (None, "none")


def _missing_firmware(checked: CheckedNode, pf: Pf) -> list[str]:
    return [name for name in pf.kind.firmware if checked.facts["firmware"].get(name) is None]


def _no_module(checked: CheckedNode) -> Iterator[Finding]:
    for pf, why in _driverless(checked):
        if why == "NOMOD":
            release = checked.facts["kernel"]["release"]
            yield _of_pf(
                checked,
                pf,
                message=f"PF {pf.address} ({VENDOR}:{pf.device}) has no driver, and kernel {release} has no module "
                f"{pf.module}",
                evidence=f"modinfo {pf.module}; /lib/modules/{release}/modules.dep",
            )


def _secure_boot(checked: CheckedNode) -> Iterator[Finding]:
    for pf, why in _driverless(checked):
        if why == "SECUREBOOT":
            yield _of_pf(
                checked,
                pf,
                message=f"module {pf.module} is installed and not loaded, and this node takes signed modules only",
                evidence="mokutil --sb-state; /sys/kernel/security/lockdown; dmesg | grep -i module",
            )


def _secure_boot_preflight(checked: CheckedNode) -> Iterator[Finding]:
    for pf in checked.wanted_pfs if _signed_only(checked) else ():
        module = checked.facts["modules"][pf.module]
        if not pf.driver_loaded and module["path"] is None and not module["builtin"]:
            yield _of_pf(
                checked,
                pf,
                message=f"module {pf.module} has to be built, and this node takes signed modules only (Secure Boot, "
                "lockdown)",
                evidence="mokutil --sb-state; /sys/kernel/security/lockdown",
                severity=WARN,
            )


def _firmware(checked: CheckedNode) -> Iterator[Finding]:
    for pf, why in _driverless(checked):
        if why == "FW":
            yield _firmware_finding(checked, pf)


def _firmware_preflight(checked: CheckedNode) -> Iterator[Finding]:
    """Only a warning: the firmware may be in the initramfs."""
    for pf, _why in _driverless(checked):
        if _missing_firmware(checked, pf):
            yield _firmware_finding(checked, pf, WARN)


def _firmware_finding(checked: CheckedNode, pf: Pf, severity: str | None = None) -> Finding:
    return _of_pf(
        checked,
        pf,
        message=f"firmware {', '.join(_missing_firmware(checked, pf))} of PF {pf.address} is not in /lib/firmware",
        evidence="/lib/firmware; dmesg | grep -i firmware",
        severity=severity,
    )


def _unbound(checked: CheckedNode) -> Iterator[Finding]:
    pfs = [pf for pf, why in _driverless(checked) if why == "UNBOUND-PF"]
    yield from _problems(checked, pfs, "UNBOUND-PF")


def _down(checked: CheckedNode) -> Iterator[Finding]:
    for pf in checked.wanted_pfs:
        where = f"{device_path(pf.address)}/qat/state; /sys/kernel/debug/qat_{pf.driver}_{pf.address}/heartbeat/status"
        for problem in pf.problems:
            if problem.id == "PFDOWN":
                yield _of_pf(checked, pf, message=problem.message, fix=problem.fix, evidence=where)


def _dead(checked: CheckedNode) -> Iterator[Finding]:
    """A run brings a PF up that is down; it cannot bring a PF back that does not answer the heartbeat."""
    dead = {pf.address for pf in checked.pfs if pf.heartbeat == "dead"}
    return (finding for finding in _down(checked) if finding.pf in dead)


def _no_sriov(checked: CheckedNode) -> Iterator[Finding]:
    return _problems(checked, checked.wanted_pfs, "NOSRIOV")


def _group(checked: CheckedNode) -> Iterator[Finding]:
    return _problems(checked, checked.wanted_pfs, "GROUP")


def _services(checked: CheckedNode) -> Iterator[Finding]:
    for pf in checked.pfs:
        target = checked.targets.get(pf.address)
        wanted = target.services if target else None
        if wanted is not None and pf.driver and set(pf.services or ()) != wanted:
            found = "+".join(ordered(set(pf.services))) if pf.services else "none"
            yield _of_pf(
                checked,
                pf,
                message=f"PF {pf.address} serves {found}, expected {'+'.join(ordered(set(wanted)))}",
                evidence=f"{device_path(pf.address)}/qat/cfg_services",
            )


def _missing_vfs(checked: CheckedNode) -> Iterator[tuple[Pf, int]]:
    """PFs that have another number of VFs than they are to have, each with the wanted number."""
    for pf in checked.pfs:
        target = checked.targets.get(pf.address)
        if target and pf.vfs_enabled != len(target.vf_targets):
            yield pf, len(target.vf_targets)


def _refused_by_kernel(checked: CheckedNode) -> str | None:
    """The message of the boot unit where the kernel's own crypto kept a PF. A status of an older boot unit has no
    codes."""
    status = checked.facts["boot"]["status"]
    failures = status.get("failures", []) if isinstance(status, dict) else []
    return next((failure["message"] for failure in failures if failure["code"] == _CRYPTO), None)


def _kernel_user(checked: CheckedNode) -> Iterator[Finding]:
    noted = _refused_by_kernel(checked)
    for pf, _wanted in _missing_vfs(checked) if noted else ():
        yield _of_pf(
            checked,
            pf,
            message=f"PF {pf.address} has {pf.vfs_enabled} VFs, and the kernel refused to make them: {noted}",
            evidence=f"{STATUS}; /proc/crypto",
        )


def _vf_count(checked: CheckedNode) -> Iterator[Finding]:
    for pf, wanted in _missing_vfs(checked):
        yield _of_pf(
            checked,
            pf,
            message=f"PF {pf.address} has {pf.vfs_enabled} VFs, expected {wanted} of {pf.vfs_possible} possible",
            evidence=f"{device_path(pf.address)}/sriov_numvfs",
        )


def _for_vfio(checked: CheckedNode) -> Iterator[Pf]:
    """PFs whose VFs are to be on vfio-pci."""
    return (pf for pf in checked.wanted_pfs if checked.targets[pf.address].vf_targets[0].driver == VFIO)


def _vfio(checked: CheckedNode) -> Iterator[Finding]:
    vfio = checked.facts["vfio"]
    if any(_for_vfio(checked)) and not vfio["loaded"] and not vfio["builtin"]:
        yield _of_node(
            checked,
            message=f"{VFIO} is not loaded, so no VF can be bound to it",
            evidence="/sys/bus/pci/drivers/vfio-pci; lsmod",
        )


def _denylist(checked: CheckedNode) -> Iterator[Finding]:
    vfio = checked.facts["vfio"]
    for pf in _for_vfio(checked) if vfio["denylist_disabled"] is False else ():
        if pf.kind.denylist and pf.vfs and any(vf.driver != VFIO for vf in pf.vfs):
            yield _of_pf(
                checked,
                pf,
                message=f"{VFIO} runs with disable_denylist=N and refuses the VFs of PF {pf.address} ({pf.family})",
                evidence="/sys/module/vfio_pci/parameters/disable_denylist",
            )


def _vf_driver(checked: CheckedNode) -> Iterator[Finding]:
    for pf in checked.wanted_pfs:
        wanted = checked.targets[pf.address].vf_targets[0].driver
        by_driver: dict[str | None, list[Vf]] = {}
        for vf in pf.vfs:
            if vf.driver != wanted:
                by_driver.setdefault(vf.driver, []).append(vf)
        for driver, vfs in by_driver.items():
            yield _of_pf(
                checked,
                pf,
                vf=vfs[0],
                message=f"{_some(vfs)} of PF {pf.address} {'is' if len(vfs) == 1 else 'are'} on "
                f"{driver or 'no driver'}, expected {wanted or 'none'}; KubeVirt silently leaves out VFs that are not "
                f"on {VFIO}",
                evidence=f"{device_path(vfs[0].address)}/driver",
            )


def _some(vfs: list[Vf]) -> str:
    return f"VF {vfs[0].address}" if len(vfs) == 1 else f"VF {vfs[0].address} and {len(vfs) - 1} more"


def _held(checked: CheckedNode) -> Iterator[Finding]:
    """VFs that a process outside of any pod has open."""
    for pf in checked.pfs:
        for vf in pf.held():
            if any(holder.pod is None for holder in vf.holders):
                yield _of_pf(
                    checked,
                    pf,
                    vf=vf,
                    message=f"{vf.held_by()}, which is in no pod: Kubernetes does not know of this process, and gives "
                    "the VF away, too",
                    evidence=_fds_of(vf),
                )


def _in_use(checked: CheckedNode) -> Iterator[Finding]:
    """VFs in use that a run would have to take away."""
    for pf_plan in checked.plan.pfs if checked.plan else ():
        for vf in pf_plan.blocked:
            yield Finding(
                message=f"PF {pf_plan.address} needs a change ({pf_plan.impact}) that would take away a VF in use: "
                f"{vf.held_by()}",
                fix="stop or move what holds the VF, or set qat_vf_on_in_use to skip to leave this PF for later",
                node=checked.name,
                object=f"VF {vf.address}",
                evidence=_fds_of(vf),
                pf=pf_plan.address,
                severity=WARN if checked.skip_in_use else FAIL,
            )


def _fds_of(vf: Vf) -> str:
    return f"ls -l /proc/{vf.holders[0].pid}/fd | grep vfio"


def _loader(checked: CheckedNode) -> Iterator[Finding]:
    if checked.host and checked.host.reboot and checked.facts["boot_loader"] is None:
        yield _of_node(
            checked,
            message=f"kernel arguments are needed ({', '.join(checked.host.args)}), but the boot loader is not known",
            evidence="/proc/cmdline",
        )


def _reboot(checked: CheckedNode) -> Iterator[Finding]:
    for reason in checked.host.reboot if checked.host else ():
        yield _of_node(checked, message=f"a reboot is due: {reason}", evidence="/proc/cmdline")


def _boot(checked: CheckedNode) -> Iterator[Finding]:
    trouble = _boot_trouble(checked, checked.facts["boot"]) if checked.wanted_pfs else None
    if trouble:
        evidence = f"systemctl status {SERVICE}; {STATUS}"
        yield Finding(message=trouble, node=checked.name, object=SERVICE, evidence=evidence)


def _boot_trouble(checked: CheckedNode, boot: dict[str, Any]) -> str | None:
    if not boot["enabled"]:
        return f"{SERVICE} is not enabled, and the kernel forgets services and VFs at every boot"
    document = boot["policy"]
    try:
        kept = parse_policy(document["policy"])
    except (PolicyError, TypeError, KeyError):
        return f"the policy that {SERVICE} follows cannot be read"
    if any(settings_for(kept, pf) != settings_for(checked.policy or (), pf) for pf in checked.pfs):
        return f"{SERVICE} follows another policy than the inventory has, so the next boot undoes what is set now"
    return None


_GONE = ("UNREAD", "NOQAT")
_NO_DRIVER = ("NOMOD", "SECUREBOOT", "FW", "UNBOUND-PF")
_NO_VFS = (*_GONE, "POLICY", "OOT-MIX", *_NO_DRIVER, "IOMMU", "PFDOWN", "NOSRIOV")

NODE_CHECKS: tuple[Check, ...] = (
    Check(
        "UNREAD", NODE, FAIL,
        "Could every node of the inventory be read?",
        "The node is off, cannot be reached, does not let Ansible in, or a task failed on it.",
        "read what the play said about the node above, mend that, and run this again",
        validate=_unread,
    ),
    Check(
        "NOQAT", NODE, FAIL,
        "Is there a QAT device on the node?",
        "The processor has no QAT, or the BIOS has switched it off.",
        "take the node out of the group qat_nodes, or switch QAT on in its BIOS",
        validate=each_node(_no_qat), preflight=_no_qat,
    ),
    Check(
        "POLICY", NODE, FAIL,
        "Does the policy fit the hardware?",
        "A rule of qat_vf_policy is malformed, asks for what the device cannot do, or matches nothing.",
        "correct qat_vf_policy",
        validate=_policy_of_site, preflight=_policy_of_node,
    ),
    Check(
        "OOT-MIX", NODE, FAIL,
        "Is the in-tree driver the only QAT driver on the node?",
        "Intel's out-of-tree package is installed, too: modules of the same names, its own service and its own VFs.",
        "uninstall the out-of-tree package and reboot (both drivers on one node panic: erratum QAT20-40475)",
        validate=each_node(_conflict("OOT-MIX")), preflight=_conflict("OOT-MIX"),
    ),
    Check(
        "QATMGR", NODE, FAIL,
        "Is qatlib's service off?",
        "qat.service of qatlib makes VFs, binds them and hands them to processes of the host by itself.",
        "run systemctl disable --now qat.service",
        validate=each_node(_conflict("QATMGR")), preflight=_conflict("QATMGR"),
    ),
    Check(
        "IOMMU", NODE, FAIL,
        "Is the IOMMU on, and does every PF and VF have an IOMMU group?",
        "VT-d is off in the BIOS, or the kernel runs without intel_iommu=on.",
        ENABLE_IOMMU,
        validate=each_node(_iommu), preflight=_iommu_preflight, explained_by=_GONE,
    ),
    Check(
        "NOMOD", NODE, FAIL,
        "Does the running kernel have the module of each PF?",
        "The distribution does not ship it (Debian: Gen4 and later), keeps it in another package (Ubuntu: "
        "linux-modules-extra), or the kernel was upgraded and the module was not built for it.",
        "run the role qat_driver, which installs the distribution's module or compiles it",
        validate=each_node(_no_module), explained_by=(*_GONE, "OOT-MIX"),
    ),
    Check(
        "SECUREBOOT", NODE, FAIL,
        "Does the kernel accept the module?",
        "Secure Boot or lockdown lets only signed modules in, and the key of this module is not enrolled.",
        "enrol the machine owner key that DKMS signs with (mokutil), or use a distribution that ships the module",
        validate=each_node(_secure_boot), preflight=_secure_boot_preflight, explained_by=_GONE,
    ),
    Check(
        "FW", NODE, FAIL,
        "Is the firmware of each PF installed?",
        "The firmware package is not installed, is too old for the device, or the initramfs was made before it.",
        "install the distribution's firmware package (linux-firmware, firmware-misc-nonfree, firmware-intel-misc) and "
        "regenerate the initramfs; the driver will not take the PF without it",
        validate=each_node(_firmware), preflight=_firmware_preflight, explained_by=_GONE,
    ),
    Check(
        "UNBOUND-PF", NODE, FAIL,
        "Does each PF have its driver?",
        "The module is not loaded, is too old for this device id, or refused the PF (firmware, NUMA).",
        "load the module; dmesg says why it refused the PF",
        validate=each_node(_unbound), explained_by=(*_GONE, "OOT-MIX"),
    ),
    Check(
        "PFDOWN", NODE, FAIL,
        "Is each PF up, and does it answer?",
        "Someone took the PF down (its VFs went with it), it could not start, or the device hangs.",
        "run site.yml; where the heartbeat is dead, restart the platform (never use the PCI reset of a Gen4 device)",
        validate=each_node(_down), preflight=_dead, explained_by=(*_GONE, *_NO_DRIVER),
    ),
    Check(
        "NOSRIOV", NODE, FAIL,
        "Does each PF offer VFs?",
        "SR-IOV is off in the BIOS, or the node is a virtual machine that was given the PF itself.",
        "switch SR-IOV on in the BIOS",
        validate=each_node(_no_sriov), preflight=_no_sriov, explained_by=_GONE,
    ),
    Check(
        "SVC", NODE, FAIL,
        "Does each PF have the services of its policy?",
        "Someone else set the services, or the boot brought the driver's default back.",
        "run site.yml, which sets the services (the VFs of the PF are made anew for that)",
        validate=each_node(_services), explained_by=(*_GONE, *_NO_DRIVER),
    ),
    Check(
        "LKCF", NODE, FAIL,
        "Does the kernel's own crypto leave the PFs alone?",
        "dm-crypt, IPsec or zram use the PF, and the driver answers EBUSY to any change of its VFs.",
        "stop what uses QAT inside the kernel (dm-crypt, IPsec, zram: /proc/crypto lists qat drivers with their "
        f"reference counts), then run systemctl restart {SERVICE}, or site.yml",
        validate=each_node(_kernel_user), explained_by=_NO_VFS,
    ),
    Check(
        "VFCOUNT", NODE, FAIL,
        "Does each PF have as many VFs as it is to have?",
        "The VFs were never made, were taken away, or were lost at a boot.",
        "run site.yml, which makes the VFs; the in-tree drivers make all VFs of a PF or none, whatever number is asked "
        "for",
        validate=each_node(_vf_count), explained_by=(*_NO_VFS, "LKCF"),
    ),
    Check(
        "VFIO", NODE, FAIL,
        "Is vfio-pci loaded where VFs are to be on it?",
        "The module was unloaded, or was not loaded since the boot.",
        "run site.yml (role qat_host), which loads vfio-pci now and at every boot",
        validate=each_node(_vfio), explained_by=_NO_VFS,
    ),
    Check(
        "DENYLIST", NODE, FAIL,
        "Does vfio-pci accept VFs of Gen2 devices?",
        "Since Linux 5.9 it refuses C3xxx, C62x and DH895xCC unless it is loaded with disable_denylist=1.",
        "run site.yml (role qat_host), which sets disable_denylist=1; where vfio-pci is in use or built in, that takes "
        "a reboot",
        validate=each_node(_denylist), explained_by=(*_NO_VFS, "VFIO"),
    ),
    Check(
        "VFDRV", NODE, FAIL,
        "Is every VF on the driver it is to have?",
        "Another driver took the VF (a VF driver of the kernel, qat_vfio_pci), or no one bound it.",
        "run site.yml, which binds the VFs",
        validate=each_node(_vf_driver), explained_by=(*_NO_VFS, "VFIO", "DENYLIST"),
    ),
    Check(
        "GROUP", NODE, FAIL,
        "Is every VF alone in its IOMMU group?",
        "The PCIe port above does not isolate its functions (no ACS).",
        "enable ACS in the BIOS, or use another slot",
        validate=each_node(_group), preflight=_group, explained_by=_GONE,
    ),
    Check(
        "INUSE", NODE, FAIL,
        "Are VFs used by pods only, and, before a run, none that the run has to change?",
        "A process of the host (DPDK, a QEMU outside of KubeVirt, qatlib) has a VF open; or, before a run, a workload "
        "has one that the run would take away.",
        "stop that process, or keep it off this node; Kubernetes has to be the only one that hands VFs out",
        validate=each_node(_held), preflight=_in_use, explained_by=("QATMGR",),
    ),
    Check(
        "LOADER", NODE, FAIL,
        "Can kernel arguments be set where they are needed?",
        "The node's boot loader is none that this collection knows (update-grub, grubby, rpm-ostree, kernel-install).",
        "set the kernel arguments by hand and reboot",
        validate=each_node(_loader), preflight=_loader, explained_by=("IOMMU",),
    ),
    Check(
        "REBOOT", NODE, WARN,
        "Does the node run with all that was set, so that no reboot is due?",
        "Kernel arguments or module options were set that take effect at the next boot.",
        "reboot the node when that suits, or let site.yml do it (qat_host_reboot)",
        validate=each_node(_reboot), explained_by=("IOMMU", "DENYLIST", "LOADER"),
    ),
    Check(
        "BOOT", NODE, WARN,
        "Will the node have its VFs after the next boot?",
        "The boot unit is not installed, not enabled, or follows an older policy.",
        f"run site.yml, which installs {SERVICE} with the policy of the inventory",
        validate=each_node(_boot), explained_by=_NO_VFS,
    ),
)  # fmt: skip
