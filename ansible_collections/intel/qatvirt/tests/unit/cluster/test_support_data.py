# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster says to somebody who is not there. On a real API server: tests/cluster/test_support_bundle.py."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import KUBEVIRTS
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import (
    DAEMONSETS,
    EVENTS,
    MACHINES,
    NODES,
    PODS,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.support_data import SupportScope, collect
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError
from ansible_collections.intel.qatvirt.tests.unit.cluster.objects import launcher, node_object, pod_object

SCOPE = SupportScope(("intel.com/qat",), ("kubevirt",), pods=20, lines=500)
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


class Server:
    """An API that has these objects, and refuses these paths."""

    server = "https://10.0.0.1:6443"

    def __init__(self, refused: tuple[str, ...] = (), **objects: list[dict[str, Any]]) -> None:
        self.refused = refused
        self.objects = objects
        self.asked: list[str] = []

    def _note(self, path: str) -> None:
        self.asked.append(path)
        if path.endswith(self.refused):
            raise ApiError(f"{path} is forbidden")

    def get(self, path: str) -> dict[str, Any]:
        self._note(path)
        return {"gitVersion": "v1.35.4"}

    def list(self, path: str) -> list[dict[str, Any]]:
        self._note(path)
        return self.objects.get(path.rpartition("/")[2], [])

    def find_all(self, path: str) -> list[dict[str, Any]]:
        return self.list(path)

    def text(self, path: str, **query: Any) -> str:
        self._note(path)
        return f"{path} {'before' if 'previous' in query else 'now'}\n"


def handler(number: int, *, ready: bool = True, restarts: int = 0) -> dict[str, Any]:
    pod = pod_object(f"virt-handler-{number}", "n", labels={"kubevirt.io": "virt-handler"})
    pod["metadata"]["namespace"] = "kubevirt"
    pod["status"].update(READY if ready else {}, containerStatuses=[{"name": "main", "restartCount": restarts}])
    if ready:
        pod["status"]["containerStatuses"][0]["ready"] = True
    return pod


def machine(name: str, device: str) -> dict[str, Any]:
    devices = {"hostDevices": [{"name": "q", "deviceName": device}]}
    return {"metadata": {"name": name, "namespace": "apps"}, "spec": {"domain": {"devices": devices}}}


def dumped(server: Server, scope: SupportScope = SCOPE) -> dict[str, Any]:
    return collect(server, scope)  # type: ignore[arg-type]


def test_machines_and_pods_without_a_vf_stay_out() -> None:
    pods = [launcher("a", "n", "intel.com/qat"), launcher("b", "n"), pod_object("c", "n", asks="qat.intel.com/cy")]
    machines = [machine("a", "intel.com/qat"), machine("b", "nvidia.com/T4")]
    found = dumped(Server(pods=pods, virtualmachineinstances=machines, nodes=[node_object("n")]))
    assert [pod["metadata"]["name"] for pod in found["pods"]] == ["virt-launcher-a-x1", "c"]
    assert [item["metadata"]["name"] for item in found["machines"]] == ["a"]
    assert found["nodes"][0]["status"] == {"allocatable": {"cpu": "4"}}
    assert found["unreadable"] == {}


def test_logs_of_pods_in_trouble_come_first_and_those_of_the_run_before_too() -> None:
    pods = [handler(1), handler(2), handler(3, ready=False, restarts=4)]
    found = dumped(Server(pods=pods), SupportScope((), (), pods=2, lines=1))
    assert list(found["logs"]) == [
        "kubevirt/virt-handler-3/main",
        "kubevirt/virt-handler-3/main.previous",
        "kubevirt/virt-handler-1/main",
    ]
    assert found["logs"]["kubevirt/virt-handler-3/main.previous"].endswith(" before\n")
    assert found["unreadable"] == {"logs of more pods": "2 of 3 logs were collected, those of pods in trouble first"}


def test_what_may_not_be_read_is_told_and_the_rest_is_there() -> None:
    events = [{"metadata": {"name": "e", "namespace": "kubevirt"}}]
    refused = (NODES, DAEMONSETS, MACHINES, KUBEVIRTS, EVENTS, "/virt-handler-1/log")
    found = dumped(Server(refused, pods=[handler(1), handler(2)], events=events))
    assert set(found["unreadable"]) == {
        *("nodes", "daemonsets", "machines", "kubevirts", "events of other namespaces"),
        "log of kubevirt/virt-handler-1/main",
    }
    assert list(found["logs"]) == ["kubevirt/virt-handler-2/main"]
    assert found["events"] == events


def test_a_server_that_says_nothing_is_an_error() -> None:
    with pytest.raises(ApiError):
        dumped(Server(("/version",)))


def test_size_makes_no_difference_to_the_calls_and_is_bounded() -> None:
    small, large = (
        Server(pods=[pod_object(f"p{number}", "n", asks="intel.com/qat") for number in range(count)])
        for count in (1, 5000)
    )
    assert len(dumped(small)["pods"]) == 1
    found = dumped(large)
    assert large.asked == small.asked
    assert PODS in large.asked
    assert len(found["pods"]) == 200
    assert found["left_out"] == {"pods": 4800}
