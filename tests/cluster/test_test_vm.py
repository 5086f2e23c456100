# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module qat_test_vm on a real API server, with a real scheduler and no nodes.

What virt-controller, virt-handler and virt-api would say is said by the tests; no virtual machine ever runs here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import LabError
from lab.cluster.control_plane import ControlPlane
from tests.cluster.modules import ROOT, Cluster
from tests.cluster.virt_api import VirtApi, virt_api
from tests.plays import play

NODE = "worker1"
NAMESPACE = "qatvirt-test"
LABEL = "qatvirt.intel.com/test-run"
MACHINE = {"name": NODE, "vf_counts": {"8086:4941": 16}, "families": {"8086:4941": "4xxx"}}
CONTAINERS = {**MACHINE, "workload": "container"}
ACCOUNT = "system:serviceaccount:qatvirt:qatvirt"
VMI = "virtualmachineinstances"
KINDS = f"{VMI},pods,secrets,leases"

WRAPPER = """
import json, os, signal, sys
from ansible.module_utils import basic
given = json.load(sys.stdin)
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": given["parameters"]}).encode()
basic._ANSIBLE_PROFILE = "legacy"
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster import api
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm import runner
from ansible_collections.intel.qatvirt.plugins.modules import qat_test_vm
runner.POLL = 0.5
runner.CLEANING = given["cleaning"]
writes, send = 0, api.Api._send

def counted(self, method, *more):
    global writes
    answer = send(self, method, *more)
    writes += method != "GET"
    if writes == given["killed_after"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

api.Api._send = counted
qat_test_vm.main()
"""
"""Runs the module in a process of its own; killed_after: kills it as soon as so many writes are done."""


class Running:
    """The module, at it."""

    def __init__(self, kubeconfig: Path, killed_after: int = -1, cleaning: float = 60, **parameters: Any) -> None:
        boot = {"image": "none", "kernel_path": "/vmlinuz", "initrd_path": "/initrd"}
        given = {
            "kubeconfig": str(kubeconfig),
            "nodes": [MACHINE],
            "wait_timeout": 30,
            "kernel_boot": boot,
            **parameters,
        }
        given = {key: value for key, value in given.items() if value is not None}
        path = os.pathsep.join((str(ROOT), str(ROOT / ".collections")))
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRAPPER],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"parameters": given, "killed_after": killed_after, "cleaning": cleaning}))
        self.process.stdin.close()
        self.process.stdin = None

    def result(self) -> dict[str, Any]:
        """What it returns."""
        out, err = self.process.communicate(timeout=180)
        assert "Traceback" not in out + err, out + err
        found: dict[str, Any] = json.loads(out)
        return found

    def killed(self) -> None:
        """Wait until it has killed itself."""
        _out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == -signal.SIGKILL, err


Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def machines(server: ControlPlane) -> Iterator[None]:
    """With the kind of virtual machines, which KubeVirt's operator would define."""
    kinds = yaml.safe_load_all(Path(__file__).with_name("kubevirt_definitions.yml").read_text())
    definition = next(kind for kind in kinds if kind["spec"]["names"]["kind"] == "VirtualMachineInstance")
    Cluster(server).define(definition)
    yield
    server.kubectl("delete", "namespace", NAMESPACE)
    Cluster(server).forget(definition)


