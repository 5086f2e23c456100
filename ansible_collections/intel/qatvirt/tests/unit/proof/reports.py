# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as a site would get them: a healthy lab, a site where much is wrong, and a fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

Data = dict[str, Any]
Owner = tuple[str, str]
ADVERTISED: Owner = ("resource", "intel.com/qat")

QUESTIONS = {
    "node": {
        "IOMMU": "Is the IOMMU on?",
        "NOQAT": "Has the node a QAT device?",
        "UNBOUND": "Is every PF bound to its driver?",
        "CONFLICT": "Does nothing else manage the devices?",
        "SERVICES": "Has every PF the services of its policy?",
        "PFDOWN": "Is every PF up?",
        "VFCOUNT": "Has every PF as many VFs as its policy says?",
        "VFDRV": "Is every VF on the driver it is to have?",
        "GROUP": "Is every VF alone in its IOMMU group?",
        "BOOT": "Will the node be the same after a reboot?",
    },
    "cluster": {
        "GATE": "Is the feature gate HostDevices on?",
        "PERM": "Does KubeVirt permit the VFs as host devices?",
        "EXT": "Does KubeVirt's own plugin advertise them?",
        "TWO-PLUGINS": "Is no VF advertised twice?",
        "STALE": "Does each node advertise as many VFs as it has?",
        "VERSIONS": "Do KubeVirt and Kubernetes support each other?",
        "VFIOCDEV": "Will KubeVirt find the device nodes it asks for?",
    },
    "vm": {
        "VMI": "Does every virtual machine with a VF run?",
        "GUEST": "Did a machine on each node start, and see the VFs it was given?",
        "FUNC": "Did the VFs work inside, where that could be tried?",
    },
}


def check(layer: str, check_id: str, verdict: str = "pass", findings: Iterable[Data] = (), **more: Any) -> Data:
    """One check of the report."""
    return {
        "id": check_id,
        "layer": layer,
        "question": QUESTIONS[layer][check_id],
        "verdict": verdict,
        "reason": None,
        "cause": "What this comes from, in a sentence or two.",
        "doc": f"docs/checks.md#{check_id.lower()}",
        "findings": list(findings),
        **more,
    }


def finding(severity: str, node: str | None, thing: str | None, message: str, fix: str, evidence: str) -> Data:
    return {
        "severity": severity,
        "node": node,
        "object": thing,
        "message": message,
        "fix": fix,
        "evidence": evidence,
    }


def checks(*unusual: Data) -> list[Data]:
    """All checks; those that are not given pass."""
    given = {item["id"]: item for item in unusual}
    return [given.get(name) or check(layer, name) for layer, names in QUESTIONS.items() for name in names]


def pf(
    address: str, owners: Iterable[Owner], numa_node: int = 0, vf_driver: str | None = "vfio-pci", **more: Any
) -> Data:
    """A PF with one VF for each owner."""
    bus = address.rsplit(":", 1)[0]
    vfs = [
        {
            "address": f"{bus}:{1 + number // 8:02x}.{number % 8}",
            "device": "4941",
            "driver": vf_driver,
            "iommu_group": str(13 + number) if vf_driver else None,
            "numa_node": numa_node,
            "owner": {"kind": kind, "text": text},
        }
        for number, (kind, text) in enumerate(owners)
    ]
    return {
        "address": address,
        "device": "4940",
        "family": "4xxx",
        "numa_node": numa_node,
        "driver": "4xxx",
        "state": "up",
        "services": ["sym", "asym"],
        "vfs_possible": 16,
        "vfs": vfs,
        **more,
    }


def node(name: str, pfs: list[Data], workload: str = "vm", resources: Data | None = None, **more: Any) -> Data:
    """A node; it advertises what is advertised or in use unless told otherwise."""
    advertised = sum(vf["owner"]["kind"] in ("resource", "vm", "pod") for pf_ in pfs for vf in pf_["vfs"])
    return {
        "name": name,
        "workload": workload,
        "kernel": "6.12.94+deb13-amd64",
        "os": "debian 13",
        "emulated": False,
        "ready": True,
        "schedulable": True,
        "resources": {"intel.com/qat": advertised} if resources is None else resources,
        "pfs": pfs,
        **more,
    }


def passed_vm(node_: str, address: str = "0000:6b:01.0") -> Data:
    """A test VM that saw what it was given."""
    return {
        "node": node_,
        "kind": "vm",
        "object": f"virtual machine qatvirt-test/qat-test-3f2a-{node_}",
        "verdict": "pass",
        "reason": None,
        "resource": "intel.com/qat",
        "count": 1,
        "given": [address],
        "expected": {"8086:4941": 1},
        "seen": [{"slot": "0000:06:00.0", "vendor": "8086", "device": "4941", "class": "0b4000", "driver": None}],
        "functional": {"verdict": "impossible", "reason": "The guest's kernel has no driver for a 4xxx VF."},
        "phases": [
            {"name": name, "seconds": seconds}
            for name, seconds in (
                ("Pending", 0.4),
                ("Scheduling", 3.2),
                ("Scheduled", 11.7),
                ("Running", 14.9),
                ("Guest answered", 41.3),
            )
        ],
        "diagnosis": None,
    }


