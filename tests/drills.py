# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault drills: what is broken for real, which check has to name it, and in which words.

The tests of each place inject their faults and hold the proof to this list; ``docs/drills.md`` is written from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NODE = "lab node"
API = "API server"
MACHINE = "lab cluster"


@dataclass(frozen=True)
class Drill:
    """fault: what is done. check: the only one that may find something. says: the decisive words of its message."""

    name: str
    place: str
    fault: str
    check: str
    says: str


DRILLS = (
    Drill(
        "iommu",
        NODE,
        "the kernel runs with intel_iommu=off",
        "IOMMU",
        "the IOMMU is off: /sys/class/iommu is empty",
    ),
    Drill("no-module", NODE, "qat_4xxx.ko is gone from /lib/modules and not loaded", "NOMOD", "has no module qat_4xxx"),
    Drill("no-firmware", NODE, "firmware files gone, the PF without driver", "FW", "is not in /lib/firmware"),
    Drill(
        "unbound-pf",
        NODE,
        "the PF is unbound from its driver",
        "UNBOUND-PF",
        "has no driver; expected 4xxx of module qat_4xxx",
    ),
    Drill("pf-down", NODE, "`down` written to qat/state", "PFDOWN", "is down, expected up"),
    Drill(
        "pf-dead",
        NODE,
        "the device does not answer the heartbeat",
        "PFDOWN",
        "does not answer the driver's heartbeat",
    ),
    Drill("services", NODE, "cfg_services set to dc behind our back", "SVC", "serves dc, expected sym+asym"),
    Drill("kernel-crypto", NODE, "the kernel's own crypto uses the PF", "LKCF", "the kernel refused to make them"),
    Drill("no-vfs", NODE, "0 written to sriov_numvfs", "VFCOUNT", "has 0 VFs, expected 8 of 8 possible"),
    Drill("no-vfio", NODE, "vfio-pci unloaded", "VFIO", "vfio-pci is not loaded"),
    Drill("denylist", NODE, "vfio-pci loaded without disable_denylist=1", "DENYLIST", "runs with disable_denylist=N"),
    Drill("vf-driver", NODE, "a VF unbound from vfio-pci", "VFDRV", "is on no driver, expected vfio-pci"),
    Drill("held", NODE, "a process outside of any pod has a VF open", "INUSE", "which is in no pod"),
    Drill("out-of-tree", NODE, "Intel's out-of-tree package is installed", "OOT-MIX", "/etc/init.d/qat_service"),
    Drill("qatlib", NODE, "qatlib's qat.service is enabled", "QATMGR", "qat.service is active or enabled"),
    Drill("boot-off", NODE, "qatvirt.service disabled", "BOOT", "is not enabled"),
    Drill("boot-policy", NODE, "/etc/qatvirt/policy.json of an older inventory", "BOOT", "follows another policy"),
    Drill("policy", NODE, "a policy that the device cannot do", "POLICY", "services dc cannot be set"),
    Drill("reboot", NODE, "a kernel argument that counts from the next boot", "REBOOT", "a reboot is due"),
    Drill("unreachable", NODE, "a node that cannot be reached", "UNREAD", "could not be reached"),
    Drill("absent-node", API, "a node of the inventory is not in the cluster", "NODE", "the cluster has no node node2"),
    Drill("not-ready", API, "the kubelet has stopped", "NOTREADY", "Ready=Unknown"),
    Drill("cordoned", API, "the node is cordoned", "CORDON", "the node is cordoned"),
    Drill("no-kubevirt", API, "there is no KubeVirt CR", "KUBEVIRT", "there is no KubeVirt CR"),
    Drill("degraded", API, "virt-api does not run", "KUBEVIRT", "virt-api is not ready"),
    Drill("faulty-release", API, "KubeVirt 1.8.1", "VERS", "limits locked memory too low"),
    Drill("closed-gate", API, "HostDevices is not in featureGates", "GATE", "HostDevices is not in featureGates"),
    Drill(
        "hyperconverged",
        API,
        "the entry is in the KubeVirt CR that HyperConverged owns",
        "HCO",
        "takes it out again",
    ),
    Drill("no-selector", API, "no entry for the VFs in permittedHostDevices", "PERM", "does not permit them"),
    Drill("selector-of-pf", API, "an entry with the id of the PF", "PERM", "selector 8086:4940 is the PF of a 4xxx"),
    Drill(
        "upper-case-twin",
        API,
        "the same selector twice, once in upper case (alone that is no fault)",
        "PERM",
        "compared without regard to case",
    ),
    Drill(
        "other-name",
        API,
        "the entry has another resource name",
        "PERM",
        "is permitted as example.com/qat, expected intel.com/qat",
    ),
    Drill(
        "plugins-name",
        API,
        "the entry names qat.intel.com/cy of Intel's plugin",
        "EXT",
        "does not tell virt-launcher which VF it gave",
    ),
    Drill("external", API, "externalResourceProvider on our own entry", "EXT", "has externalResourceProvider"),
    Drill(
        "two-plugins",
        API,
        "Intel's plugin on a node for virtual machines",
        "TWO-PLUGINS",
        "Intel's plugin advertises them too",
    ),
    Drill(
        "kubevirt-beside-plugin",
        API,
        "KubeVirt on a node for containers",
        "TWO-PLUGINS",
        "KubeVirt advertises them too",
    ),
    Drill("given-twice", API, "more VFs given to pods than the node has", "TWO-OWNERS", "were given 18 VFs"),
    Drill("no-handler", API, "virt-handler is not on the node", "HANDLER", "no pod of virt-handler is on the node"),
    Drill(
        "no-image",
        API,
        "the image of Intel's plugin cannot be pulled",
        "PLUGIN",
        "cannot be pulled (ImagePullBackOff",
    ),
    Drill(
        "stale",
        API,
        "virt-handler has not seen the VFs that were made after it started",
        "STALE",
        "expected intel.com/qat: 16 allocatable, found intel.com/qat: 8",
    ),
    Drill("truncated", API, "-max-num-devices is less than the node has", "TRUNC", "its -max-num-devices"),
    Drill("uncounted", API, "Intel's plugin takes VFs for unhealthy", "COUNT", "found qat.intel.com/*: 12"),
    Drill("unlabelled", API, "somebody removed the label ready", "LABEL", "qatvirt.intel.com/ready=None"),
    Drill(
        "renamed",
        API,
        "a pod asks for a name that the services do not make",
        "RENAME",
        "asks for qat.intel.com/dc-sym, which no node offers",
    ),
    Drill("exhausted", API, "a pod waits for more VFs than are free", "FULL", "waits for 17 of intel.com/qat"),
    Drill("stuck-machine", API, "a virtual machine that KubeVirt cannot start", "VMI", "Device or resource busy"),
    Drill("undrainable", API, "evictionStrategy LiveMigrate on a machine with a VF", "EVICT", "cannot be migrated"),
    Drill(
        "no-cdev",
        API,
        "KubeVirt 1.9 on a kernel without VFIO character devices",
        "VFIOCDEV",
        "that the kernel does not make",
    ),
    Drill(
        "no-rights",
        API,
        "the account may not list pods, KubeVirt and virtual machines",
        "RBAC",
        "could not be read",
    ),
    Drill("vm-no-image", MACHINE, "the image of the test machine does not exist", "GUEST", "IMAGE: "),
    Drill("vm-memory", MACHINE, "the test machine asks for more memory than the node has", "GUEST", "MEMORY: "),
    Drill("vm-exhausted", MACHINE, "a pod has all VFs of the node", "GUEST", "FULL: "),
    Drill(
        "vm-not-permitted", MACHINE, "the test machine asks for a resource KubeVirt does not permit", "GUEST", "PERM: "
    ),
    Drill("vm-gate", MACHINE, "the feature gate HostDevices is closed", "GUEST", "GATE: "),
    Drill("vm-busy", MACHINE, "processes of the node have all VFs open", "GUEST", "VFIOBUSY: "),
)