@pytest.fixture(autouse=True)
def place(server: ControlPlane) -> Iterator[None]:
    """The namespace, and a node that is ready and advertises VFs."""
    label = {"pod-security.kubernetes.io/enforce": "privileged"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": label}}
    labels = {"kubernetes.io/hostname": NODE, "kubevirt.io/schedulable": "true"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": labels}}
    server.kubectl("apply", "-f", "-", text=yaml.safe_dump_all([namespace, node]))
    advertise(server)
    yield
    server.kubectl("delete", f"{KINDS},events", "--all", "-n", NAMESPACE, "--force", "--grace-period=0")
    server.kubectl("delete", "node", NODE)


def advertise(server: ControlPlane, **more: str) -> None:
    """Say what kubelet would: ready, and what it has allocatable."""
    offered = {"cpu": "4", "memory": "8Gi", "pods": "110", "intel.com/qat": "16", "qat.intel.com/cy": "16", **more}
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now()}
    status = {"capacity": offered, "allocatable": offered, "conditions": [condition]}
    patch(server, "node", NODE, {"status": status}, "--subresource=status")
    deadline = time.monotonic() + 30
    while server.kubectl("get", "node", NODE, "-o", "jsonpath={.spec.taints}"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def patch(server: ControlPlane, kind: str, name: str, change: dict[str, Any], *options: str) -> None:
    server.kubectl("patch", kind, name, "-n", NAMESPACE, "--type=merge", "-p", json.dumps(change), *options)


def there(server: ControlPlane, kinds: str = KINDS) -> list[str]:
    """Names of all objects in the namespace, but for those that every namespace has."""
    return server.kubectl("get", kinds, "-n", NAMESPACE, "-o", "name").split()


def one_machine(server: ControlPlane, timeout: float = 30) -> str:
    """The name of the machine that a run starts, as soon as it is there."""
    deadline = time.monotonic() + timeout
    while not (found := there(server, VMI)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found[0].split("/")[1]


def launch(server: ControlPlane, name: str) -> None:
    """Have a machine run in a pod, with nobody behind the pod."""
    machine = json.loads(server.kubectl("get", VMI, name, "-n", NAMESPACE, "-o", "json"))
    metadata = machine["metadata"]
    owner = {"apiVersion": machine["apiVersion"], "kind": machine["kind"], "name": name, "uid": metadata["uid"]}
    labels = {**metadata["labels"], "kubevirt.io": "virt-launcher"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels, "ownerReferences": [owner]},
        "spec": {"nodeName": NODE, "containers": [{"name": "compute", "image": "launcher"}]},
    }
    server.kubectl("create", "-f", "-", text=json.dumps(pod))
    patch(server, "pod", name, {"status": {"phase": "Running"}}, "--subresource=status")
    patch(server, VMI, name, {"status": {"phase": "Running"}})


def is_question(call: dict[str, Any], pod: str) -> bool:
    """Whether a call of the audit log is a command for a pod, and answered."""
    what = call.get("objectRef", {})
    return (call["stage"], what.get("subresource"), what.get("name")) == ("ResponseComplete", "exec", pod)


def run_of(name: str) -> str:
    """The run whose machine that is."""
    return name.split("-")[2]


def run(server: ControlPlane, **parameters: Any) -> dict[str, Any]:
    return Running(server.kubeconfig, **parameters).result()


@pytest.fixture(scope="module")
def consoles(server: ControlPlane) -> Iterator[VirtApi]:
    with virt_api(server) as served:
        yield served


def report(*devices: dict[str, Any], **more: Any) -> bytes:
    return f"QATVIRT-RESULT {json.dumps({'pci': list(devices), **more})}\r\n".encode()


def function(device: str = "0x4941") -> dict[str, Any]:
    return {"slot": "0000:06:00.0", "vendor": "0x8086", "device": device, "class": "0x0b4000", "driver": None}


@contextmanager
def kubevirt(server: ControlPlane, **status: Any) -> Iterator[None]:
    """Brings machines that come to a state, as virt-controller and virt-handler would."""
    over = threading.Event()

    def work() -> None:
        seen: set[str] = set()
        while not over.wait(0.2):
            try:
                for machine in {item.split("/")[1] for item in there(server, VMI)} - seen:
                    patch(server, VMI, machine, {"status": status})
                    seen.add(machine)
            except LabError:  # it is gone again
                continue

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class TestAnswers:
    def test_a_machine_that_sees_its_vf_passes_and_nothing_is_left(
        self, server: ControlPlane, consoles: VirtApi
    ) -> None:
        works = {"verdict": "impossible", "reason": "no driver"}
        said = report(function(), functional=works)
        consoles.guest = lambda _name: iter((b"\x1b[2J[ 0.0] Linux \xe2\x82", b"\xac\r\n", said[:40], said[40:], said))
        with kubevirt(server, phase="Running"):
            result = run(server)
        (test,) = result["tests"]
        assert (test["verdict"], test["node"], test["kind"]) == ("pass", NODE, "vm"), test
        assert test["expected"] == {"8086:4941": 1}
        assert [(item["vendor"], item["device"]) for item in test["seen"]] == [("8086", "4941")]
        assert test["functional"] == works
        assert [phase["name"] for phase in test["phases"]] == ["Running", "Reported"]
        assert (result["changed"], result["not_removed"], result["swept"]) == (False, [], [])
        assert there(server) == []

    def test_a_machine_that_sees_another_function_fails(self, server: ControlPlane, consoles: VirtApi) -> None:
        consoles.guest = lambda _name: iter((report(function("0x37c9")),))
        with kubevirt(server, phase="Running"):
            (test,) = run(server)["tests"]
        assert test["verdict"] == "fail"
        assert test["reason"] == "the guest sees 1 x 8086:37c9 of QAT, expected 1 x 8086:4941"

    def test_a_console_that_ends_is_asked_for_again(self, server: ControlPlane, consoles: VirtApi) -> None:
        told = iter([b"half a report: QATVIRT-RESULT {", report(function())])
        consoles.asked.clear()
        consoles.guest = lambda _name: iter((next(told, b""),))
        with kubevirt(server, phase="Running"):
            (test,) = run(server)["tests"]
        assert test["verdict"] == "pass", test
        assert len(consoles.asked) >= 2

    def test_a_launcher_that_does_not_answer_is_asked_again_and_then_it_is_told(
        self, server: ControlPlane, account: Path, consoles: VirtApi
    ) -> None:
        """Its node has no kubelet, and each time that is what the API server says."""
        consoles.guest = lambda _name: iter((report(function()),))
        running = Running(account)
        name = one_machine(server)
        launch(server, name)
        (test,) = running.result()["tests"]
        assert (test["verdict"], test["given"]) == ("pass", []), test
        assert test["reason"].startswith("which VFs it was given is not known: GET /api/v1/namespaces/"), test
        asked = [call for call in server.audited() if is_question(call, name)]
        assert len(asked) == 6

    def test_a_guest_that_does_not_report_is_quoted(self, server: ControlPlane, consoles: VirtApi) -> None:
        consoles.guest = lambda _name: iter((b"Booting `Fedora'\r\n", b"error: you need to load the kernel first.\r\n"))
        with kubevirt(server, phase="Running"):
            (test,) = run(server, wait_timeout=4)["tests"]
        assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "GUEST")
        assert "Booting `Fedora' | error: you need to load the kernel first." in test["reason"]

    def test_with_a_disk_the_guest_gets_the_script_by_a_secret(self, server: ControlPlane) -> None:
        running = Running(server.kubeconfig, kernel_boot=None, report_script="echo hello", wait_timeout=5)
        name = one_machine(server)
        secret = json.loads(server.kubectl("get", "secrets", "-n", NAMESPACE, "-o", "json"))["items"]
        machine = json.loads(server.kubectl("get", VMI, name, "-n", NAMESPACE, "-o", "json"))
        (kept,) = [item["metadata"]["name"] for item in secret]
        assert machine["spec"]["volumes"][1]["cloudInitNoCloud"]["secretRef"] == {"name": kept}
        assert machine["metadata"]["labels"] == secret[0]["metadata"]["labels"] == {LABEL: run_of(name)}
        (test,) = running.result()["tests"]
        assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "SILENT")
        assert there(server) == []


