# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that change hands, on a real API server. The nodes have no kubelet: the tests say what it would say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab.cluster.control_plane import ControlPlane
from tests.cluster.modules import module

NAME = "worker1"
READY = "qatvirt.intel.com/ready"
NODE = {"name": NAME, "vf_counts": {"8086:4941": 16}, "families": {"8086:4941": "4xxx"}, "services": "sym-asym"}


@pytest.fixture
def node(server: ControlPlane) -> Iterator[str]:
    """A Node object, and no pods."""
    server.kubectl(
        "apply", "-f", "-", text=yaml.safe_dump({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NAME}})
    )
    yield NAME
    server.kubectl("delete", "node", NAME)
    server.kubectl("delete", "pods", "--all", "-n", "default", "--force", "--grace-period=0")


def labels(server: ControlPlane) -> dict[str, str]:
    metadata = json.loads(server.kubectl("get", "node", NAME, "-o", "json"))["metadata"]
    found = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
    return {key.split("/")[1]: value for key, value in found.items() if key.startswith("qatvirt.intel.com/")}


def advertise(server: ControlPlane, **resources: int) -> None:
    """Say what the node has allocatable. resources: cy=8 is qat.intel.com/cy, qat=16 is intel.com/qat."""
    names = {
        f"{'intel.com' if name == 'qat' else 'qat.intel.com'}/{name}": str(count) for name, count in resources.items()
    }
    patch = json.dumps({"status": {"allocatable": names, "capacity": names}})
    server.kubectl("patch", "node", NAME, "--subresource=status", "--type=merge", "-p", patch)


def start_pod(server: ControlPlane, name: str, asks: str) -> None:
    container = {"name": "main", "image": "none", "resources": {"limits": {asks: "1"}}}
    spec = {"nodeName": NAME, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}
    server.kubectl("apply", "-f", "-", text=yaml.safe_dump(pod))


def label(server: ControlPlane, workload: str, *options: str, **parameters: Any) -> dict[str, Any]:
    node = {**NODE, "workload": workload}
    return module("qat_workload", *options, kubeconfig=server.kubeconfig, **{"nodes": [node], **parameters})


def test_labels_are_written_once(server: ControlPlane, node: str) -> None:
    assert label(server, "container", "--check")["changed"]
    assert labels(server) == {}
    assert label(server, "container")["changed"]
    assert labels(server) == {"workload": "container", "services": "sym-asym", "ready": "true", "vfs": "16"}
    assert not label(server, "container")["changed"]


def test_ready_goes_before_a_node_is_touched_and_all_goes_in_the_end(server: ControlPlane, node: str) -> None:
    label(server, "vm", proved=True)
    assert labels(server)["ready"] == "true"
    assert label(server, "vm", state="withdrawn")["changed"]
    assert labels(server) == {"workload": "vm", "services": "sym-asym", "vfs": "16"}
    assert not label(server, "vm", state="withdrawn")["changed"]
    assert label(server, "vm", state="absent")["changed"]
    assert labels(server) == {}


def test_a_pod_with_a_vf_keeps_its_node(server: ControlPlane, node: str) -> None:
    label(server, "container")
    start_pod(server, "nginx", "qat.intel.com/cy")
    before = labels(server)
    for state in ("present", "absent"):
        refused = label(server, "vm", state=state)
        assert "nothing was changed: worker1 is to be for virtual machines, but is used" in refused["msg"]
        assert "pod default/nginx (qat.intel.com/cy: 1)" in refused["msg"]
        assert labels(server) == before


def test_the_old_owner_leaves_first(server: ControlPlane, node: str) -> None:
    label(server, "container")
    advertise(server, cy=16)

    def plugin_leaves() -> None:
        while "ready" in labels(server):
            time.sleep(0.1)
        assert labels(server)["workload"] == "container"
        advertise(server, cy=0)

    kubelet = threading.Thread(target=plugin_leaves)
    kubelet.start()
    assert label(server, "vm", wait_timeout=60)["changed"]
    kubelet.join()
    assert labels(server)["workload"] == "vm"


def test_a_node_for_machines_becomes_one_for_containers_and_is_ready(server: ControlPlane, node: str) -> None:
    label(server, "vm", proved=True)
    assert label(server, "container")["changed"]
    assert labels(server) == {"workload": "container", "services": "sym-asym", "ready": "true", "vfs": "16"}
    assert not label(server, "container")["changed"]


