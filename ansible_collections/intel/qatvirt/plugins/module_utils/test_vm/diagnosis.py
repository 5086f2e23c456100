# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a virtual machine or a pod with QAT VFs does not run.

Pure. What the API, KubeVirt, kubelet, the container runtime, QEMU and the guest say is looked up in a table of texts,
each with its cause in words and what to do. The texts are those of KubeVirt 1.8 and 1.9, Kubernetes 1.35, containerd
1.7 and QEMU 10; what none of them fits is quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..cluster.objects import Object, Objects, event_time, labels_of, name_of
from ..cluster.pods import ENDED_PHASES, unscheduled
from .signatures import ALLOCATABLE, API, CONSOLE, EVENT, LOG, MACHINE, NODE, POD, SIGNATURES, Signature

SCHEDULABLE_LABEL = "kubevirt.io/schedulable"
"""true on nodes with a virt-handler that is alive."""

_QUOTE = 400
_LAST_LINES = 3
_RUNNING = "Running"


@dataclass(frozen=True)
class Diagnosis:
    """Why it does not run. ``evidence``: the command that shows it. ``final``: waiting longer cannot help."""

    id: str
    message: str
    fix: str
    evidence: str
    final: bool = False

    def as_data(self) -> dict[str, str]:
        """For a result."""
        return {"id": self.id, "message": self.message, "fix": self.fix, "evidence": self.evidence}


@dataclass(frozen=True)
class Statement:
    """Something that was said, by whom, and the command that shows it."""

    source: str
    text: str
    command: str


@dataclass(frozen=True)
class Evidence:
    """What is known of a virtual machine or a pod that does not run.

    ``what``: "virtual machine namespace/name" or the like. ``phase``: None where there is no such object.
    ``node``: where it has to run, None where that is left to the scheduler. ``waited``: seconds.
    ``statements``: the most decisive first. ``command``: the command that shows it.
    """

    what: str
    namespace: str
    command: str
    is_machine: bool
    resource: str | None = None
    node: str | None = None
    phase: str | None = None
    waited: float = 0.0
    statements: tuple[Statement, ...] = ()
    console: str = ""
    console_error: str = ""


NO_KUBEVIRT = Diagnosis(
    "NOKUBEVIRT",
    "the API does not know virtual machines (virtualmachineinstances.kubevirt.io)",
    "install KubeVirt, for example with the role kubevirt, or let containers have the node's VFs (qatvirt_workload)",
    "kubectl api-resources --api-group=kubevirt.io",
    final=True,
)


def no_vf(node: str, asked: int, advertised: dict[str, int], vfs: dict[str, int]) -> Diagnosis:
    """A node that has not the VFs to give that are asked for. ``advertised``: by resource. ``vfs``: usable ones it has,
    by selector."""
    offer = " and ".join(f"{count} x {name}" for name, count in advertised.items())
    there = ", ".join(f"{count} x {selector}" for selector, count in vfs.items())
    return Diagnosis(
        "NOVF",
        f"node {node} advertises {offer or 'no QAT resource'}, and {asked} of one are asked for; "
        f"it has {there or 'no usable VF'}",
        "run site.yml, which makes VFs and waits until the cluster counts them, or ask for fewer (qat_test_vm_count)",
        ALLOCATABLE.format(node=node),
        final=True,
    )


def diagnose(evidence: Evidence) -> Diagnosis:
    """The cause that the evidence shows; what was last seen, where it shows none that is known."""
    for signature in SIGNATURES:
        for statement in evidence.statements:
            found = _match(signature, statement, evidence)
            if found:
                return _known(signature, statement, evidence, found)
    if evidence.phase == _RUNNING:
        return _mute(evidence)
    return _unknown(evidence)


def _match(signature: Signature, statement: Statement, evidence: Evidence) -> re.Match[str] | None:
    if signature.sources and statement.source not in signature.sources:
        return None
    if signature.unpinned and evidence.node is not None:
        return None
    return re.search(signature.regex, statement.text)


def _known(signature: Signature, statement: Statement, evidence: Evidence, found: re.Match[str]) -> Diagnosis:
    words = {
        **found.groupdict(),
        "what": evidence.what,
        "node": evidence.node or "(any)",
        "resource": evidence.resource or "its resource",
        "namespace": evidence.namespace,
    }
    final = signature.final or evidence.phase in ENDED_PHASES
    command = signature.command if evidence.node or "{node}" not in signature.command else ""
    return Diagnosis(
        signature.id,
        f"{signature.cause.format(**words)}: {_quote(statement.text, found)}",
        signature.fix.format(**words),
        command.format(**words) if command else statement.command,
        final,
    )