def drill(name: str) -> Drill:
    """One of them. Raises KeyError."""
    return {entry.name: entry for entry in DRILLS}[name]


def names(place: str) -> list[str]:
    """Those of a place, in their order."""
    return [entry.name for entry in DRILLS if entry.place == place]


def report_in(directory: Path) -> dict[str, Any]:
    """The report that a play wrote there."""
    found: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return found


def complaints(report: dict[str, Any], node: str | None = None) -> dict[str, list[str]]:
    """Messages of everything that was found, or of what was found of one node, by check."""
    found = {
        check["id"]: [finding["message"] for finding in check["findings"] if node in (None, finding["node"])]
        for check in report["checks"]
    }
    return {check_id: messages for check_id, messages in found.items() if messages}


def assert_found(report: dict[str, Any], entry: Drill, node: str | None = None) -> None:
    """Exactly the check of the drill has found something, in its words; of that node, if one is given."""
    found = complaints(report, node)
    assert set(found) == {entry.check}, found
    assert any(entry.says in message for message in found[entry.check]), found


def table() -> str:
    """All drills as Markdown."""
    rows = [
        f"| {entry.fault} | {entry.place} | [{entry.check}](checks.md#{entry.check.lower()}) | {entry.says} |"
        for entry in DRILLS
    ]
    return "\n".join([*_HEAD, *rows, ""])


_HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
SPDX-License-Identifier: GPL-3.0-or-later
-->
<!-- Written by `make docs` from tests/drills.py. -->

# Fault drills

Each fault is injected for real by the tests, and exactly one check has to find it; nothing is found on a site that is
as it should be. Places: a **lab node** has a real kernel with emulated devices; the **API server** is a real one whose
nodes are objects only; the **lab cluster** runs real KubeVirt, and there it is a test machine that says why it does not
start.

| fault | where | found by | says |
|---|---|---|---|
""".splitlines()