def report(nodes: list[Data], checks_: list[Data], tests: list[Data], **more: Any) -> Data:
    """A report over them, with the verdict that follows."""
    verdicts = Counter(item["verdict"] for item in checks_)
    failed = verdicts["fail"] or any(test["verdict"] == "fail" for test in tests)
    return {
        "schema": 2,
        "made": "2026-11-25T04:00:00Z",
        "collection": "0.3.0",
        "emulated": any(item["emulated"] for item in nodes),
        "verdict": "fail" if failed else "warn" if verdicts["warn"] else "pass",
        "summary": {verdict: verdicts[verdict] for verdict in ("pass", "warn", "fail", "skipped")},
        "cluster": {
            "server": "https://api.site.example.net:6443",
            "kubernetes": "v1.35.1",
            "kubevirt": "v1.8.4",
            "configured_by": "KubeVirt kubevirt/kubevirt",
            "plugin": "registry.example.net/intel/intel-qat-plugin:0.36.0",
        },
        "checks": checks_,
        "nodes": nodes,
        "tests": tests,
        **more,
    }


def healthy_lab() -> Data:
    """Two emulated nodes: one for virtual machines, one for containers; all is as it should be."""
    skipped = check("cluster", "VFIOCDEV", "skipped", reason="KubeVirt 1.8 does not ask for VFIO character devices.")
    in_use: Owner = ("vm", "virtual machine default/user")
    pod: Owner = ("pod", "pod default/compress-7d9f")
    nodes = [
        node(
            "qat1",
            [
                pf("0000:01:00.0", [in_use] + [ADVERTISED] * 7, vfs_possible=8),
                pf("0000:02:00.0", [ADVERTISED] * 8, numa_node=1, vfs_possible=8, services=["dc"]),
            ],
            emulated=True,
        ),
        node(
            "qat2",
            [pf("0000:01:00.0", [pod, pod] + [("resource", "qat.intel.com/cy")] * 6, vfs_possible=8)],
            workload="container",
            resources={"qat.intel.com/cy": 8},
            emulated=True,
        ),
    ]
    return report(nodes, checks(skipped), [passed_vm("qat1", "0000:01:01.1"), passed_pod("qat2")])


def passed_pod(node_: str) -> Data:
    """A test pod on a container node."""
    return {
        **passed_vm(node_, "0000:01:01.4"),
        "kind": "pod",
        "object": f"pod qatvirt-test/qat-test-3f2a-{node_}",
        "resource": "qat.intel.com/cy",
        "seen": [{"slot": "0000:01:01.4", "vendor": "8086", "device": "4941", "class": "0b4000", "driver": "vfio-pci"}],
        "functional": {"verdict": "pass", "reason": "The VF's configuration space and its first BAR were read."},
        "phases": [
            {"name": "Pending", "seconds": 0.2},
            {"name": "Running", "seconds": 4.8},
            {"name": "Succeeded", "seconds": 5.6},
        ],
    }