def _quote(text: str, found: re.Match[str]) -> str:
    """The line with the decisive words, shortened around them."""
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    line = text[start : end if end >= 0 else len(text)]
    if len(line) > _QUOTE:
        middle = (found.start() + found.end()) // 2 - start
        begin = max(0, min(middle - _QUOTE // 2, len(line) - _QUOTE))
        line = f"...{line[begin : begin + _QUOTE]}..."
    return " ".join(line.split())


def _mute(evidence: Evidence) -> Diagnosis:
    """It runs, and said nothing that could be understood."""
    lines = [line.strip() for line in evidence.console.splitlines() if line.strip()]
    if lines:
        said = " | ".join(lines[-_LAST_LINES:])[-_QUOTE:]
        message = f"but its guest reported nothing in {evidence.waited:.0f} s. The last it said on its console: {said}"
        fix = "see whether the guest boots to its end and runs cloud-init; more time: qat_test_vm_wait_timeout"
    elif evidence.console_error:
        message = f"but its console cannot be read: {evidence.console_error}"
        fix = "see whether virt-api and virt-handler are well, and the rights (playbooks/rbac.yml)"
    else:
        message = f"but in {evidence.waited:.0f} s its guest said nothing on its serial console"
        fix = "take an image whose kernel has console=ttyS0, and that is not stopped at a boot loader's menu"
    return Diagnosis("GUEST", f"{evidence.what} runs, {message}", fix, evidence.command)


def _unknown(evidence: Evidence) -> Diagnosis:
    """Nothing known: what was said last, else how far it came."""
    state = f"{evidence.what} is {evidence.phase or 'not there'} after {evidence.waited:.0f} s"
    final = evidence.phase in ENDED_PHASES
    said = [statement for statement in evidence.statements if statement.source != NODE and statement.text.strip()]
    if said:
        first = said[0]
        text = first.text.strip()
        shown = text if len(text) <= _QUOTE else f"...{text[-_QUOTE:]}"
        message = f"{state}; the last that was said about it: {' '.join(shown.split())}"
        return Diagnosis("OTHER", message, f"see {first.command}", first.command, final)
    if evidence.is_machine and evidence.phase in (None, "", "Pending"):
        message = f"{state}, and KubeVirt has made no pod for it and said nothing"
        fix = "see whether virt-controller runs, and its log"
        return Diagnosis("SILENT", message, fix, "kubectl get pods -A -l kubevirt.io=virt-controller", final)
    return Diagnosis("SILENT", f"{state}, and nobody said why", f"see {evidence.command}", evidence.command, final)


# ---------------------------------------------------------------- the evidence of objects


@dataclass(frozen=True)
class Observation:
    """Whose evidence is collected. ``item``: its Node object, where it has to run on a certain one.

    ``subject``: the VirtualMachineInstance or Pod, None where there is none; ``pod``: what it runs in.
    ``events``: of the namespace. ``error``: the API's answer to its creation. ``log``: of its pod.
    """

    namespace: str
    name: str
    is_machine: bool
    resource: str | None = None
    item: Object | None = None
    tolerations: tuple[dict[str, Any], ...] = ()
    subject: Object | None = None
    pod: Object | None = None
    events: Objects = field(default_factory=list)
    error: str = ""
    log: str = ""
    console: str = ""
    console_error: str = ""
    waited: float = 0.0
    deleted: bool = False


def evidence_of(seen: Observation) -> Evidence:
    """What the objects say, the most decisive first. What is past does not count: a pod that is scheduled is, whatever
    the scheduler said before."""
    word = "virtual machine" if seen.is_machine else "pod"
    command = _events(seen, seen.name)
    phase = (seen.subject or {}).get("status", {}).get("phase") or ("Pending" if seen.subject else None)
    what = f"{word} {seen.namespace}/{seen.name}"
    statements = [Statement(API, seen.error, command)] if seen.error else []
    if seen.deleted:
        statements.append(Statement(API, f"{what} was deleted by somebody else", command))
    if phase != _RUNNING:
        statements += _node_statements(seen)
        statements += _pod_statements(seen)
        statements += _machine_statements(seen, command)
        statements += _event_statements(seen)
    if seen.log:
        pod = name_of(seen.pod) if seen.pod else seen.name
        container = "compute" if seen.is_machine else "main"
        statements.append(Statement(LOG, seen.log, f"kubectl logs -n {seen.namespace} {pod} -c {container}"))
    if seen.console:
        statements.append(Statement(CONSOLE, seen.console, f"virtctl console -n {seen.namespace} {seen.name}"))
    return Evidence(
        what=what,
        namespace=seen.namespace,
        command=command,
        is_machine=seen.is_machine,
        resource=seen.resource,
        node=name_of(seen.item) if seen.item else None,
        phase=phase,
        waited=seen.waited,
        statements=tuple(statements),
        console=seen.console,
        console_error=seen.console_error,
    )


def _node_statements(seen: Observation) -> list[Statement]:
    """What of its node keeps it away."""
    if seen.item is None:
        return []
    name = name_of(seen.item)
    command = f"kubectl describe node {name}"
    spec = seen.item.get("spec", {})
    said = []
    if not _is_scheduled(seen.pod):
        if spec.get("unschedulable"):
            said.append("is cordoned")
        for taint in spec.get("taints") or ():
            if taint["effect"] != "PreferNoSchedule" and not _tolerated(taint, seen.tolerations):
                said.append(f"has the taint {taint['key']}={taint.get('value', '')}:{taint['effect']}")
    if seen.is_machine and labels_of(seen.item).get(SCHEDULABLE_LABEL) != "true":
        said.append(f"has not {SCHEDULABLE_LABEL}=true")
    return [Statement(NODE, f"node {name} {text}", command) for text in said]


def _tolerated(taint: Object, tolerations: tuple[dict[str, Any], ...]) -> bool:
    """As the scheduler sees it (Kubernetes API reference, Toleration)."""
    for toleration in tolerations:
        everything = not toleration.get("key") and toleration.get("operator") == "Exists"
        key = everything or toleration.get("key") == taint["key"]
        value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
        if key and value and toleration.get("effect") in (None, "", taint["effect"]):
            return True
    # What kubelet itself sets on a cordoned node is told as cordoned.
    return bool(taint["key"] == "node.kubernetes.io/unschedulable")


def _is_scheduled(pod: Object | None) -> bool:
    return bool(pod and pod["spec"].get("nodeName"))


def _pod_statements(seen: Observation) -> list[Statement]:
    """Why the pod is not scheduled, what its containers wait for, how they ended."""
    if seen.pod is None:
        return []
    status = seen.pod.get("status", {})
    command = _events(seen, name_of(seen.pod))
    waits = unscheduled(seen.pod)
    said = [f"not scheduled: {waits}"] if waits else []
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        said += _container(container)
    if status.get("reason") or status.get("message"):
        said.append(f"{status.get('reason', '')}: {status.get('message', '')}")
    return [Statement(POD, text, command) for text in said]


def _container(container: Object) -> list[str]:
    state = container.get("state") or {}
    waiting, ended = state.get("waiting"), state.get("terminated")
    if waiting and waiting.get("reason") not in ("PodInitializing", "ContainerCreating", None):
        image = f", image {container['image']}" if container.get("image") else ""
        return [f"container {container['name']}{image}: {waiting['reason']}: {waiting.get('message', '')}"]
    if ended and (ended.get("exitCode") or ended.get("reason") == "OOMKilled"):
        reason = f"{ended.get('reason')} (exit code {ended.get('exitCode')})"
        return [f"container {container['name']} ended: {reason}: {ended.get('message', '')}".rstrip(": ")]
    return []


def _machine_statements(seen: Observation, command: str) -> list[Statement]:
    if not seen.is_machine or seen.subject is None:
        return []
    said = []
    for condition in seen.subject.get("status", {}).get("conditions") or ():
        told = condition.get("message") or ""
        scheduling = condition["type"] == "PodScheduled" and _is_scheduled(seen.pod)
        # That something is not ready yet explains nothing.
        if condition["status"] == "False" and told and not scheduling and condition["type"] in _TELLING:
            said.append(f"{condition['type']}=False ({condition.get('reason', '')}): {told}")
    return [Statement(MACHINE, text, command) for text in said]


_TELLING = ("Synchronized", "PodScheduled")
"""Conditions of a virtual machine whose message is a cause."""


def _event_statements(seen: Observation) -> list[Statement]:
    """Warnings, newest first."""
    names = {seen.name} | ({name_of(seen.pod)} if seen.pod else set())
    warnings = [
        event
        for event in seen.events
        if event.get("type") == "Warning"
        and event.get("involvedObject", {}).get("name") in names
        and not (event.get("reason") == "FailedScheduling" and _is_scheduled(seen.pod))
    ]
    return [
        Statement(
            EVENT,
            f"{event.get('reason')}: {event.get('message', '')}",
            _events(seen, event["involvedObject"]["name"]),
        )
        for event in sorted(warnings, key=event_time, reverse=True)
    ]


def _events(seen: Observation, name: str) -> str:
    """What shows it also when the object is gone again."""
    return f"kubectl get events -n {seen.namespace} --field-selector involvedObject.name={name}"
