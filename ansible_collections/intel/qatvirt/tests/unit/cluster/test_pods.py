# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pods are and ask for, and why a pod does not run."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.pods import (
    devices_of_machine,
    has_ended,
    machine_of,
    pod_trouble,
)
from ansible_collections.intel.qatvirt.tests.unit.cluster.objects import launcher, pod_object


def pod(*containers: dict[str, Any], phase: str = "Running", **conditions: str) -> dict[str, Any]:
    item = pod_object("p", "n", phase=phase)
    item["status"]["conditions"] = [
        {"type": kind, "status": status, "message": "0/2 nodes are available"} for kind, status in conditions.items()
    ]
    item["status"]["containerStatuses"] = [
        {"name": "main", "image": "r/i:1", "ready": False, "restartCount": 3, **container} for container in containers
    ]
    return item


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": "said so"}}, **more}


CRASHED = {"lastState": {"terminated": {"exitCode": 255, "reason": "Error", "message": "no /dev/vfio"}}}


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (pod(waiting("ImagePullBackOff")), ["image r/i:1 cannot be pulled (ImagePullBackOff: said so)", "registry"]),
        (
            pod(waiting("CrashLoopBackOff", **CRASHED)),
            ["waits (CrashLoopBackOff", "exit code 255 (Error): no /dev/vfio", "logs -n apps p -c main --previous"],
        ),
        (
            pod(waiting("CreateContainerError")),
            ["waits (CreateContainerError: said so)", "kubectl describe pod -n apps p"],
        ),
        (pod(phase="Pending", PodScheduled="False"), ["is not scheduled: 0/2 nodes are available", "taints"]),
        (pod({"state": {"running": {}}}), ["readiness probe fails (3 restarts)"]),
        (pod({"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}), ["ended with exit code 1"]),
        (pod(phase="Failed"), ["failed: no reason given"]),
        (pod(waiting("ContainerCreating"), phase="Pending"), ["is Pending and not ready yet"]),
    ],
)
def test_trouble_is_named_with_the_pod_its_node_and_a_remedy(item: dict[str, Any], words: list[str]) -> None:
    (text,) = pod_trouble(item)
    assert text.startswith("pod apps/p on node n")
    assert [word for word in words if word not in text] == []


def test_a_container_of_the_start_that_runs_is_no_trouble() -> None:
    item = pod(waiting("PodInitializing"), phase="Pending")
    item["status"]["initContainerStatuses"] = [{"name": "init", "image": "i", "ready": False, "state": {"running": {}}}]
    assert pod_trouble(item) == ["pod apps/p on node n is Pending and not ready yet"]


def test_a_pod_that_runs_or_is_done_has_none() -> None:
    assert pod_trouble(pod(Ready="True")) == []
    assert pod_trouble(pod(phase="Succeeded")) == []


def test_a_pod_ends_with_success_or_failure_and_not_before() -> None:
    ended = {phase: has_ended(pod(phase=phase)) for phase in ("Pending", "Running", "Succeeded", "Failed")}
    assert ended == {"Pending": False, "Running": False, "Succeeded": True, "Failed": True}
    assert not has_ended({"metadata": {"name": "new"}})


def test_the_machine_of_a_launcher_is_its_owner() -> None:
    named = launcher("web", "n")
    named["metadata"]["labels"]["vm.kubevirt.io/name"] = "shortened"
    assert machine_of(named) == "web"
    assert machine_of(pod_object("p", "n")) is None


def test_host_devices_and_gpus_of_a_machine_are_devices() -> None:
    devices = {"hostDevices": [{"deviceName": "intel.com/qat"}], "gpus": [{"deviceName": "nvidia.com/T4"}]}
    assert devices_of_machine({"spec": {"domain": {"devices": devices}}}) == ["intel.com/qat", "nvidia.com/T4"]
    assert devices_of_machine({"spec": {}}) == []
