# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a virtual machine or a pod with QAT VFs does not run.

Pure. :func:`evidence_of` makes statements of the objects, logs and console texts that are known of it;
:func:`diagnose` looks the statements up among the known causes (:mod:`.signatures`), and quotes what none of them fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..cluster.objects import Object, Objects, event_time, labels_of, name_of
from ..cluster.pods import ENDED_PHASES, unscheduled
from ..errors import ApiError, WebhookDown
from .signatures import (
    ALLOCATABLE,
    API,
    CAUSES,
    CONSOLE,
    CORDONED,
    DELETED,
    EVENT,
    LOG,
    MACHINE,
    NO_HANDLER,
    NODE,
    NOT_FIT,
    POD,
    SILENT_WEBHOOK,
    TAINTED,
    OwnCause,
    Signature,
)

SCHEDULABLE_LABEL = "kubevirt.io/schedulable"
"""true on nodes with a virt-handler that is alive."""
_KUBERNETES_TAINTS = "node.kubernetes.io/"
"""What the keys of the taints start with that Kubernetes itself sets on a node that is not fit for work."""
_CORDON_TAINT = "node.kubernetes.io/unschedulable"
"""The taint that Kubernetes sets on a cordoned node."""

_QUOTE = 400
"""Characters of a text that are quoted at most."""
_LAST_LINES = 3
"""Lines of a console that are quoted."""
_RUNNING = "Running"


@dataclass(frozen=True)
class Diagnosis:
    """Why something does not run.

    ``id``: of the cause. ``message``: the cause, with the words that show it. ``fix``: what to do. ``evidence``: the
    command that shows it. ``final``: whether waiting longer is of no use.
    """

    id: str
    message: str
    fix: str
    evidence: str
    final: bool = False

    def as_data(self) -> dict[str, str]:
        """The value of ``diagnosis`` in a test's result."""
        return {"id": self.id, "message": self.message, "fix": self.fix, "evidence": self.evidence}


@dataclass(frozen=True)
class Statement:
    """Something that is known of what does not run.

    ``source``: who says it. ``text``: in the words of another program; of a cause that this collection has seen itself
    the details, which may be empty. ``command``: the command that shows it. ``cause``: the cause, where this collection
    has seen it itself; the text is then not looked up.
    """

    source: str
    text: str
    command: str
    cause: OwnCause | Signature | None = None


@dataclass(frozen=True)
class Evidence:
    """What is known of a virtual machine or a pod that does not run.

    ``what``: "virtual machine namespace/name" or the like. ``command``: the command that shows it. ``resource``: what
    it asks for. ``node``: the node it has to run on, None where that is left to the scheduler. ``phase``: None where
    there is no such object. ``waited``: seconds since its start. ``statements``: the most decisive first. ``console``:
    the text of the serial console, ``console_error``: why it cannot be read.
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
    """The diagnosis of a node that does not advertise as many VFs as are asked for.

    ``advertised``: number of VFs by resource. ``vfs``: number of usable VFs that the node has, by selector.
    """
    offer = " and ".join(f"{count} x {name}" for name, count in advertised.items())
    usable = ", ".join(f"{count} x {selector}" for selector, count in vfs.items())
    return Diagnosis(
        "NOVF",
        f"node {node} advertises {offer or 'no QAT resource'}, and {asked} of one are asked for; "
        f"it has {usable or 'no usable VF'}",
        "run site.yml, which makes VFs and waits until the cluster counts them, or ask for fewer (qat_test_vm_count)",
        ALLOCATABLE.format(node=node),
        final=True,
    )


def diagnose(evidence: Evidence) -> Diagnosis:
    """The first known cause that a statement tells; without one, what was said last, or how far it came."""
    for cause in CAUSES:
        for statement in evidence.statements:
            found = _fitting(cause, statement, evidence)
            if found:
                return found
    if evidence.phase == _RUNNING:
        return _mute(evidence)
    return _unknown(evidence)


def _fitting(cause: OwnCause | Signature, statement: Statement, evidence: Evidence) -> Diagnosis | None:
    """The diagnosis of a cause, where the statement tells that cause."""
    if statement.cause:
        return _known(cause, statement, evidence, statement.text, {}) if statement.cause is cause else None
    if isinstance(cause, OwnCause) or (cause.sources and statement.source not in cause.sources):
        return None
    if cause.unpinned and evidence.node is not None:
        return None
    match = re.search(cause.regex, statement.text)
    return _known(cause, statement, evidence, _quote(statement.text, match), match.groupdict()) if match else None


def _known(
    cause: OwnCause | Signature, statement: Statement, evidence: Evidence, quote: str, groups: dict[str, str]
) -> Diagnosis:
    """The diagnosis of a known cause. ``quote``: the words that show it; ``groups``: of the signature's regex."""
    words = {
        **groups,
        "what": evidence.what,
        "node": evidence.node or "(any)",
        "resource": evidence.resource or "its resource",
        "namespace": evidence.namespace,
    }
    command = cause.command if evidence.node or "{node}" not in cause.command else ""
    return Diagnosis(
        cause.id,
        f"{cause.cause.format(**words)}{f': {quote}' if quote else ''}",
        cause.fix.format(**words),
        command.format(**words) if command else statement.command,
        cause.final or evidence.phase in ENDED_PHASES,
    )


