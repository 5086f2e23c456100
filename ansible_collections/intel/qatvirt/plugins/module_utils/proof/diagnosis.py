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

from ..cluster.objects import Object, Objects, labels_of, name_of
from ..cluster.pods import unscheduled

SCHEDULABLE_LABEL = "kubevirt.io/schedulable"
"""true on nodes with a virt-handler that is alive."""

API, NODE, POD, MACHINE, EVENT, LOG, CONSOLE = "api", "node", "pod", "machine", "event", "log", "console"
"""Where a statement comes from."""

_QUOTE = 400
_LAST_LINES = 3
_RUNNING = "Running"
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Diagnosis:
    """Why it does not run. ``evidence``: where to look. ``final``: waiting longer cannot help."""

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
    look: str


@dataclass(frozen=True)
class Evidence:
    """What is known of a virtual machine or a pod that does not run.

    ``what``: "virtual machine namespace/name" or the like. ``phase``: None where there is no such object.
    ``node``: where it has to run, None where that is left to the scheduler. ``waited``: seconds.
    ``statements``: the most decisive first. ``look``: the command that shows it.
    """

    what: str
    namespace: str
    look: str
    is_machine: bool
    resource: str | None = None
    node: str | None = None
    phase: str | None = None
    waited: float = 0.0
    statements: tuple[Statement, ...] = ()
    console: str = ""
    console_error: str = ""


@dataclass(frozen=True)
class Signature:
    """A text and what it means.

    ``cause``, ``fix`` and ``look`` may name {what}, {namespace}, {node}, {resource} and groups of ``regex``.
    ``sources``: who has to say it, empty for anybody. ``unpinned``: only where the node is left to the scheduler; its
    texts are about all nodes, and those of a known node are looked up on its Node object. ``look``: a better command
    than that of the statement.
    """

    id: str
    regex: str
    cause: str
    fix: str
    final: bool = True
    sources: tuple[str, ...] = ()
    unpinned: bool = False
    look: str = ""


_KUBEVIRT = "kubectl get kubevirts -A -o yaml"
_NODE = "kubectl describe node {node}"
_SCHEDULER = (POD, MACHINE, EVENT)
_ALLOCATABLE = "kubectl get node {node} -o jsonpath={{.status.allocatable}}"

SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "GATE",
        r"Host ?Devices feature gate is not enabled",
        "KubeVirt's feature gate HostDevices is closed",
        "run site.yml (module kubevirt_host_devices), or add HostDevices to featureGates in developerConfiguration",
        look=_KUBEVIRT,
    ),
    Signature(
        "PERM",
        r"(?:HostDevice|GPU) (?P<device>\S+) is not permitted in permittedHostDevices",
        "KubeVirt does not permit {device} as a host device",
        "run site.yml (module kubevirt_host_devices), or add the VFs' vendor and device under that name to "
        "permittedHostDevices, in HyperConverged where that owns KubeVirt",
        look=_KUBEVIRT,
    ),
    Signature(
        "EXT",
        r"do not match the number of devices",
        "virt-launcher was not told which VF it has: {resource} is advertised by a device plugin that sets no "
        "PCI_RESOURCE_ variable, as Intel's does not",
        "let KubeVirt's own plugin advertise the VFs: a resource name other than qat.intel.com/*, and "
        "permittedHostDevices without externalResourceProvider",
        look=_KUBEVIRT,
    ),
    Signature(
        "QUOTA",
        r"exceeded quota",
        "a ResourceQuota of the namespace does not allow it",
        "raise the quota, or take another namespace (the test: qat_test_vm_namespace)",
        look="kubectl get resourcequotas -A",
    ),
    Signature(
        "PSA",
        r"violates PodSecurity",
        "the namespace's Pod Security level does not allow it",
        "label the namespace pod-security.kubernetes.io/enforce=privileged; the play rbac.yml does that",
        look="kubectl get namespaces -L pod-security.kubernetes.io/enforce",
    ),
    Signature(
        "WEBHOOK",
        r"failed calling webhook|admission webhook \S+ does not answer",
        "an admission webhook does not answer",
        "see whether the pods behind its service run",
        final=False,
        look="kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
    ),
    Signature(
        "MEMORY",
        r"memory '[^']*'.* must be equal to or less than the memory limit|is greater than .*memory limit"
        r"|m(?:ax|in)imum memory usage per|must be less than or equal to memory limit",
        "its memory is outside of what the namespace or its own limit allows",
        "give it memory that fits (the test: qat_test_vm_memory), or change the namespace's LimitRange",
        sources=(API, MACHINE, EVENT),
        look="kubectl get limitranges -A -o yaml",
    ),
    Signature(
        "RBAC",
        r"User \"[^\"]*\" cannot|[Ff]orbidden: User|cannot \w+ resource \"",
        "the rights for it are missing",
        "have a cluster administrator run playbooks/rbac.yml, and use the kubeconfig it writes",
        look="kubectl auth can-i --list -n {namespace}",
    ),
    Signature(
        "NOKUBEVIRT",
        r"could not find the requested resource|404 page not found|no matches for kind",
        "the API does not know virtual machines",
        "install KubeVirt, for example with the role kubevirt",
        sources=(API,),
        look="kubectl api-resources --api-group=kubevirt.io",
    ),
    Signature(
        "GONE",
        r"was deleted by somebody else",
        "{what} was deleted while it was tried",
        "run the test again, and see who deletes objects in its namespace",
    ),
    Signature(
        "CORDON",
        r"is cordoned",
        "node {node} is cordoned",
        "kubectl uncordon {node}, where it is to have workloads again",
        sources=(NODE,),
    ),
    Signature(
        "TAINT",
        r"has the taint node\.kubernetes\.io/",
        "node {node} is not fit for work now, says a taint of Kubernetes",
        "see the node's conditions: kubelet, network, disk and memory pressure",
        final=False,
        sources=(NODE,),
    ),
    Signature(
        "TAINT",
        r"has the taint",
        "node {node} has a taint that is not tolerated",
        "tolerate it (the test: qat_test_vm_tolerations), or remove it from the node",
        sources=(NODE,),
    ),
    Signature(
        "NOKVM",
        r"Insufficient devices\.kubevirt\.io/(?P<device>[\w-]+)",
        "node {node} offers no /dev/{device} to virtual machines",
        "switch virtualization on in its BIOS and load kvm_intel; then restart its virt-handler",
        final=False,
        sources=_SCHEDULER,
        look=_ALLOCATABLE,
    ),
    Signature(
        "MEMORY",
        r"Insufficient (?:memory|hugepages)",
        "node {node} has not enough free memory for it",
        "free memory there, or give it less (the test: qat_test_vm_memory); a machine with VFs takes about "
        "1 GiB more than its guest",
        final=False,
        sources=_SCHEDULER,
        look=_NODE,
    ),
    Signature(
        "CPU",
        r"Insufficient cpu",
        "node {node} has not enough free CPU for it",
        "free CPU there",
        final=False,
        sources=_SCHEDULER,
        look=_NODE,
    ),
    Signature(
        "FULL",
        r"Insufficient [\w.-]+/[\w.-]+|devices unavailable for [\w.-]+/[\w.-]+",
        "node {node} has not enough free VFs of {resource}",
        "stop something that has one; the report's node table shows who has each VF",
        final=False,
        look=_NODE,
    ),
    Signature(
        "CORDON",
        r"node\(s\) were unschedulable",
        "nodes that could take it are cordoned",
        "kubectl uncordon the node that is to have it",
        sources=_SCHEDULER,
        unpinned=True,
        look="kubectl get nodes",
    ),
    Signature(
        "TAINT",
        r"had untolerated taint",
        "nodes that could take it have taints that it does not tolerate",
        "give it a toleration, or remove the taint",
        sources=_SCHEDULER,
        unpinned=True,
        look="kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints",
    ),
    Signature(
        "HANDLER",
        r"has not kubevirt\.io/schedulable=true",
        "node {node} has no virt-handler that is well, so no virtual machine can run there",
        "see that pod: image, taints, log, and the placement of KubeVirt's workloads (the node's qatvirt_workload "
        "must be vm)",
        final=False,
        sources=(NODE,),
        look="kubectl get pods -A -o wide -l kubevirt.io=virt-handler",
    ),
    Signature(
        "AFFINITY",
        r"didn't match (?:Pod's )?node (?:affinity|selector)",
        "no node has what it selects: labels of node {node} do not fit its node selector or affinity",
        "compare the pod's nodeSelector and affinity with the node's labels",
        final=False,
        sources=_SCHEDULER,
        look="kubectl get node {node} --show-labels",
    ),
    Signature(
        "IMAGE",
        r"InvalidImageName|ErrImageNeverPull|(?:ErrImagePull|ImagePullBackOff|Failed to pull image).*"
        r"(?:not found|manifest unknown|unauthorized|denied|forbidden)",
        "an image cannot be pulled, and will not be later",
        "correct the image (of the test: qat_test_vm_container_disk, qat_test_vm_kernel_boot, qat_test_vm_pod_image), "
        "or give the node the right to pull it",
    ),
    Signature(
        "IMAGE",
        r"ErrImagePull|ImagePullBackOff|Failed to pull image|RegistryUnavailable",
        "an image cannot be pulled",
        "see that the node reaches the registry, or name an image of a mirror (of the test: "
        "qat_test_vm_container_disk, qat_test_vm_kernel_boot, qat_test_vm_pod_image)",
        final=False,
    ),
    Signature(
        "VFIOCDEV",
        r"/dev/vfio/devices/vfio\d+\"?: no such file|lstat /dev/vfio/devices",
        "KubeVirt 1.9 hands out a VFIO character device that this node's kernel does not make",
        "take KubeVirt 1.8, or a kernel with CONFIG_VFIO_DEVICE_CDEV",
        look="kubectl get node {node} -o wide",
    ),
    Signature(
        "VFIOBUSY",
        r"vfio.*Device or resource busy|/dev/vfio/\d+.*(?:EBUSY|busy)",
        "somebody else has the VF open already",
        "stop what has it open (the report's node table names it), and let only one owner advertise the node's VFs",
        look=_ALLOCATABLE,
    ),
    Signature(
        "GROUP",
        r"group \d+ is not viable",
        "the VF shares its IOMMU group with a device that has another driver",
        "see the IOMMU groups on the node: it needs ACS, or the other device has to be on vfio-pci, too",
        look=_NODE,
    ),
    Signature(
        "MEMLOCK",
        r"cannot limit locked memory|VFIO_MAP_DMA|vfio.*Cannot allocate memory",
        "the guest's memory cannot be locked, which VFIO needs",
        "request as much memory as the guest has; KubeVirt 1.8.1 and 1.8.2 limit it too low with several VFs, so take "
        "1.8.3",
        look=_KUBEVIRT,
    ),
    Signature(
        "MEMORY",
        r"OOMKilled",
        "the node's kernel killed it because it used more memory than it may",
        "give it more memory (the test: qat_test_vm_memory)",
        sources=(POD,),
    ),
    Signature(
        "MEMORY",
        r"Out of memory: Killed|System is deadlocked on memory|Initramfs unpacking failed: write error",
        "the guest has too little memory",
        "give it more memory (the test: qat_test_vm_memory)",
        sources=(CONSOLE,),
    ),
    Signature(
        "GUEST",
        r"Kernel panic - not syncing",
        "the guest's kernel panicked",
        "take another image, or other kernel arguments",
        sources=(CONSOLE,),
    ),
)
"""The first that fits counts: what stands earlier causes what stands later, or is the more certain."""

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
        _ALLOCATABLE.format(node=node),
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
    final = signature.final or evidence.phase in _ENDED
    look = signature.look if evidence.node or "{node}" not in signature.look else ""
    return Diagnosis(
        signature.id,
        f"{signature.cause.format(**words)}: {_quote(statement.text, found)}",
        signature.fix.format(**words),
        look.format(**words) if look else statement.look,
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
    return Diagnosis("GUEST", f"{evidence.what} runs, {message}", fix, evidence.look)


def _unknown(evidence: Evidence) -> Diagnosis:
    """Nothing known: what was said last, else how far it came."""
    state = f"{evidence.what} is {evidence.phase or 'not there'} after {evidence.waited:.0f} s"
    final = evidence.phase in _ENDED
    said = [statement for statement in evidence.statements if statement.source != NODE and statement.text.strip()]
    if said:
        first = said[0]
        text = first.text.strip()
        shown = text if len(text) <= _QUOTE else f"...{text[-_QUOTE:]}"
        message = f"{state}; the last that was said about it: {' '.join(shown.split())}"
        return Diagnosis("OTHER", message, f"see {first.look}", first.look, final)
    if evidence.is_machine and evidence.phase in (None, "", "Pending"):
        message = f"{state}, and KubeVirt has made no pod for it and said nothing"
        fix = "see whether virt-controller runs, and its log"
        return Diagnosis("SILENT", message, fix, "kubectl get pods -A -l kubevirt.io=virt-controller", final)
    return Diagnosis("SILENT", f"{state}, and nobody said why", f"see {evidence.look}", evidence.look, final)


# ---------------------------------------------------------------- the evidence of objects


@dataclass(frozen=True)
class Case:
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


def collect(case: Case) -> Evidence:
    """What the objects say, the most decisive first. What is past does not count: a pod that is scheduled is, whatever
    the scheduler said before."""
    word = "virtual machine" if case.is_machine else "pod"
    look = _events(case, case.name)
    phase = (case.subject or {}).get("status", {}).get("phase") or ("Pending" if case.subject else None)
    what = f"{word} {case.namespace}/{case.name}"
    statements = [Statement(API, case.error, look)] if case.error else []
    if case.deleted:
        statements.append(Statement(API, f"{what} was deleted by somebody else", look))
    if phase != _RUNNING:
        statements += _node_statements(case)
        statements += _pod_statements(case)
        statements += _machine_statements(case, look)
        statements += _event_statements(case)
    if case.log:
        pod = name_of(case.pod) if case.pod else case.name
        container = "compute" if case.is_machine else "main"
        statements.append(Statement(LOG, case.log, f"kubectl logs -n {case.namespace} {pod} -c {container}"))
    if case.console:
        statements.append(Statement(CONSOLE, case.console, f"virtctl console -n {case.namespace} {case.name}"))
    return Evidence(
        what=what,
        namespace=case.namespace,
        look=look,
        is_machine=case.is_machine,
        resource=case.resource,
        node=name_of(case.item) if case.item else None,
        phase=phase,
        waited=case.waited,
        statements=tuple(statements),
        console=case.console,
        console_error=case.console_error,
    )


def _node_statements(case: Case) -> list[Statement]:
    """What of its node keeps it away."""
    if case.item is None:
        return []
    name = name_of(case.item)
    look = f"kubectl describe node {name}"
    spec = case.item.get("spec", {})
    said = []
    if not _is_scheduled(case.pod):
        if spec.get("unschedulable"):
            said.append("is cordoned")
        for taint in spec.get("taints") or ():
            if taint["effect"] != "PreferNoSchedule" and not _tolerated(taint, case.tolerations):
                said.append(f"has the taint {taint['key']}={taint.get('value', '')}:{taint['effect']}")
    if case.is_machine and labels_of(case.item).get(SCHEDULABLE_LABEL) != "true":
        said.append(f"has not {SCHEDULABLE_LABEL}=true")
    return [Statement(NODE, f"node {name} {text}", look) for text in said]


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


def _pod_statements(case: Case) -> list[Statement]:
    """Why the pod is not scheduled, what its containers wait for, how they ended."""
    if case.pod is None:
        return []
    status = case.pod.get("status", {})
    look = _events(case, name_of(case.pod))
    waits = unscheduled(case.pod)
    said = [f"not scheduled: {waits}"] if waits else []
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        said += _container(container)
    if status.get("reason") or status.get("message"):
        said.append(f"{status.get('reason', '')}: {status.get('message', '')}")
    return [Statement(POD, text, look) for text in said]


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


def _machine_statements(case: Case, look: str) -> list[Statement]:
    if not case.is_machine or case.subject is None:
        return []
    said = []
    for condition in case.subject.get("status", {}).get("conditions") or ():
        told = condition.get("message") or ""
        scheduling = condition["type"] == "PodScheduled" and _is_scheduled(case.pod)
        # That something is not ready yet explains nothing.
        if condition["status"] == "False" and told and not scheduling and condition["type"] in _TELLING:
            said.append(f"{condition['type']}=False ({condition.get('reason', '')}): {told}")
    return [Statement(MACHINE, text, look) for text in said]


_TELLING = ("Synchronized", "PodScheduled")
"""Conditions of a virtual machine whose message is a cause."""


def _event_statements(case: Case) -> list[Statement]:
    """Warnings, newest first."""
    names = {case.name} | ({name_of(case.pod)} if case.pod else set())
    warnings = [
        event
        for event in case.events
        if event.get("type") == "Warning"
        and event.get("involvedObject", {}).get("name") in names
        and not (event.get("reason") == "FailedScheduling" and _is_scheduled(case.pod))
    ]
    return [
        Statement(
            EVENT,
            f"{event.get('reason')}: {event.get('message', '')}",
            _events(case, event["involvedObject"]["name"]),
        )
        for event in sorted(warnings, key=_when, reverse=True)
    ]


def _events(case: Case, name: str) -> str:
    """What shows it also when the object is gone again."""
    return f"kubectl get events -n {case.namespace} --field-selector involvedObject.name={name}"


def _when(event: Object) -> str:
    found = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return str(found or "")
