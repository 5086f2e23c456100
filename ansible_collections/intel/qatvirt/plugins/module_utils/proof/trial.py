# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial: does what asks for VFs on a node get them, and does it see them?

Pure. One trial a node: a virtual machine where its VFs are for virtual machines, else a pod. Here are the objects of a
trial, what it answers, and whether that is what it was given.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..cluster.nodes import CONTAINER, PLUGIN_PREFIX, SiteNode, allocatable
from ..cluster.objects import Object, Objects, labels_of, name_of
from ..cluster.workload import devices_of
from ..node.devices import VENDOR
from .diagnosis import NO_KUBEVIRT, Diagnosis, no_vf

RUN_LABEL = "qatvirt.intel.com/test-run"
"""On every object of a run; its value is the run's id."""
MARK = "QATVIRT-RESULT"
VM = "vm"
POD = "pod"
PASS = "pass"
FAIL = "fail"
SKIPPED = "skipped"
CORDONED = "the node is cordoned, which is an administrator's decision; kubectl uncordon lets it be tried"

HOSTNAME_LABEL = "kubernetes.io/hostname"
_NAME_MAX = 50
"""A virtual machine's name becomes part of other names."""
_CLASS = "0b40"
"""Of QAT functions (co-processor)."""
_PAUSE = 10
"""Seconds between two reports of a guest."""
_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Za-z0-9]|[=>78cDEHM])")


@dataclass(frozen=True)
class KernelBoot:
    """What a virtual machine boots from without a disk: a kernel and an initramfs in a container image."""

    image: str
    kernel_path: str
    initrd_path: str
    kernel_args: str


@dataclass(frozen=True)
class Settings:
    """What all trials of a run share.

    ``count``: VFs of each. ``kernel_boot``: instead of the disk, where given. ``cpu``: cores of a virtual machine.
    ``report_script``: what a guest with a disk runs.
    """

    run: str
    namespace: str
    count: int
    container_disk: str
    kernel_boot: KernelBoot | None
    pod_image: str
    memory: str
    cpu: int
    tolerations: tuple[dict[str, Any], ...]
    report_script: str

    @property
    def name(self) -> str:
        """Of the objects a run has one of, and what the names of its trials start with."""
        return run_name(self.run)


@dataclass(frozen=True)
class Case:
    """One trial to make. ``hostname``: the node's, as the scheduler knows it. ``selectors``: kinds of VF it can get."""

    node: str
    hostname: str
    kind: str
    name: str
    resource: str
    selectors: tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """A VF that kubelet gave to a trial's pod."""

    address: str
    selector: str


@dataclass(frozen=True)
class Judgement:
    """What a trial's answer is worth, and what it was compared with."""

    verdict: str
    reason: str | None
    given: tuple[Given, ...]
    expected: dict[str, int]
    seen: list[dict[str, Any]]
    functional: dict[str, str] | None


def run_name(run: str) -> str:
    """Of the objects a run has one of."""
    return f"qat-test-{run}"


def trial_name(run: str, node: str, taken: set[str]) -> str:
    """A name for the trial on a node, which no other trial of the run has."""
    slug = re.sub(r"[^a-z0-9]+", "-", node.lower())
    whole = f"{run_name(run)}-{slug}"[:_NAME_MAX].strip("-")
    name, number = whole, 2
    while name in taken:
        name = f"{whole[: _NAME_MAX - 4].strip('-')}-{number}"
        number += 1
    return name


# ---------------------------------------------------------------- what there is to try


def plan(
    nodes: list[tuple[SiteNode, Object]], pods: Objects, resources: dict[str, str], settings: Settings, kubevirt: bool
) -> tuple[list[Case], list[dict[str, Any]]]:
    """The trials to make, and the results of the nodes on which none can be made.

    ``pods``: of the whole cluster. ``resources``: KubeVirt's, by selector. ``kubevirt``: whether the API knows it.
    """
    cases: list[Case] = []
    results: list[dict[str, Any]] = []
    for node, item in nodes:
        name = trial_name(settings.run, name_of(item), {case.name for case in cases})
        case = _case(node, item, pods, resources, settings.count, name)
        if item.get("spec", {}).get("unschedulable"):
            results.append(result(case, settings, SKIPPED, CORDONED))
        elif case.kind == VM and not kubevirt:
            results.append(not_made(case, settings, NO_KUBEVIRT))
        elif not case.resource:
            offered = {name: allocatable(item, name) for name in _resources(node, item, resources)}
            results.append(not_made(case, settings, no_vf(case.node, settings.count, offered, node.vfs or {})))
        else:
            cases.append(case)
    return cases, results