class TestDiagnoses:
    """A cause that waiting cannot cure ends a test early; each is said by who would say it on a cluster."""

    def test_what_virt_controller_says_in_a_condition(self, server: ControlPlane) -> None:
        text = "failed to render launch manifest: HostDevice intel.com/qat is not permitted in permittedHostDevices"
        condition = {
            "type": "Synchronized",
            "status": "False",
            "reason": "FailedCreate",
            "message": f"{text} configuration",
        }
        started = time.monotonic()
        with kubevirt(server, phase="Pending", conditions=[condition]):
            (test,) = run(server, wait_timeout=120)["tests"]
        assert time.monotonic() - started < 60
        assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "PERM")
        assert "does not permit intel.com/qat" in test["reason"]

    def test_what_virt_handler_says_in_an_event(self, server: ControlPlane) -> None:
        running = Running(server.kubeconfig, wait_timeout=120)
        name = one_machine(server)
        patch(server, VMI, name, {"status": {"phase": "Scheduled"}})
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.1", "namespace": NAMESPACE},
            "involvedObject": {"kind": "VirtualMachineInstance", "name": name, "namespace": NAMESPACE},
            "type": "Warning",
            "reason": "SyncFailed",
            "message": "vfio 0000:01:10.1: failed to open /dev/vfio/13: Device or resource busy",
            "lastTimestamp": now(),
        }
        server.kubectl("create", "-f", "-", text=json.dumps(event))
        (test,) = running.result()["tests"]
        assert test["diagnosis"]["id"] == "VFIOBUSY"
        assert f"involvedObject.name={name}" in test["diagnosis"]["evidence"] or NODE in test["diagnosis"]["evidence"]

    def test_a_node_without_virt_handler(self, server: ControlPlane) -> None:
        patch(server, "node", NODE, {"metadata": {"labels": {"kubevirt.io/schedulable": "false"}}})
        with kubevirt(server, phase="Scheduling"):
            (test,) = run(server, wait_timeout=3)["tests"]
        assert test["diagnosis"]["id"] == "HANDLER"

    def test_a_machine_that_somebody_deletes(self, server: ControlPlane) -> None:
        running = Running(server.kubeconfig, wait_timeout=120)
        server.kubectl("delete", VMI, one_machine(server), "-n", NAMESPACE)
        (test,) = running.result()["tests"]
        assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "GONE")

    def test_a_full_node_as_the_scheduler_says_it(self, server: ControlPlane) -> None:
        advertise(server, **{"qat.intel.com/cy": "2"})
        limits = {"limits": {"qat.intel.com/cy": "1"}}
        holder = {"nodeName": NODE, "containers": [{"name": "main", "image": "none", "resources": limits}]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "holder", "namespace": NAMESPACE},
            "spec": holder,
        }
        server.kubectl("create", "-f", "-", text=json.dumps(pod))
        (test,) = run(server, nodes=[CONTAINERS], count=2, wait_timeout=3)["tests"]
        assert (test["kind"], test["diagnosis"]["id"]) == ("pod", "FULL")
        assert "1 Insufficient qat.intel.com/cy" in test["reason"]
        assert test["expected"] == {"8086:4941": 2}

    def test_a_taint_as_the_scheduler_sees_it(self, server: ControlPlane) -> None:
        server.kubectl("taint", "node", NODE, "dedicated=db:NoSchedule")
        (test,) = run(server, nodes=[CONTAINERS], wait_timeout=60)["tests"]
        assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "TAINT")
        assert "dedicated=db:NoSchedule" in test["reason"]
        tolerations = [{"key": "dedicated", "operator": "Exists"}]
        (test,) = run(server, nodes=[CONTAINERS], wait_timeout=3, tolerations=tolerations, cleaning=1)["tests"]
        # It is scheduled, and there is no kubelet to start it or to end it.
        assert test["diagnosis"]["id"] == "SILENT"

    def test_a_quota_as_the_api_says_it(self, server: ControlPlane) -> None:
        server.kubectl("create", "quota", "small", "-n", NAMESPACE, "--hard=pods=0")
        try:
            (test,) = run(server, nodes=[CONTAINERS], wait_timeout=60)["tests"]
        finally:
            server.kubectl("delete", "quota", "small", "-n", NAMESPACE)
        assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "QUOTA")
        assert "exceeded quota: small" in test["reason"]

    def test_one_that_fails_does_not_keep_the_others_waiting(self, server: ControlPlane, consoles: VirtApi) -> None:
        consoles.guest = lambda _name: iter((report(function()),))
        server.kubectl("taint", "node", NODE, "dedicated=db:NoSchedule")
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker2"}}
        server.kubectl("create", "-f", "-", text=json.dumps(node))
        offered = {"intel.com/qat": "16"}
        status = {"capacity": offered, "allocatable": offered}
        patch(server, "node", "worker2", {"status": status}, "--subresource=status")
        try:
            with kubevirt(server, phase="Running"):
                tests = run(server, nodes=[CONTAINERS, {**MACHINE, "name": "worker2"}], wait_timeout=60)["tests"]
        finally:
            server.kubectl("delete", "node", "worker2")
        assert [(test["node"], test["verdict"]) for test in tests] == [(NODE, "fail"), ("worker2", "pass")]


