# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run against an API that keeps objects in memory. Against a real API server: tests/cluster/test_test_vm.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, Forbidden, NotFound, Refused
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm import runner
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import NodeTest
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.runner import ClusterView, Runner, RunningTest
from ansible_collections.intel.qatvirt.tests.unit.test_vm.examples import MACHINE, POD, SETTINGS, device, line, node

Objects = list[dict[str, Any]]

LABEL = "qatvirt.intel.com/test-run"
NAMESPACE = "/api/v1/namespaces/qatvirt-test"
PODS, SECRETS = f"{NAMESPACE}/pods", f"{NAMESPACE}/secrets"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/qatvirt-test/leases"
RIGHTS = 'pods is forbidden: User "a" cannot create resource "pods" in API group ""'
POD_ANSWER = line(device(slot="0000:01:10.1", driver="vfio-pci", open=True))


class FakeApi:
    """What a run needs of the class Api. ``objects``: by path; ``on_create``: may change or refuse an object."""

    def __init__(self, on_create: Callable[[str, Any], None] = lambda _path, _item: None) -> None:
        self.objects: dict[str, Any] = {"/api/v1/nodes/qat1": node("qat1"), "/api/v1/nodes/qat2": node("qat2")}
        self.deleted: list[str] = []
        self.kept: set[str] = set()
        self._on_create = on_create

    def add(self, collection: str, item: dict[str, Any]) -> None:
        self.objects[f"{collection}/{item['metadata']['name']}"] = item

    def create(self, path: str, definition: dict[str, Any]) -> dict[str, Any]:
        self._on_create(path, definition)
        self.add(path, definition)
        return definition

    def find_all(self, path: str, **query: str) -> Objects:
        found = [item for key, item in self.objects.items() if key.rpartition("/")[0] == path]
        label = query.get("labelSelector")
        return [item for item in found if label is None or label in item["metadata"].get("labels", {})]

    def merge(self, path: str, change: dict[str, Any]) -> None:
        self.objects[path]["spec"] |= change["spec"]

    def delete(self, path: str) -> None:
        self.deleted.append(path)
        if path not in self.kept:
            self.objects.pop(path, None)

    def text(self, _path: str, **_query: Any) -> str:
        return POD_ANSWER

    def list(self, path: str, **query: str) -> Objects:
        return self.find_all(path, **query)