def broken_site() -> Data:
    """A site on hardware where much is wrong at once, each kind of owner among it."""
    failed = failed_vm("worker-a2.site.example.net")
    nodes = [
        node(
            "worker-a1.site.example.net",
            [
                pf("0000:6b:00.0", [("vm", "virtual machine shop/tls-0")] * 5 + [ADVERTISED] * 11),
                pf("0000:e8:00.0", [("unusable", "not usable: driver qat_vfio_pci")] * 16, 1, "qat_vfio_pci"),
            ],
            resources={"intel.com/qat": 16},
        ),
        node(
            "worker-a2.site.example.net",
            [
                pf("0000:6b:00.0", [("process", "dpdk-testpmd (pid 4711)")] + [("free", "nobody advertises it")] * 15),
                pf("0000:e8:00.0", [], 1, state="down", services=None, driver=None),
            ],
            resources={},
            ready=False,
            schedulable=False,
        ),
        node(
            "worker-b1.site.example.net",
            [pf("0000:6b:00.0", [("pod", "pod edge/ipsec-5c8b")] * 3 + [("resource", "qat.intel.com/cy")] * 13, -1)],
            workload="container",
            resources={"qat.intel.com/cy": 16},
        ),
    ]
    wrong_driver = [
        finding(
            "fail",
            "worker-a1.site.example.net",
            f"VF 0000:e8:{1 + number // 8:02x}.{number % 8}",
            f"VF 0000:e8:{1 + number // 8:02x}.{number % 8} is on qat_vfio_pci, expected vfio-pci",
            "run site.yml with this node in --limit; it binds the VFs that nothing holds to vfio-pci",
            f"/sys/bus/pci/devices/0000:e8:{1 + number // 8:02x}.{number % 8}/driver",
        )
        for number in range(16)
    ]
    found = checks(
        check(
            "node",
            "VFDRV",
            "fail",
            wrong_driver,
            cause="KubeVirt and Intel's plugin take only VFs on vfio-pci. Something bound these to another driver.",
        ),
        check(
            "node",
            "PFDOWN",
            "fail",
            [
                finding(
                    "fail",
                    "worker-a2.site.example.net",
                    "PF 0000:e8:00.0",
                    "PF 0000:e8:00.0 is down and has no driver, expected up on 4xxx",
                    "install the firmware package of the distribution (linux-firmware, firmware-misc-nonfree), "
                    "regenerate the initramfs, and reboot through site.yml",
                    "/sys/bus/pci/devices/0000:e8:00.0/driver",
                )
            ],
            cause="A PF without driver or in state down has no VFs.",
        ),
        check(
            "cluster",
            "STALE",
            "warn",
            [
                finding(
                    "warn",
                    "worker-a2.site.example.net",
                    "Node worker-a2.site.example.net",
                    "the node advertises 0 intel.com/qat, expected 15",
                    "restart the node's virt-handler; the role kubevirt_qat does it",
                    "kubectl get node worker-a2.site.example.net -o jsonpath='{.status.allocatable}'",
                ),
                finding(
                    "warn",
                    None,
                    "KubeVirt kubevirt/kubevirt",
                    "the list of host devices was changed 40 seconds ago, and virt-handler may still be at it",
                    "run the check again in a minute",
                    "kubectl -n kubevirt get kubevirt kubevirt -o yaml",
                ),
            ],
            cause="KubeVirt lists VFs when virt-handler starts and never again.",
        ),
        check(
            "vm",
            "GUEST",
            "fail",
            [
                finding(
                    "fail",
                    failed["node"],
                    failed["object"],
                    f"RESOURCE: {failed['diagnosis']['message']}",
                    failed["diagnosis"]["fix"],
                    failed["diagnosis"]["evidence"],
                )
            ],
            cause="It did not start, was given none, or its guest sees others; the diagnosis says which.",
        ),
        check("vm", "FUNC", "skipped", reason="what it finds is a consequence of GUEST"),
    )
    return report(nodes, found, [failed, passed_vm("worker-a1.site.example.net")])


def failed_vm(node_: str) -> Data:
    """A test VM that was never scheduled."""
    return {
        **passed_vm(node_),
        "verdict": "fail",
        "reason": "The virtual machine did not start within 300 seconds.",
        "given": [],
        "seen": [],
        "functional": None,
        "phases": [{"name": "Pending", "seconds": 0.5}, {"name": "Scheduling", "seconds": 3.1}],
        "diagnosis": {
            "id": "RESOURCE",
            "message": f"No node fits: 0/3 nodes are available, {node_} has Insufficient intel.com/qat (0 of 1).",
            "fix": "make the node advertise its VFs: see the check STALE",
            "evidence": "kubectl -n qatvirt-test get events --field-selector reason=FailedScheduling",
        },
    }


def fleet(nodes: int = 1000, vfs: int = 128, broken_every: int = 100) -> Data:
    """Many nodes with ``vfs`` VFs each on PFs of 16; on every ``broken_every``-th a VF has no driver."""
    names = [f"node-{number:04}.fleet.example.net" for number in range(nodes)]
    findings = [
        finding(
            "fail",
            name,
            "VF 0000:10:01.0",
            "VF 0000:10:01.0 is on no driver, expected vfio-pci",
            "run site.yml with this node in --limit",
            "/sys/bus/pci/devices/0000:10:01.0/driver",
        )
        for number, name in enumerate(names)
        if number % broken_every == 0
    ]
    found = checks(check("node", "VFDRV", "fail" if findings else "pass", findings))
    many = [
        node(
            name, [pf(f"0000:{16 + 8 * at:02x}:00.0", [ADVERTISED] * 16, numa_node=at // 4) for at in range(vfs // 16)]
        )
        for name in names
    ]
    for item in many[::broken_every]:
        item["pfs"][0]["vfs"][0] |= {"driver": None, "owner": {"kind": "unusable", "text": "not usable: no driver"}}
        item["resources"]["intel.com/qat"] -= 1
    return report(many, found, [passed_vm(name) for name in names[:60]])