def _quote(text: str, match: re.Match[str]) -> str:
    """The line with the decisive words, shortened around them."""
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    line = text[start : end if end >= 0 else len(text)]
    if len(line) > _QUOTE:
        middle = (match.start() + match.end()) // 2 - start
        begin = max(0, min(middle - _QUOTE // 2, len(line) - _QUOTE))
        line = f"...{line[begin : begin + _QUOTE]}..."
    return " ".join(line.split())


def _mute(evidence: Evidence) -> Diagnosis:
    """The diagnosis of a virtual machine that runs and whose guest has not reported."""
    lines = [line.strip() for line in evidence.console.splitlines() if line.strip()]
    if lines:
        last = " | ".join(lines[-_LAST_LINES:])[-_QUOTE:]
        message = f"but its guest reported nothing in {evidence.waited:.0f} s. The end of its console: {last}"
        fix = "check that the guest boots to its end and runs cloud-init; for more time: qat_test_vm_wait_timeout"
    elif evidence.console_error:
        message = f"but its console cannot be read: {evidence.console_error}"
        fix = "check that virt-api and virt-handler are well, and that the account has the rights (playbooks/rbac.yml)"
    else:
        message = f"but in {evidence.waited:.0f} s its guest said nothing on its serial console"
        fix = "take an image whose kernel has console=ttyS0, and that does not stop at a boot loader's menu"
    return Diagnosis("GUEST", f"{evidence.what} runs, {message}", fix, evidence.command)


def _unknown(evidence: Evidence) -> Diagnosis:
    """The diagnosis where no cause is known: what was said last, else how far it came."""
    state = f"{evidence.what} is {evidence.phase or 'missing'} after {evidence.waited:.0f} s"
    final = evidence.phase in ENDED_PHASES
    first = next((statement for statement in evidence.statements if statement.text.strip()), None)
    if first:
        text = first.text.strip()
        shown = text if len(text) <= _QUOTE else f"...{text[-_QUOTE:]}"
        message = f"{state}; the last that was said about it: {' '.join(shown.split())}"
        return Diagnosis("OTHER", message, f"see {first.command}", first.command, final)
    if evidence.is_machine and evidence.phase in (None, "", "Pending"):
        message = f"{state}, and KubeVirt has made no pod for it and said nothing"
        fix = "check that virt-controller runs, and see its log"
        return Diagnosis("SILENT", message, fix, "kubectl get pods -A -l kubevirt.io=virt-controller", final)
    message = f"{state}, and no program said why"
    return Diagnosis("SILENT", message, f"see {evidence.command}", evidence.command, final)


# ---------------------------------------------------------------- from objects to evidence


@dataclass(frozen=True)
class Observation:
    """All that was read of a virtual machine or a pod at one moment.

    ``resource``: what it asks for. ``node``: the Node object of the node it has to run on, None where any node will do.
    ``tolerations``: its own. ``subject``: the VirtualMachineInstance or the Pod itself, ``pod``: the Pod it runs in (of
    a pod the same); None where there is none. ``deleted``: whether the subject was there before and is gone.
    ``events``: all of the namespace. ``error``: why the API refused to create it, None where it did not. ``log``: the
    log of its pod. ``console``: the text of the serial console, ``console_error``: why it cannot be read. ``waited``:
    seconds since its start.
    """

    namespace: str
    name: str
    is_machine: bool
    resource: str | None = None
    node: Object | None = None
    tolerations: tuple[dict[str, Any], ...] = ()
    subject: Object | None = None
    pod: Object | None = None
    deleted: bool = False
    events: Objects = field(default_factory=list)
    error: ApiError | None = None
    log: str = ""
    console: str = ""
    console_error: str = ""
    waited: float = 0.0


def evidence_of(seen: Observation) -> Evidence:
    """What an observation says, the most decisive first.

    What is past does not count: once a pod is scheduled, what the scheduler said before explains nothing.
    """
    command = _events_command(seen, seen.name)
    phase = (seen.subject or {}).get("status", {}).get("phase") or ("Pending" if seen.subject else None)
    return Evidence(
        what=f"{'virtual machine' if seen.is_machine else 'pod'} {seen.namespace}/{seen.name}",
        namespace=seen.namespace,
        command=command,
        is_machine=seen.is_machine,
        resource=seen.resource,
        node=name_of(seen.node) if seen.node else None,
        phase=phase,
        waited=seen.waited,
        statements=tuple(_statements(seen, command, phase)),
        console=seen.console,
        console_error=seen.console_error,
    )


def _statements(seen: Observation, command: str, phase: str | None) -> list[Statement]:
    statements = []
    if seen.error:
        cause = SILENT_WEBHOOK if isinstance(seen.error, WebhookDown) else None
        statements.append(Statement(API, str(seen.error), command, cause))
    if seen.deleted:
        statements.append(Statement(API, "", command, DELETED))
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
    return statements


def _node_statements(seen: Observation) -> list[Statement]:
    """What keeps it off its node, by the Node object."""
    if seen.node is None:
        return []
    causes: list[tuple[OwnCause, str]] = []
    if not _is_scheduled(seen.pod):
        spec = seen.node.get("spec", {})
        if spec.get("unschedulable"):
            causes.append((CORDONED, ""))
        causes += [
            (NOT_FIT if taint["key"].startswith(_KUBERNETES_TAINTS) else TAINTED, _taint_text(taint))
            for taint in spec.get("taints") or ()
            if _keeps_off(taint, seen.tolerations)
        ]
    if seen.is_machine and labels_of(seen.node).get(SCHEDULABLE_LABEL) != "true":
        causes.append((NO_HANDLER, f"its label {SCHEDULABLE_LABEL} is not true"))
    command = f"kubectl describe node {name_of(seen.node)}"
    return [Statement(NODE, text, command, cause) for cause, text in causes]


def _taint_text(taint: Object) -> str:
    """A taint as kubectl prints it."""
    return f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"


def _keeps_off(taint: Object, tolerations: tuple[dict[str, Any], ...]) -> bool:
    """Whether a taint keeps a pod off, as the scheduler decides it (Kubernetes API reference, Toleration)."""
    # The taint of a cordoned node is told as the cordon.
    if taint["effect"] == "PreferNoSchedule" or taint["key"] == _CORDON_TAINT:
        return False
    return not any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: dict[str, Any], taint: Object) -> bool:
    any_key = not toleration.get("key") and toleration.get("operator") == "Exists"
    key = any_key or toleration.get("key") == taint["key"]
    value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
    return key and value and toleration.get("effect") in (None, "", taint["effect"])


def _is_scheduled(pod: Object | None) -> bool:
    return bool(pod and pod["spec"].get("nodeName"))


def _pod_statements(seen: Observation) -> list[Statement]:
    """Why the pod is not scheduled, what its containers wait for, how they ended."""
    if seen.pod is None:
        return []
    status = seen.pod.get("status", {})
    reason = unscheduled(seen.pod)
    texts = [f"not scheduled: {reason}"] if reason else []
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        texts += _container(container)
    if status.get("reason") or status.get("message"):
        texts.append(f"{status.get('reason', '')}: {status.get('message', '')}")
    command = _events_command(seen, name_of(seen.pod))
    return [Statement(POD, text, command) for text in texts]


def _container(container: Object) -> list[str]:
    """What a container waits for or how it failed, by its status; nothing where it is well."""
    state = container.get("state") or {}
    waiting, ended = state.get("waiting"), state.get("terminated")
    if waiting and waiting.get("reason") not in ("PodInitializing", "ContainerCreating", None):
        image = f", image {container['image']}" if container.get("image") else ""
        return [f"container {container['name']}{image}: {waiting['reason']}: {waiting.get('message', '')}"]
    if ended and (ended.get("exitCode") or ended.get("reason") == "OOMKilled"):
        reason = f"{ended.get('reason')} (exit code {ended.get('exitCode')})"
        return [f"container {container['name']} ended: {reason}: {ended.get('message', '')}".rstrip(": ")]
    return []


_TELLING = ("Synchronized", "PodScheduled")
"""Conditions of a virtual machine whose message is a cause; that it is not ready yet explains nothing."""


def _machine_statements(seen: Observation, command: str) -> list[Statement]:
    """Messages of the conditions of a virtual machine that are false."""
    if not seen.is_machine or seen.subject is None:
        return []
    texts = []
    for condition in seen.subject.get("status", {}).get("conditions") or ():
        message = condition.get("message") or ""
        past = condition["type"] == "PodScheduled" and _is_scheduled(seen.pod)
        if condition["status"] == "False" and message and not past and condition["type"] in _TELLING:
            texts.append(f"{condition['type']}=False ({condition.get('reason', '')}): {message}")
    return [Statement(MACHINE, text, command) for text in texts]


def _event_statements(seen: Observation) -> list[Statement]:
    """Warnings about it and its pod, the newest first."""
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
            _events_command(seen, event["involvedObject"]["name"]),
        )
        for event in sorted(warnings, key=event_time, reverse=True)
    ]


def _events_command(seen: Observation, name: str) -> str:
    """The command that shows the events about an object, also when the object is gone."""
    return f"kubectl get events -n {seen.namespace} --field-selector involvedObject.name={name}"
