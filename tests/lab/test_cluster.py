# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pods and servers of the lab's cluster can reach."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator

import pytest

from lab import Lab, NodeSpec
from lab.cluster import images
from lab.cluster.control_plane import API_SERVICE, ControlPlane
from lab.cluster.profiles import PROFILES

pytestmark = pytest.mark.long

PROFILE = PROFILES["kubernetes"]
PULLED = f"{images.REGISTRY}/pulled:1"
PATIENCE = 120.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    with Lab("tests-cluster", PROFILE) as lab:
        lab.down()
        lab.start(NodeSpec("qat1", memory=PROFILE.memory))
        yield lab.control_plane


def start_pod(cluster: ControlPlane, name: str, image: str, script: str) -> None:
    cluster.kubectl("run", name, f"--image={image}", "--restart=Never", "--", "sh", "-c", script)


def eventually(cluster: ControlPlane, *question: str) -> str:
    """What kubectl answers as soon as it is not nothing."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := cluster.kubectl(*question):
            return answer
        time.sleep(0.5)
    return pytest.fail(f"no answer to {question}: {cluster.kubectl('get', 'pods,events', '-A')}")


def test_a_node_pulls_what_was_pushed_to_the_labs_registry(cluster: ControlPlane) -> None:
    registry = cluster.registry_url.removeprefix("http://")
    source, target = (name.replace(images.REGISTRY, registry) for name in (images.BUSYBOX, PULLED))
    copy = ("skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false")
    subprocess.run([*copy, f"docker://{source}", f"docker://{target}"], check=True)
    start_pod(cluster, "pulled", PULLED, "echo here")
    cluster.kubectl("wait", "pod/pulled", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    assert cluster.kubectl("logs", "pulled") == "here\n"


def test_a_pod_reaches_the_api_through_its_service(cluster: ControlPlane) -> None:
    start_pod(cluster, "client", images.BUSYBOX, f"nc -w 10 {API_SERVICE} 443 </dev/null && echo reached")
    cluster.kubectl("wait", "pod/client", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    assert cluster.kubectl("logs", "client") == "reached\n"


def test_the_host_reaches_a_pod_as_the_api_server_must_for_webhooks(cluster: ControlPlane) -> None:
    start_pod(cluster, "server", images.BUSYBOX, "echo hello >/tmp/index.html; httpd -f -p 8080 -h /tmp")
    cluster.kubectl("wait", "pod/server", "--for=condition=Ready", "--timeout=120s")
    address = eventually(cluster, "get", "pod", "server", "-o", "jsonpath={.status.podIP}")
    with urllib.request.urlopen(f"http://{address}:8080/", timeout=30) as answer:
        assert answer.read() == b"hello\n"


def test_servers_of_the_control_plane_are_not_open_to_nodes(cluster: ControlPlane) -> None:
    """Nobody but the host has a way to etcd, which asks nobody for a name."""
    start_pod(cluster, "intruder", images.BUSYBOX, f"nc -w 5 {cluster.network.gateway} 2379 </dev/null || echo refused")
    cluster.kubectl("wait", "pod/intruder", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    assert cluster.kubectl("logs", "intruder").endswith("refused\n")