def _case(node: SiteNode, item: Object, pods: Objects, resources: dict[str, str], count: int, name: str) -> Case:
    """The trial of a node; without a resource where it does not advertise as many VFs of any."""
    here = [pod for pod in pods if pod["spec"].get("nodeName") == name_of(item)]
    wanted = [resource for resource in _resources(node, item, resources) if allocatable(item, resource) >= count]
    # The one with the most free VFs: nobody's are to be waited for while there are others.
    resource = max(wanted, key=lambda resource: allocatable(item, resource) - _used(here, resource), default="")
    kinds = node.vfs or {}
    if node.workload != CONTAINER:
        kinds = {selector: count for selector, count in kinds.items() if resources.get(selector) == resource}
    return Case(
        node=name_of(item),
        hostname=labels_of(item).get(HOSTNAME_LABEL, name_of(item)),
        kind=POD if node.workload == CONTAINER else VM,
        name=name,
        resource=resource,
        selectors=tuple(sorted(kinds)),
    )


def _resources(node: SiteNode, item: Object, resources: dict[str, str]) -> list[str]:
    """Under which names the VFs of a node can be asked for."""
    if node.workload == CONTAINER:
        return sorted(name for name in item["status"].get("allocatable") or () if name.startswith(PLUGIN_PREFIX))
    return sorted({resources[selector] for selector in node.vfs or {} if selector in resources})


def _used(pods: Objects, resource: str) -> int:
    running = [pod for pod in pods if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]
    return sum(int(devices_of(pod).get(resource, "0")) for pod in running)


# ---------------------------------------------------------------- its objects


def manifest(case: Case, settings: Settings) -> Object:
    """What is created for a trial."""
    return _machine(case, settings) if case.kind == VM else _pod(case, settings)


def _metadata(name: str, settings: Settings) -> Object:
    return {"name": name, "namespace": settings.namespace, "labels": {RUN_LABEL: settings.run}}


def _machine(case: Case, settings: Settings) -> Object:
    devices: Object = {
        "autoattachGraphicsDevice": False,
        "autoattachMemBalloon": False,
        "autoattachPodInterface": False,
        "autoattachSerialConsole": True,
        "logSerialConsole": False,
        "rng": {},
        "hostDevices": [{"name": f"qat{number}", "deviceName": case.resource} for number in range(settings.count)],
    }
    domain: Object = {
        "cpu": {"cores": settings.cpu, "model": "host-passthrough"},
        # Not memory.guest: VFIO locks all of the guest's memory, and what is locked is limited by the request.
        "resources": {"requests": {"memory": settings.memory}},
        "devices": devices,
    }
    spec: Object = {
        "terminationGracePeriodSeconds": 0,
        # It cannot be migrated, and must not hold up who drains the node.
        "evictionStrategy": "None",
        "nodeSelector": {HOSTNAME_LABEL: case.hostname},
        "tolerations": list(settings.tolerations),
        "domain": domain,
    }
    boot = settings.kernel_boot
    if boot:
        container = {"image": boot.image, "kernelPath": boot.kernel_path, "initrdPath": boot.initrd_path}
        kernel = {"kernelArgs": boot.kernel_args, "container": {**container, "imagePullPolicy": "IfNotPresent"}}
        domain["firmware"] = {"kernelBoot": kernel}
    else:
        devices["disks"] = [{"name": name, "disk": {"bus": "virtio"}} for name in ("root", "cloudinit")]
        disk = {"image": settings.container_disk, "imagePullPolicy": "IfNotPresent"}
        spec["volumes"] = [
            {"name": "root", "containerDisk": disk},
            {"name": "cloudinit", "cloudInitNoCloud": {"secretRef": {"name": settings.name}}},
        ]
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": _metadata(case.name, settings),
        "spec": spec,
    }


def secret(settings: Settings) -> Object:
    """The user data of the guests. Not in the virtual machine: there it may have 2048 bytes."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(settings.name, settings),
        "stringData": {"userdata": user_data(settings.report_script)},
    }


def user_data(report_script: str, console: str = "/dev/ttyS0") -> str:
    """A script for cloud-init that says again and again on the console what the report script found."""
    return f"""#!/bin/sh