class TestNotTried:
    def test_a_cordoned_node_is_skipped(self, server: ControlPlane) -> None:
        server.kubectl("cordon", NODE)
        (test,) = run(server)["tests"]
        assert (test["verdict"], test["diagnosis"]) == ("skipped", None)
        assert "cordoned" in test["reason"]
        assert there(server) == []

    def test_a_node_that_advertises_nothing_fails(self, server: ControlPlane) -> None:
        advertise(server, **{"intel.com/qat": "0"})
        (test,) = run(server)["tests"]
        assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "NOVF")

    def test_check_mode_starts_nothing_and_says_so(self, server: ControlPlane) -> None:
        result = run(server, nodes=[MACHINE], _ansible_check_mode=True)
        (test,) = result["tests"]
        assert (result["changed"], test["verdict"]) == (False, "skipped")
        assert "check mode" in test["reason"]
        assert there(server) == []

    @pytest.mark.parametrize(
        ("parameters", "words"),
        [
            ({"namespace": "nowhere"}, ("there is no namespace nowhere", "rbac.yml")),
            ({"count": 0}, ("nothing was started", "count is 0, expected 1 or more")),
            ({"kernel_boot": None}, ("report_script is empty", "report.sh")),
            ({"nodes": [{"name": "worker9"}]}, ("the cluster has no node worker9",)),
        ],
        ids=["namespace", "count", "script", "node"],
    )
    def test_options_of_no_use_are_refused(
        self, server: ControlPlane, parameters: dict[str, Any], words: tuple[str, ...]
    ) -> None:
        result = run(server, **parameters)
        assert result["failed"]
        assert all(word in result["msg"] for word in words), result["msg"]
        assert there(server) == []