def succeed(path: str, item: dict[str, Any]) -> None:
    """Pods run and end at once."""
    if path == PODS:
        item["status"] = {"phase": "Succeeded"}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that only sleeping moves on."""
    time = [1000.0]
    monkeypatch.setattr(runner.time, "monotonic", lambda: time[0])
    monkeypatch.setattr(runner.time, "sleep", lambda seconds: time.__setitem__(0, time[0] + seconds))
    return time


def run(api: FakeApi, *tests: NodeTest, wait: float = 60.0) -> runner.Outcome:
    return Runner(api, list(tests), SETTINGS, wait).run()  # type: ignore[arg-type]


def left(api: FakeApi) -> list[str]:
    """What there is besides nodes."""
    return [path for path in api.objects if not path.startswith("/api/v1/nodes/")]


def test_a_run_leaves_nothing() -> None:
    api = FakeApi(succeed)
    outcome = run(api, POD)
    (test,) = outcome.tests
    assert (test["verdict"], test["given"]) == ("pass", ["0000:01:10.1"])
    assert [phase["name"] for phase in test["phases"]] == ["Succeeded", "Reported"]
    assert (outcome.not_removed, outcome.swept, left(api)) == ([], [], [])
    assert api.deleted[-1] == f"{LEASES}/{SETTINGS.name}"


def test_what_cannot_be_removed_is_told_after_a_while(now: list[float]) -> None:
    api = FakeApi(succeed)
    api.kept = {f"{PODS}/{POD.name}"}
    outcome = run(api, POD)
    assert outcome.not_removed == [f"pod qatvirt-test/{POD.name}"]
    assert now[0] > 1000.0 + runner.CLEANING


def test_an_object_that_the_api_refuses_is_a_result() -> None:
    def refuse(path: str, _item: dict[str, Any]) -> None:
        if path == PODS:
            raise Forbidden('pods "x" is forbidden: exceeded quota: small')

    api = FakeApi(refuse)
    (test,) = run(api, POD).tests
    assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "QUOTA")
    assert left(api) == []


def test_missing_rights_end_the_run_and_leave_nothing() -> None:
    def refuse(path: str, _item: dict[str, Any]) -> None:
        if path == PODS:
            raise Forbidden(RIGHTS)

    api = FakeApi(refuse)
    with pytest.raises(Forbidden, match="everything it had made is removed"):
        run(api, MACHINE, POD)
    assert left(api) == []


def test_without_a_namespace_nothing_is_started() -> None:
    def refuse(_path: str, _item: dict[str, Any]) -> None:
        raise NotFound("404")

    api = FakeApi(refuse)
    with pytest.raises(Refused, match="nothing was started: there is no namespace qatvirt-test"):
        run(api, POD)
    assert api.deleted == []


def test_a_test_that_never_answers_fails_when_its_time_is_over(now: list[float]) -> None:
    api = FakeApi()
    (test,) = run(api, POD, wait=30.0).tests
    assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "SILENT")
    assert 30.0 < now[0] - 1000.0 < 60.0
    assert left(api) == []


def test_a_final_cause_does_not_wait_for_that_time(now: list[float]) -> None:
    def end(path: str, item: dict[str, Any]) -> None:
        if path == PODS:
            item["status"] = {"phase": "Failed", "reason": "Evicted", "message": "OOMKilled"}

    class Mute(FakeApi):
        def text(self, _path: str, **_query: Any) -> str:
            raise ApiError("no log")

    (test,) = run(Mute(end), POD, wait=3600.0).tests
    assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "MEMORY")
    assert now[0] - 1000.0 < 60.0


def test_a_node_that_is_cordoned_meanwhile_is_skipped() -> None:
    api = FakeApi()
    api.objects["/api/v1/nodes/qat2"] = node("qat2", cordoned=True)
    (test,) = run(api, POD).tests
    assert (test["verdict"], test["diagnosis"]["id"]) == ("skipped", "CORDON")
    assert "administrator's decision" in test["reason"]


def test_a_node_that_is_tainted_meanwhile_is_no_cordoned_one() -> None:
    api = FakeApi()
    api.objects["/api/v1/nodes/qat2"]["spec"]["taints"] = [
        {"key": "team", "value": "is cordoned", "effect": "NoSchedule"}
    ]
    (test,) = run(api, POD).tests
    assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "TAINT")


def test_a_pod_that_someone_deletes_is_told(now: list[float]) -> None:
    api = FakeApi()
    find_all = api.find_all

    def vanish(path: str, **query: str) -> Objects:
        if now[0] > 1010.0:
            api.objects.pop(f"{PODS}/{POD.name}", None)
        return find_all(path, **query)

    api.find_all = vanish  # type: ignore[method-assign]
    (test,) = run(api, POD).tests
    assert (test["verdict"], test["diagnosis"]["id"]) == ("fail", "GONE")
    assert test["reason"] == f"pod qatvirt-test/{POD.name} was deleted during its test"


class TestOtherRuns:
    @staticmethod
    def other(api: FakeApi, with_lease: bool) -> None:
        labels = {LABEL: "dead"}
        api.add(PODS, {"metadata": {"name": "qat-test-dead-qat1", "labels": labels}, "spec": {}})
        api.add(SECRETS, {"metadata": {"name": "qat-test-dead", "labels": labels}})
        if with_lease:
            spec = {"renewTime": "2026-11-25T04:00:00.000000Z", "leaseDurationSeconds": 30}
            api.add(LEASES, {"metadata": {"name": "qat-test-dead", "labels": labels}, "spec": spec})

    def test_objects_without_a_lease_are_removed(self) -> None:
        api = FakeApi()
        self.other(api, with_lease=False)
        assert run(api).swept == ["dead"]
        assert left(api) == []

    def test_objects_whose_lease_is_not_renewed_are_removed_when_that_is_certain(self, now: list[float]) -> None:
        api = FakeApi()
        self.other(api, with_lease=True)
        assert run(api).swept == ["dead"]
        assert left(api) == []
        assert now[0] - 1000.0 >= 30.0

    def test_objects_of_a_run_that_lives_stay(self, now: list[float]) -> None:
        class Renewed(FakeApi):
            def find_all(self, path: str, **query: str) -> Objects:
                if path == LEASES:
                    self.objects[f"{LEASES}/qat-test-dead"]["spec"]["renewTime"] = str(now[0])
                return super().find_all(path, **query)

        api = Renewed()
        self.other(api, with_lease=True)
        assert run(api).swept == []
        assert len(left(api)) == 3


def test_a_machine_is_found_with_its_launcher_among_all_objects() -> None:
    launcher = {
        "metadata": {
            "name": "virt-launcher-x",
            "ownerReferences": [{"kind": "VirtualMachineInstance", "name": MACHINE.name}],
        }
    }
    other = {"metadata": {"name": MACHINE.name}}
    machine = {"metadata": {"name": MACHINE.name, "labels": {LABEL: SETTINGS.run}}, "status": {"phase": "Running"}}
    view = ClusterView([{"metadata": {"name": "x"}}, machine], [other, launcher], [], {}, 1012.0)
    test = RunningTest(MACHINE)
    test.observe(view, 1000.0)
    assert (test.subject, test.pod, test.phases) == (machine, launcher, {"Running": 12.0})
    test.observe(ClusterView([machine], [], [], {}, 1020.0), 1000.0)
    assert test.phases == {"Running": 12.0}
    test.observe(ClusterView([], [], [], {}, 1030.0), 1000.0)
    assert (test.subject, test.was_there) == (None, True)