cat >/run/qatvirt-report.sh <<'QATVIRT-END'
{report_script.rstrip()}
QATVIRT-END
result=$(sh /run/qatvirt-report.sh)
while :; do
    # Opened anew each time: a login prompt that starts on the console closes it for all others.
    printf '\\n%s\\n' "{MARK} $result" >{console}
    sleep {_PAUSE}
done
"""


_OPEN_VFS = r"""
plain() { printf '%s' "$*" | tr '\n\t' '  ' | tr -cd '\40-\176' | tr -d '"\134'; }
try() {
    [ -c "$1" ] || { echo "there is no device $1"; return 1; }
    (exec 3<>"$1") 2>&1
}
given='' functions='' comma=''
for address in $(env | sed -n 's/^QAT[0-9]*=//p' | sort); do
    directory=/sys/bus/pci/devices/$address
    group=$(readlink "$directory/iommu_group")
    driver=$(readlink "$directory/driver")
    if error=$(try "/dev/vfio/${group##*/}"); then open=true; else open=false; fi
    given="$given$comma\"$address\""
    functions="$functions$comma{\"slot\":\"$address\",\"vendor\":\"$(cat "$directory/vendor")\","
    functions="$functions\"device\":\"$(cat "$directory/device")\",\"class\":\"$(cat "$directory/class")\","
    functions="$functions\"driver\":\"${driver##*/}\",\"open\":$open,\"error\":\"$(plain "$error")\"}"
    comma=,
done
echo "QATVIRT-RESULT {\"given\":[$given],\"pci\":[$functions]}"
"""
"""What the pod runs. Intel's plugin tells it the addresses of its VFs, in QAT0, QAT1 and so on."""


