# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something does not run, told from the texts that Kubernetes, KubeVirt, QEMU and guests really say."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, WebhookDown
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.diagnosis import (
    Diagnosis,
    Observation,
    diagnose,
    evidence_of,
    no_vf,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.signatures import CAUSES

NAMESPACE, NAME = "qatvirt-test", "qat-test-3f2a91c4-qat1"
LAUNCHER = f"virt-launcher-{NAME}-x7k2p"
NOT_SELECTED = "1 node(s) didn't match Pod's node affinity/selector"
PREEMPTION = "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
SYNC = "server error. command SyncVMI failed: \"LibvirtError(Code=1, Domain=10, Message='internal error: QEMU "
SYNC += (
    "unexpectedly closed the monitor (vm='qatvirt-test_vm'): 2026-11-25T04:00:12.120412Z qemu-system-x86_64: -device "
)
SYNC += '{"driver":"vfio-pci","host":"0000:01:10.1","id":"ua-hostdevice-qat0","bus":"pci.6","addr":"0x0"}: %s\')"'


def node(*taints: dict[str, str], handler: bool = True, cordoned: bool = False) -> dict[str, Any]:
    spec = {"taints": list(taints), **({"unschedulable": True} if cordoned else {})}
    return {"metadata": {"name": "qat1", "labels": {"kubevirt.io/schedulable": str(handler).lower()}}, "spec": spec}


def machine(phase: str = "Scheduling", **condition: str) -> dict[str, Any]:
    """A VirtualMachineInstance. condition: one that is False."""
    conditions = [{"status": "False", **condition}] if condition else []
    return {"metadata": {"name": NAME}, "status": {"phase": phase, "conditions": conditions}}


def launcher(*, waits: str = "", on: str | None = "qat1", **status: Any) -> dict[str, Any]:
    """The pod of a machine. waits: what the scheduler says; it is on no node then."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": waits}
    return {
        "metadata": {"name": LAUNCHER, "namespace": NAMESPACE},
        "spec": {} if waits or on is None else {"nodeName": on},
        "status": {"phase": "Pending", "conditions": [condition] if waits else [], **status},
    }


def waiting(reason: str, message: str) -> dict[str, Any]:
    return {
        "name": "compute",
        "image": "registry/guest:1",
        "state": {"waiting": {"reason": reason, "message": message}},
    }


def warning(reason: str, message: str, name: str = NAME, at: str = "2026-11-25T04:00:10Z") -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}.1", "creationTimestamp": at},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "involvedObject": {"name": name},
        "lastTimestamp": at,
    }


def told(**known: Any) -> Diagnosis:
    """The diagnosis of a machine on a known node. known: fields of Observation."""
    return diagnose(
        evidence_of(
            Observation(
                **{
                    "namespace": NAMESPACE,
                    "name": NAME,
                    "is_machine": True,
                    "resource": "intel.com/qat",
                    "node": node(),
                    "subject": machine(),
                    "waited": 61.0,
                    **known,
                }
            )
        )
    )


def scheduler(reason: str) -> dict[str, Any]:
    """What the scheduler says of a pod that only one of two nodes may have."""
    return {"pod": launcher(waits=f"0/2 nodes are available: 1 {reason}, {NOT_SELECTED}. {PREEMPTION}")}


def pulled(reason: str, message: str) -> dict[str, Any]:
    return {"pod": launcher(initContainerStatuses=[waiting(reason, message)])}


def said(reason: str, message: str) -> dict[str, Any]:
    return {"subject": machine("Scheduled"), "pod": launcher(phase="Running"), "events": [warning(reason, message)]}


def refused(text: str, error: type[ApiError] = ApiError) -> dict[str, Any]:
    return {"error": error(text), "subject": None}


CREATE = "POST /apis/kubevirt.io/v1/namespaces/qatvirt-test/virtualmachineinstances: the API server answered 422: "
GATE = (
    CREATE + 'admission webhook "virtualmachineinstances-create-validator.kubevirt.io" denied the request: '
    "Host Devices feature gate is not enabled in kubevirt-config"
)
CASES: list[tuple[str, bool, dict[str, Any], str]] = [
    ("GATE", True, refused(GATE), "Host Devices feature gate is not enabled in kubevirt-config"),
    (
        "PERM",
        True,
        {
            "subject": machine(
                "Pending",
                type="Synchronized",
                reason="FailedCreate",
                message="failed to render launch manifest: HostDevice intel.com/qat is not permitted in "
                "permittedHostDevices configuration",
            )
        },
        "KubeVirt does not permit intel.com/qat",
    ),
    (
        "EXT",
        True,
        said(
            "SyncFailed",
            'server error. command SyncVMI failed: "failed to create generic host-devices: the number of device '
            "plugin HostDevice/s do not match the number of devices:\\nHostDevice: [{qat0 qat.intel.com/cy <nil>}]\\n"
            'Device: []"',
        ),
        "do not match the number of devices",
    ),
    (
        "EXT",
        True,
        said(
            "SyncFailed",
            'server error. command SyncVMI failed: "the number of generic host-devices do not match the number of '
            'devices:\\nGeneric: []\\nDevice: []"',
        ),
        "PCI_RESOURCE_",
    ),
    ("FULL", False, scheduler("Insufficient intel.com/qat"), "node qat1 has not enough free VFs of intel.com/qat"),
    (
        "FULL",
        True,
        {
            "is_machine": False,
            "subject": {"metadata": {"name": NAME}, "status": {"phase": "Failed"}},
            "resource": "qat.intel.com/cy",
            "pod": launcher(
                phase="Failed",
                reason="UnexpectedAdmissionError",
                message="Pod was rejected: Allocate failed due to requested number of devices unavailable for "
                "qat.intel.com/cy. Requested: 1, Available: 0, which is unexpected",
            ),
        },
        "Requested: 1, Available: 0",
    ),
    ("MEMORY", False, scheduler("Insufficient memory"), "Insufficient memory"),
    (
        "MEMORY",
        True,
        refused(
            CREATE + 'admission webhook "virtualmachineinstances-create-validator.kubevirt.io" denied the request: '
            "spec.domain.resources.requests.memory '2Gi' must be equal to or less than the memory limit "
            "spec.domain.resources.limits.memory '1Gi'"
        ),
        "must be equal to or less than the memory limit",
    ),
    (
        "MEMORY",
        True,
        {
            "events": [
                warning(
                    "FailedCreate",
                    'Error creating pod: pods "virt-launcher-vm-abc" is forbidden: maximum memory usage per Container '
                    "is 512Mi, but limit is 1342177280",
                )
            ]
        },
        "maximum memory usage per Container is 512Mi",
    ),
    (
        "MEMORY",
        True,
        {
            "subject": machine("Failed"),
            "pod": launcher(
                phase="Failed",
                containerStatuses=[
                    {"name": "compute", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
                ],
            ),
        },
        "OOMKilled",
    ),
    (
        "MEMORY",
        True,
        {
            "subject": machine("Running"),
            "console": "[  2.1] Out of memory: Killed process 1 (init) total-vm:4096kB\n",
        },
        "Out of memory: Killed process 1 (init)",
    ),
    ("CPU", False, scheduler("Insufficient cpu"), "node qat1 has not enough free CPU"),
    ("CORDON", True, {"node": node(cordoned=True), **scheduler("node(s) were unschedulable")}, "node qat1 is cordoned"),
    (
        "TAINT",
        True,
        {
            "node": node({"key": "dedicated", "value": "db", "effect": "NoSchedule"}),
            **scheduler("node(s) had untolerated taint(s)"),
        },
        "dedicated=db:NoSchedule",
    ),
    (
        "TAINT",
        False,
        {
            "node": node({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}),
            **scheduler("node(s) had untolerated taint {node.kubernetes.io/not-ready: }"),
        },
        "node.kubernetes.io/not-ready",
    ),
    ("NOKVM", False, scheduler("Insufficient devices.kubevirt.io/kvm"), "node qat1 offers no /dev/kvm"),
    (
        "HANDLER",
        False,
        {
            "node": node(handler=False),
            "pod": launcher(waits=f"0/2 nodes are available: {NOT_SELECTED.replace('1', '2', 1)}. {PREEMPTION}"),
        },
        "node qat1 has no virt-handler that is well",
    ),
    (
        "AFFINITY",
        False,
        {"pod": launcher(waits=f"0/2 nodes are available: {NOT_SELECTED.replace('1', '2', 1)}. {PREEMPTION}")},
        "didn't match Pod's node affinity/selector",
    ),
    (
        "IMAGE",
        True,
        pulled(
            "ImagePullBackOff",
            'Back-off pulling image "registry/guest:1": ErrImagePull: rpc error: code = NotFound desc = failed to pull '
            'and unpack image "registry/guest:1": failed to resolve reference "registry/guest:1": registry/guest:1: '
            "not found",
        ),
        "registry/guest:1: not found",
    ),
    (
        "IMAGE",
        False,
        pulled(
            "ErrImagePull",
            'failed to pull and unpack image "registry/guest:1": failed to resolve reference "registry/guest:1": '
            'failed to do request: Head "https://registry/v2/guest/manifests/1": dial tcp: lookup registry: no such '
            "host",
        ),
        "no such host",
    ),
    (
        "VFIOCDEV",
        True,
        {
            "subject": machine("Scheduling"),
            "pod": launcher(
                containerStatuses=[
                    waiting(
                        "CreateContainerError",
                        "failed to generate container spec: failed to apply OCI options: lstat "
                        "/dev/vfio/devices/vfio7: no such file or directory",
                    )
                ]
            ),
        },
        "lstat /dev/vfio/devices/vfio7",
    ),
    (
        "VFIOBUSY",
        True,
        said("SyncFailed", SYNC % "vfio 0000:01:10.1: failed to open /dev/vfio/13: Device or resource busy"),
        "failed to open /dev/vfio/13: Device or resource busy",
    ),
    (
        "VFIOBUSY",
        True,
        {
            "subject": machine(
                "Scheduled",
                type="Synchronized",
                reason="Synchronizing with the Domain failed.",
                message=SYNC % "vfio 0000:01:10.4: Could not open '/dev/vfio/11': Device or resource busy",
            ),
            "pod": launcher(phase="Running"),
        },
        "Could not open '/dev/vfio/11': Device or resource busy",
    ),
    (
        "GROUP",
        True,
        said("SyncFailed", SYNC % "vfio 0000:01:10.1: group 13 is not viable"),
        "group 13 is not viable",
    ),
    (
        "MEMLOCK",
        True,
        said(
            "SyncFailed",
            "server error. command SyncVMI failed: \"LibvirtError(Code=38, Domain=0, Message='cannot limit locked "
            "memory of process 87 to 5368709120: Operation not permitted')\"",
        ),
        "cannot limit locked memory of process 87",
    ),
    (
        "MEMLOCK",
        True,
        said("SyncFailed", SYNC % "VFIO_MAP_DMA failed: Cannot allocate memory"),
        "VFIO_MAP_DMA failed",
    ),
    (
        "RBAC",
        True,
        refused(
            'virtualmachineinstances.kubevirt.io is forbidden: User "system:serviceaccount:qatvirt:qatvirt" cannot '
            'create resource "virtualmachineinstances" in API group "kubevirt.io" in the namespace "qatvirt-test"'
        ),
        'cannot create resource "virtualmachineinstances"',
    ),
    (
        "QUOTA",
        True,
        {
            "events": [
                warning(
                    "FailedCreate",
                    'Error creating pod: pods "virt-launcher-vm-abc" is forbidden: exceeded quota: small, requested: '
                    "requests.memory=1312Mi, used: requests.memory=0, limited: requests.memory=1Gi",
                )
            ]
        },
        "exceeded quota: small",
    ),
    (
        "WEBHOOK",
        False,
        refused(
            "POST /apis/kubevirt.io/v1/namespaces/qatvirt-test/virtualmachineinstances: the admission webhook "
            "virtualmachineinstances-mutator.kubevirt.io does not answer: Post "
            '"https://virt-api.kubevirt.svc:443/virtualmachineinstances-mutate": no endpoints available for service',
            WebhookDown,
        ),
        "no endpoints available for service",
    ),
    (
        "WEBHOOK",
        False,
        {
            "events": [
                warning(
                    "FailedCreate",
                    'Error creating pod: Internal error occurred: failed calling webhook "mutator.example.com": failed '
                    'to call webhook: Post "https://mutator.example.svc:443/": connection refused',
                )
            ]
        },
        'failed calling webhook "mutator.example.com"',
    ),
    (
        "PSA",
        True,
        {
            "events": [
                warning(
                    "FailedCreate",
                    "failed to render launch manifest: failed to create pod for vmi qatvirt-test/vm, it needs a "
                    'privileged namespace to run: pods "virt-launcher-vm-abc" is forbidden: violates PodSecurity '
                    '"restricted:latest": allowPrivilegeEscalation != false',
                )
            ]
        },
        'violates PodSecurity "restricted:latest"',
    ),
    (
        "NOKUBEVIRT",
        True,
        refused("POST /apis/kubevirt.io/v1/x: not found at https://10.0.0.1:6443: 404 page not found"),
        "does not know virtual machines",
    ),
    ("GONE", True, {"subject": None, "deleted": True}, "was deleted during its test"),
    (
        "GUEST",
        True,
        {
            "subject": machine("Running"),
            "console": "[ 1.0] VFS: Unable to mount root fs\n[ 1.1] Kernel panic - not syncing: VFS: Unable to mount\n",
        },
        "Kernel panic - not syncing: VFS",
    ),
]


@pytest.mark.parametrize(
    ("expected", "final", "known", "words"), CASES, ids=[f"{case[0]}-{case[3][:24]}" for case in CASES]
)
def test_a_text_is_recognized_quoted_and_has_a_remedy(
    expected: str, final: bool, known: dict[str, Any], words: str
) -> None:
    found = told(**known)
    assert (found.id, found.final) == (expected, final), found
    assert words in found.message
    assert found.fix and found.evidence.startswith(("kubectl ", "virtctl "))
    assert "{" not in found.fix and "{" not in found.evidence.replace("{.", "")


def test_every_cause_is_met_by_a_real_text() -> None:
    assert {cause.id for cause in CAUSES} <= {case[0] for case in CASES}


class TestWhatIsPastDoesNotCount:
    def test_what_the_scheduler_said_before_it_found_the_node(self) -> None:
        before = warning("FailedScheduling", "0/2 nodes are available: 1 Insufficient memory.", LAUNCHER)
        assert told(pod=launcher(waits="0/2 nodes are available: 1 Insufficient cpu"), events=[before]).id == "MEMORY"
        assert told(pod=launcher(), events=[before]).id == "SILENT"

    def test_an_error_before_it_ran(self) -> None:
        before = warning("SyncFailed", SYNC % "vfio 0000:01:10.1: failed to open /dev/vfio/13: Device or resource busy")
        assert told(subject=machine("Running"), events=[before]).id == "GUEST"

    def test_the_newest_unknown_warning_is_told_first(self) -> None:
        old = warning("FailedMount", "old trouble", at="2026-11-25T04:00:01Z")
        new = warning("FailedMount", "new trouble", at="2026-11-25T04:00:02Z")
        assert "new trouble" in told(subject=machine("Scheduling"), pod=launcher(), events=[new, old]).message

    def test_events_of_others(self) -> None:
        other = warning("FailedCreate", "exceeded quota: small", "other")
        assert told(events=[other]).id == "SILENT"


class TestNodesThatAreNotMeant:
    """The scheduler counts all nodes of the cluster; only one of them may be the test's."""

    def test_a_taint_of_another_node_is_no_reason(self) -> None:
        waits = (
            "0/3 nodes are available: 1 Insufficient intel.com/qat, 1 node(s) didn't match Pod's node "
            "affinity/selector, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"
        )
        assert told(pod=launcher(waits=waits)).id == "FULL"

    def test_a_taint_of_another_node_is_no_reason_where_no_other_is_known(self) -> None:
        waits = f"0/2 nodes are available: 1 node(s) had untolerated taint {{example.com/own: }}, {NOT_SELECTED}."
        assert told(pod=launcher(waits=waits)).id == "AFFINITY"

    def test_what_a_guest_says_of_itself_is_not_what_the_scheduler_says(self) -> None:
        console = "k3s: 0/1 nodes are available: 1 Insufficient cpu. pod ended: OOMKilled\n"
        assert told(subject=machine("Running"), console=console).id == "GUEST"

    @pytest.mark.parametrize(
        ("toleration", "expected"),
        [
            ({"key": "dedicated", "operator": "Equal", "value": "db", "effect": "NoSchedule"}, "AFFINITY"),
            ({"key": "dedicated", "operator": "Exists"}, "AFFINITY"),
            ({"operator": "Exists"}, "AFFINITY"),
            ({"key": "dedicated", "value": "web"}, "TAINT"),
            ({"key": "dedicated", "value": "db", "effect": "NoExecute"}, "TAINT"),
            ({"key": "other", "operator": "Exists"}, "TAINT"),
        ],
    )
    def test_a_taint_that_is_tolerated_is_no_reason(self, toleration: dict[str, str], expected: str) -> None:
        tainted = node({"key": "dedicated", "value": "db", "effect": "NoSchedule"})
        pod = launcher(waits=f"0/2 nodes are available: {NOT_SELECTED}")
        assert told(node=tainted, pod=pod, tolerations=(toleration,)).id == expected

    def test_the_taint_of_a_cordon_is_no_reason_of_its_own(self) -> None:
        tainted = node({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
        assert told(node=tainted, **scheduler("Insufficient intel.com/qat")).id == "FULL"

    def test_a_taint_with_the_words_of_another_cause_stays_a_taint(self) -> None:
        tainted = node({"key": "team", "value": "exceeded quota", "effect": "NoSchedule"})
        found = told(node=tainted, **scheduler("Insufficient cpu"))
        assert (found.id, found.message) == (
            "TAINT",
            "node qat1 has a taint that is not tolerated: team=exceeded quota:NoSchedule",
        )

    def test_a_taint_that_only_prefers_is_no_reason(self) -> None:
        tainted = node({"key": "dedicated", "effect": "PreferNoSchedule"})
        assert told(node=tainted, **scheduler("Insufficient intel.com/qat")).id == "FULL"

    def test_where_any_node_will_do_the_scheduler_is_believed(self) -> None:
        waits = "0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 nodes are available."
        assert told(node=None, pod=launcher(waits=waits)).id == "CORDON"
        waits = "0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: db}."
        assert told(node=None, pod=launcher(waits=waits)).id == "TAINT"
        found = told(node=None, pod=launcher(waits="0/2 nodes are available: 2 Insufficient intel.com/qat."))
        assert found.id == "FULL"
        assert LAUNCHER in found.evidence

    def test_a_pod_needs_no_virt_handler(self) -> None:
        pod = {"metadata": {"name": NAME}, "spec": {}, "status": {"phase": "Pending"}}
        assert told(is_machine=False, node=node(handler=False), subject=pod, pod=pod).id == "SILENT"


class TestNothingKnown:
    def test_a_guest_that_says_nothing(self) -> None:
        found = told(subject=machine("Running"))
        assert (found.id, found.final) == ("GUEST", False)
        assert "in 61 s its guest said nothing on its serial console" in found.message
        assert "console=ttyS0" in found.fix

    def test_a_guest_that_says_something_else_is_quoted(self) -> None:
        console = "[ 1.0] one\r\n\r\n[ 2.0] two\r\nWelcome to Fedora Linux 42\r\nlocalhost login: "
        found = told(subject=machine("Running"), console=console.replace("\r", ""))
        assert found.id == "GUEST"
        assert "[ 2.0] two | Welcome to Fedora Linux 42 | localhost login:" in found.message

    def test_a_console_that_cannot_be_read(self) -> None:
        found = told(subject=machine("Running"), console_error="the API server answered 503: no backend")
        assert found.id == "GUEST"
        assert "503: no backend" in found.message

    def test_an_unknown_text_is_quoted(self) -> None:
        found = told(subject=machine("Scheduled"), pod=launcher(), events=[warning("SyncFailed", "never seen before")])
        assert (found.id, found.final) == ("OTHER", False)
        assert found.message.endswith(
            "is Scheduled after 61 s; the last that was said about it: SyncFailed: never seen before"
        )
        assert f"involvedObject.name={NAME}" in found.evidence

    def test_silence_says_how_far_it_came_and_where_to_look(self) -> None:
        found = told(subject=machine("Scheduling"), pod=launcher())
        assert found.id == "SILENT"
        assert f"virtual machine {NAMESPACE}/{NAME} is Scheduling after 61 s" in found.message
        assert found.evidence == f"kubectl get events -n {NAMESPACE} --field-selector involvedObject.name={NAME}"

    def test_a_machine_that_nobody_looks_at_points_to_virt_controller(self) -> None:
        found = told(subject={"metadata": {"name": NAME}})
        assert found.id == "SILENT"
        assert "virt-controller" in found.evidence

    def test_what_has_ended_does_not_come_back(self) -> None:
        assert told(subject=machine("Failed")).final
        assert told(subject=machine("Failed"), log="something unheard of").final

    def test_a_log_is_quoted_by_its_end(self) -> None:
        found = told(subject=machine("Failed"), pod=launcher(), log="start\n" * 200 + "panic: the very end")
        assert found.message.endswith("panic: the very end")
        assert f"kubectl logs -n {NAMESPACE} {LAUNCHER} -c compute" in found.evidence

    def test_a_long_text_is_shortened_around_what_decides(self) -> None:
        found = told(error=ApiError("x" * 3000 + " exceeded quota: small " + "y" * 3000), subject=None)
        assert "exceeded quota: small" in found.message
        assert len(found.message) < 600


def test_a_node_without_vfs_says_what_it_has_instead() -> None:
    found = no_vf("qat1", 1, {"intel.com/qat": 0}, {})
    assert found.message == "node qat1 advertises 0 x intel.com/qat, and 1 of one are asked for; it has no usable VF"
    found = no_vf("qat1", 1, {}, {"8086:4941": 16})
    assert found.message.startswith("node qat1 advertises no QAT resource")
    assert found.evidence == "kubectl get node qat1 -o jsonpath={.status.allocatable}"