@pytest.fixture(scope="class")
def account(server: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kubeconfig of the account that rbac.yml makes, with just the rights that it grants."""
    directory = tmp_path_factory.mktemp("rights")
    kubeconfig = directory / "qatvirt.kubeconfig"
    (directory / "hosts.yml").write_text("all: {}\n")
    granted = play(directory, "rbac", rbac_admin_kubeconfig=str(server.kubeconfig), rbac_kubeconfig=str(kubeconfig))
    assert granted.code == 0, granted.text
    yield kubeconfig
    server.kubectl("delete", "clusterrole,clusterrolebinding", "qatvirt-controller")
    server.kubectl("delete", "namespace", "qatvirt")
    server.kubectl("delete", "role,rolebinding", "qatvirt", "-n", "kubevirt")


@contextmanager
def without(server: ControlPlane, right: str) -> Iterator[None]:
    """The account without the right to something in the namespace."""
    role = json.loads(server.kubectl("get", "role", "qatvirt", "-n", NAMESPACE, "-o", "json"))
    rules = role["rules"]
    patch(server, "role", "qatvirt", {"rules": [rule for rule in rules if right not in rule["resources"]]})
    yield
    patch(server, "role", "qatvirt", {"rules": rules})


class TestRights:
    def test_those_of_rbac_yml_are_enough(self, server: ControlPlane, account: Path, consoles: VirtApi) -> None:
        consoles.guest = lambda _name: iter((report(function()),))
        script = {"kernel_boot": None, "report_script": "echo hello"}
        with kubevirt(server, phase="Running"):
            result = Running(account, **script).result()
        (test,) = result["tests"]
        assert test["verdict"] == "pass", test
        assert there(server) == []

    @pytest.mark.parametrize("right", [VMI, "leases", "events", "pods", "secrets"])
    def test_a_missing_one_is_named_and_everything_is_removed(
        self, server: ControlPlane, account: Path, right: str
    ) -> None:
        nodes = [CONTAINERS if right == "pods" else MACHINE]
        with without(server, right):
            result = Running(account, nodes=nodes, kernel_boot=None, report_script="echo hello").result()
        assert result["failed"]
        assert f'resource "{right}"' in result["msg"] and "playbooks/rbac.yml" in result["msg"]
        assert there(server) == []

    @pytest.mark.usefixtures("consoles")
    def test_a_console_that_may_not_be_read_is_told(self, server: ControlPlane, account: Path) -> None:
        with without(server, f"{VMI}/console"), kubevirt(server, phase="Running"):
            (test,) = Running(account, wait_timeout=3).result()["tests"]
        assert test["verdict"] == "fail"
        assert f'cannot get resource "{VMI}/console"' in test["reason"]


class TestNothingStays:
    def test_a_run_that_was_killed_in_the_middle_is_tidied_up_by_the_next_one(self, server: ControlPlane) -> None:
        """Killed after its third write: Lease, Secret and machine are there."""
        with_disk = {"kernel_boot": None, "report_script": "echo hello"}
        Running(server.kubeconfig, killed_after=3, **with_disk).killed()
        assert len(there(server, "leases")) == 1
        assert len(there(server, VMI)) == 1
        result = run(server, nodes=[])
        assert len(result["swept"]) == 1
        assert result["changed"]
        assert there(server) == []

    @pytest.mark.long
    def test_whenever_a_run_is_killed_the_next_one_removes_what_it_left(
        self, server: ControlPlane, consoles: VirtApi
    ) -> None:
        """Killed after each of its writes: Lease, Secret, machine, machine deleted, Secret deleted."""
        consoles.guest = lambda _name: iter((report(function()),))
        with_disk = {"kernel_boot": None, "report_script": "echo hello"}
        with kubevirt(server, phase="Running"):
            for writes in range(1, 6):
                Running(server.kubeconfig, killed_after=writes, **with_disk).killed()
            assert len(there(server, "leases")) == 5
            assert len(there(server, VMI)) == 1
            result = run(server, nodes=[])
        assert len(result["swept"]) == 5
        assert result["changed"]
        assert there(server) == []

    def test_a_run_that_has_tests_removes_it_too(self, server: ControlPlane, consoles: VirtApi) -> None:
        consoles.guest = lambda _name: iter((report(function()),))
        Running(server.kubeconfig, killed_after=2).killed()
        (dead,) = there(server, VMI)
        with kubevirt(server, phase="Running"):
            result = run(server)
        assert result["swept"] == [run_of(dead.split("/")[1])]
        assert [test["verdict"] for test in result["tests"]] == ["pass"]
        assert there(server) == []

    def test_objects_without_a_lease_are_removed_at_once(self, server: ControlPlane) -> None:
        metadata = {"name": "qat-test-0000dead-worker1", "namespace": NAMESPACE, "labels": {LABEL: "0000dead"}}
        orphan = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": metadata, "spec": {}}
        server.kubectl("create", "-f", "-", text=json.dumps(orphan))
        started = time.monotonic()
        assert run(server, nodes=[])["swept"] == ["0000dead"]
        assert time.monotonic() - started < 20
        assert there(server) == []

    def test_what_has_no_label_of_a_run_is_left_alone(self, server: ControlPlane) -> None:
        metadata = {"name": "qat-test-theirs", "namespace": NAMESPACE}
        theirs = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": metadata, "spec": {}}
        server.kubectl("create", "-f", "-", text=json.dumps(theirs))
        assert run(server, nodes=[])["swept"] == []
        assert there(server) == ["virtualmachineinstance.kubevirt.io/qat-test-theirs"]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
    def test_a_signal_ends_it_and_it_tidies_up(self, server: ControlPlane, number: signal.Signals) -> None:
        running = Running(server.kubeconfig, wait_timeout=120, kernel_boot=None, report_script="echo hello")
        one_machine(server)
        running.process.send_signal(number)
        result = running.result()
        assert result["failed"]
        assert f"ended by {number.name}; everything it had made is removed" in result["msg"]
        assert there(server) == []

    def test_what_does_not_go_is_returned(self, server: ControlPlane) -> None:
        running = Running(server.kubeconfig, wait_timeout=4, cleaning=3)
        name = one_machine(server)
        patch(server, VMI, name, {"metadata": {"finalizers": ["foreground.kubevirt.io/stuck"]}})
        try:
            result = running.result()
            assert result["not_removed"] == [f"vm {NAMESPACE}/{name}"]
            assert [test["verdict"] for test in result["tests"]] == ["fail"]
        finally:
            patch(server, VMI, name, {"metadata": {"finalizers": None}})


class TestTwoRuns:
    @pytest.mark.long
    def test_they_do_not_touch_each_others_machines(self, server: ControlPlane, consoles: VirtApi) -> None:
        """The slow one outlives several rounds and the whole of the quick one, longer than a Lease is good for."""
        consoles.guest = lambda _name: iter(())
        slow = Running(server.kubeconfig, wait_timeout=40)
        mine = run_of(one_machine(server))
        consoles.guest = lambda name: iter((report(function()),) if run_of(name) != mine else ())
        with kubevirt(server, phase="Running"):
            started = time.monotonic()
            quick = run(server)
            # It need not wait for a Lease that it has seen renewed.
            assert time.monotonic() - started < 25
            assert [test["verdict"] for test in quick["tests"]] == ["pass"]
            assert quick["swept"] == []
            assert run_of(one_machine(server)) == mine
            result = slow.result()
        assert [test["diagnosis"]["id"] for test in result["tests"]] == ["GUEST"]
        assert result["swept"] == []
        assert there(server) == []