def test_an_owner_that_stays_is_named_and_the_labels_are_put_back(server: ControlPlane, node: str) -> None:
    label(server, "container")
    before = labels(server)
    advertise(server, cy=16)
    refused = label(server, "vm", wait_timeout=1)
    assert "after 1 s worker1 still has 16 qat.intel.com/ allocatable" in refused["msg"]
    assert "The labels are what they were before" in refused["msg"]
    assert labels(server) == before


def test_who_came_in_between_is_not_hurt(server: ControlPlane, node: str) -> None:
    label(server, "vm", proved=True)
    before = labels(server)
    advertise(server, qat=16)

    def machine_comes() -> None:
        while labels(server).get("workload") == "vm":
            time.sleep(0.1)
        start_pod(server, "late", "intel.com/qat")
        advertise(server, qat=0)

    kubelet = threading.Thread(target=machine_comes)
    kubelet.start()
    refused = label(server, "container", wait_timeout=60)
    kubelet.join()
    assert "pod default/late (intel.com/qat: 1)" in refused["msg"]
    assert labels(server) == before


def test_a_run_that_was_killed_half_way_is_finished(server: ControlPlane, node: str) -> None:
    """The label is there and ready is not; KubeVirt has not left yet."""
    server.kubectl("label", "node", NAME, "qatvirt.intel.com/workload=container")
    advertise(server, qat=16)
    assert "still has 16 intel.com/qat allocatable" in label(server, "container", wait_timeout=1)["msg"]
    advertise(server, qat=0)
    assert label(server, "container")["changed"]
    assert labels(server)["ready"] == "true"


def test_a_node_of_another_cluster_is_named(server: ControlPlane, node: str) -> None:
    refused = module("qat_workload", kubeconfig=server.kubeconfig, nodes=[{"name": "nowhere"}])
    assert "the cluster has no node nowhere; it has worker1" in refused["msg"]
    assert "qatvirt_node_name" in refused["msg"]


def handler(server: ControlPlane, ready: bool) -> None:
    """The pod of virt-handler on the node."""
    container = {"name": "virt-handler", "image": "none"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "virt-handler-1", "namespace": "default", "labels": {"kubevirt.io": "virt-handler"}},
        "spec": {"nodeName": NAME, "containers": [container]},
    }
    server.kubectl("apply", "-f", "-", text=yaml.safe_dump(pod))
    since = "2026-01-01T00:00:00Z"
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": since}
    status = json.dumps({"status": {"phase": "Running", "conditions": [condition]}})
    server.kubectl(
        "patch", "pod", "virt-handler-1", "-n", "default", "--subresource=status", "--type=merge", "-p", status
    )


def counted(server: ControlPlane, *options: str, **parameters: Any) -> dict[str, Any]:
    wanted = {"nodes": [NODE], "wait_timeout": 1, **parameters}
    return module("qat_allocatable", *options, kubeconfig=server.kubeconfig, **wanted)


def test_the_right_number_is_right_at_once(server: ControlPlane, node: str) -> None:
    advertise(server, qat=16)
    found = counted(server)
    assert not found["changed"]
    assert found["nodes"][0]["right"]


def test_a_stale_handler_is_restarted_once_and_the_failure_tells_it(server: ControlPlane, node: str) -> None:
    advertise(server, qat=8)
    handler(server, ready=True)
    assert counted(server, "--check")["restarted"] == [NAME]
    assert "virt-handler-1" in server.kubectl("get", "pods", "-n", "default")
    assert "nothing was changed" in counted(server, settle=60)["msg"]
    failed = counted(server, settle=0)
    assert "expected intel.com/qat: 16 allocatable, found intel.com/qat: 8" in failed["msg"]
    assert "virt-handler was restarted on worker1" in failed["msg"]


def test_what_a_handler_on_its_way_out_advertised_does_not_count(server: ControlPlane, node: str) -> None:
    advertise(server, qat=16)
    handler(server, ready=True)
    assert counted(server)["nodes"][0]["right"]
    server.kubectl("delete", "pod", "virt-handler-1", "-n", "default", "--wait=false")
    assert "the pod virt-handler-1 of virt-handler is being deleted and has not ended yet" in counted(server)["msg"]


def test_a_handler_that_is_not_ready_is_left_alone(server: ControlPlane, node: str) -> None:
    advertise(server, qat=8)
    handler(server, ready=False)
    assert "nothing was changed" in counted(server)["msg"]


def test_two_owners_are_a_failure(server: ControlPlane, node: str) -> None:
    advertise(server, qat=16, cy=16)
    assert "Intel's plugin advertises them too (qat.intel.com/*: 16 allocatable)" in counted(server)["msg"]