def _pod(case: Case, settings: Settings) -> Object:
    container = {
        "name": "main",
        "image": settings.pod_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", _OPEN_VFS],
        "resources": {"limits": {case.resource: str(settings.count)}},
        "securityContext": {
            # What is in /dev/vfio is root's.
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(case.name, settings),
        "spec": {
            "restartPolicy": "Never",
            # Not 0: the API would forget the pod before the node has stopped it.
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "nodeSelector": {HOSTNAME_LABEL: case.hostname},
            "tolerations": list(settings.tolerations),
            "containers": [container],
        },
    }


TELL_GIVEN = (
    "env | while IFS='=' read -r name value; do case $name in PCI_RESOURCE_*) IFS=,; for address in $value; do "
    "read -r vendor </sys/bus/pci/devices/$address/vendor; read -r device </sys/bus/pci/devices/$address/device; "
    'echo "$address ${vendor#0x}:${device#0x}"; done;; esac; done'
)
"""Tells in virt-launcher's container which VFs it was given. It is that container's environment that has them."""


def given_to_launcher(text: str) -> tuple[Given, ...]:
    """What TELL_GIVEN printed."""
    lines = (line.split() for line in text.splitlines())
    return tuple(Given(words[0], words[1]) for words in lines if len(words) == 2 and ":" in words[1])


# ---------------------------------------------------------------- its answer


def answer(text: str) -> Object | None:
    """The last whole report in what a console or a log has, None where there is none yet.

    Reports are repeated, and the kernel or a login prompt may write into the middle of one.
    """
    found = None
    for part in plain_text(text).split(MARK)[1:]:
        start = part.find("{")
        if start < 0 or part[:start].strip():
            continue
        try:
            report, _end = json.JSONDecoder().raw_decode(part, start)
        except ValueError:
            continue
        if _is_report(report):
            found = report
    return found


def _is_report(report: Object) -> bool:
    devices = report.get("pci")
    keys = {"slot", "vendor", "device", "class", "driver"}
    return isinstance(devices, list) and all(isinstance(device, dict) and keys <= set(device) for device in devices)


def plain_text(text: str) -> str:
    """What a console says, without the sequences that move a cursor."""
    return _ESCAPE.sub("", text).replace("\r", "").replace("\0", "")


def judge(case: Case, count: int, report: Object, given: tuple[Given, ...]) -> Judgement:
    """Compare what was given with what the trial sees.

    ``given``: of a virtual machine, nothing where its launcher could not be asked. A pod tells it with its report.
    Whether functions do their work (``functional``) is another question than whether they are there.
    """
    seen = [_function(device) for device in report["pci"] if _is_qat(device)]
    if case.kind == POD:
        given = tuple(Given(device["slot"], selector_of(_function(device))) for device in report["pci"])
    expected = _expected(case, count, given)
    reasons = [*_wrong_given(case, count, given), *_wrong_seen(case, expected, count, seen)]
    shut = [device for device in report["pci"] if not device.get("open", True)]
    reasons += [f"VF {device['slot']} cannot be opened: {device.get('error')}" for device in shut]
    return Judgement(FAIL if reasons else PASS, "; ".join(reasons) or None, given, expected, seen, _functional(report))


def selector_of(function: Object) -> str:
    """Vendor and device of a function."""
    return f"{function['vendor']}:{function['device']}"


def _is_qat(device: Object) -> bool:
    return _hex(device["vendor"]) == VENDOR and _hex(device["class"]).startswith(_CLASS)


def _function(device: Object) -> Object:
    """A function of a report as results have it."""
    numbers = {key: _hex(device[key]) for key in ("vendor", "device", "class")}
    return {"slot": device["slot"], **numbers, "driver": device["driver"] or None}


def _hex(text: object) -> str:
    return str(text).lower().removeprefix("0x")


def _functional(report: Object) -> dict[str, str] | None:
    found = report.get("functional")
    if not isinstance(found, dict) or found.get("verdict") not in (PASS, FAIL, "impossible"):
        return None
    return {"verdict": found["verdict"], "reason": str(found.get("reason", ""))}


def _expected(case: Case, count: int, given: tuple[Given, ...]) -> dict[str, int]:
    """Functions that must be seen. Where nobody told what was given, only of a resource of one kind is it known."""
    if given:
        return dict(sorted(Counter(vf.selector for vf in given).items()))
    return {case.selectors[0]: count} if len(case.selectors) == 1 else {}


def _wrong_given(case: Case, count: int, given: tuple[Given, ...]) -> list[str]:
    if not given and case.kind == VM:
        return []
    wrong = []
    strange = ", ".join(f"{vf.address} ({vf.selector})" for vf in given if vf.selector not in case.selectors)
    if strange:
        wrong.append(f"it was given {strange}, and {case.resource} is {' or '.join(case.selectors)}")
    if len(given) != count:
        addresses = ", ".join(vf.address for vf in given) or "it has no variable QAT0"
        wrong.append(f"it asked for {count} of {case.resource} and was given {len(given)}: {addresses}")
    return wrong


def _wrong_seen(case: Case, expected: dict[str, int], count: int, seen: Objects) -> list[str]:
    found = dict(sorted(Counter(selector_of(function) for function in seen).items()))
    who = "the guest" if case.kind == VM else "the pod"
    if expected and found != expected:
        return [f"{who} sees {_numbers(found)} of QAT, expected {_numbers(expected)}"]
    if not expected and sum(found.values()) != count:
        return [f"{who} sees {_numbers(found)} of QAT, expected {count}"]
    return []


def _numbers(functions: dict[str, int]) -> str:
    return ", ".join(f"{count} x {selector}" for selector, count in functions.items()) or "nothing"


# ---------------------------------------------------------------- its result


def result(
    case: Case,
    settings: Settings,
    verdict: str,
    reason: str | None,
    judgement: Judgement | None = None,
    given: tuple[Given, ...] = (),
    phases: dict[str, float] | None = None,
    diagnosis: Diagnosis | None = None,
) -> dict[str, Any]:
    """One entry of ``tests`` of the report. ``given``: where there is no judgement. ``phases``: seconds by name."""
    kind = "virtual machine" if case.kind == VM else "pod"
    return {
        "node": case.node,
        "kind": case.kind,
        "object": f"{kind} {settings.namespace}/{case.name}",
        "verdict": verdict,
        "reason": reason,
        "resource": case.resource or None,
        "count": settings.count,
        "given": [vf.address for vf in (judgement.given if judgement else given)],
        "expected": judgement.expected if judgement else _expected(case, settings.count, given),
        "seen": judgement.seen if judgement else [],
        "functional": judgement.functional if judgement else None,
        "phases": [{"name": name, "seconds": round(seconds, 1)} for name, seconds in (phases or {}).items()],
        "diagnosis": diagnosis.as_data() if diagnosis else None,
    }


def not_made(case: Case, settings: Settings, diagnosis: Diagnosis) -> dict[str, Any]:
    """The result of a trial that gave no answer."""
    return result(case, settings, FAIL, diagnosis.message, diagnosis=diagnosis)
