# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that rbac.yml grants, asked of a real API server."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.cluster.control_plane import ControlPlane, component
from tests.plays import Play, play

ACCOUNT = "system:serviceaccount:qatvirt:qatvirt"


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Where rbac.yml writes the one of the account."""
    return tmp_path / "qatvirt.kubeconfig"


@pytest.fixture
def rbac(server: ControlPlane, tmp_path: Path, kubeconfig: Path) -> Callable[..., Play]:
    """Runs rbac.yml."""
    (tmp_path / "hosts.yml").write_text("all: {}\n")

    def run(*options: str, **variables: Any) -> Play:
        given = {"rbac_admin_kubeconfig": str(server.kubeconfig), "rbac_kubeconfig": str(kubeconfig), **variables}
        return play(tmp_path, "rbac", *options, **given)

    return run


@pytest.fixture
def grant(server: ControlPlane, rbac: Callable[..., Play], kubeconfig: Path) -> Iterator[Callable[..., Play]]:
    """Runs rbac.yml; takes all back in the end."""
    yield rbac
    removed = rbac(rbac_state="absent")
    assert removed.code == 0, removed.text
    assert not kubeconfig.exists()
    assert ours(server) == []


def ours(server: ControlPlane) -> list[str]:
    """Names of all that rbac.yml makes."""
    found = server.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name").split()
    found += server.kubectl("get", "namespaces,roles,rolebindings", "-A", "-o", "name").split()
    return [name for name in found if "qatvirt" in name]


def may(server: ControlPlane, verb: str, what: str, namespace: str = "default") -> bool:
    """What the authorizer says. what: resource.group or resource/subresource.group.

    kubectl auth can-i knows only kinds that the server has.
    """
    whole, _dot, group = what.partition(".")
    resource, _slash, subresource = whole.partition("/")
    attributes = {
        "verb": verb,
        "resource": resource,
        "subresource": subresource,
        "group": group,
        "namespace": namespace,
    }
    groups = ["system:serviceaccounts", "system:serviceaccounts:qatvirt", "system:authenticated"]
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": ACCOUNT, "groups": groups, "resourceAttributes": attributes},
    }
    return server.kubectl("create", "-f", "-", "-o", "jsonpath={.status.allowed}", text=json.dumps(review)) == "true"


def test_rights_are_what_is_needed_and_no_more(
    server: ControlPlane, grant: Callable[..., Play], kubeconfig: Path
) -> None:
    preview = grant("--check", "--diff")
    assert preview.code == 0, preview.text
    assert ours(server) == []
    first, second = grant("-vvv", "--diff"), grant("-vvv", "--diff")
    assert (first.code, second.code) == (0, 0), first.text + second.text
    assert (first.changed("localhost") > 0, second.changed("localhost")) == (True, 0)

    needed = {
        "default": (
            *(("get", "nodes"), ("list", "nodes"), ("patch", "nodes"), ("list", "pods"), ("list", "daemonsets.apps")),
            ("get", "namespaces"),
            *((verb, "kubevirts.kubevirt.io") for verb in ("get", "list", "update", "patch")),
            *((verb, "hyperconvergeds.hco.kubevirt.io") for verb in ("get", "list", "update")),
            ("list", "virtualmachineinstances.kubevirt.io"),
        ),
        "qatvirt": (
            *((verb, "daemonsets.apps") for verb in ("get", "create", "patch", "delete")),
            ("list", "events"),
        ),
        "kubevirt": (("delete", "pods"), ("list", "deployments.apps"), ("list", "events")),
        "qatvirt-test": (
            *((verb, "virtualmachineinstances.kubevirt.io") for verb in ("list", "create", "delete")),
            ("get", "virtualmachineinstances/console.subresources.kubevirt.io"),
            *((verb, "pods") for verb in ("list", "create", "delete")),
            *(("get", "pods/log"), ("get", "pods/exec"), ("create", "pods/exec"), ("list", "events")),
            *((verb, "secrets") for verb in ("create", "delete")),
            *((verb, "leases.coordination.k8s.io") for verb in ("list", "create", "patch", "delete")),
        ),
    }
    denied = [
        (namespace, *item) for namespace, items in needed.items() for item in items if not may(server, *item, namespace)
    ]
    assert denied == []
    excessive = [
        ("get", "secrets", "qatvirt"),
        ("create", "pods", "qatvirt"),
        ("delete", "nodes", "default"),
        ("update", "nodes", "default"),
        ("delete", "pods", "default"),
        ("list", "events", "default"),
        ("patch", "daemonsets.apps", "kubevirt"),
        ("create", "clusterroles.rbac.authorization.k8s.io", "default"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io", "default"),
        ("create", "kubevirts.kubevirt.io", "kubevirt"),
        ("get", "secrets", "qatvirt-test"),
        ("list", "secrets", "qatvirt-test"),
        ("patch", "pods", "qatvirt-test"),
        ("create", "virtualmachineinstances.kubevirt.io", "default"),
        ("get", "virtualmachineinstances/console.subresources.kubevirt.io", "default"),
        ("create", "pods/exec", "default"),
    ]
    assert [item for item in excessive if may(server, *item)] == []
    # Without this no virtual machine starts in it.
    level = "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}"
    assert server.kubectl("get", "namespace", "qatvirt-test", "-o", level) == "privileged"

    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    (token,) = [line.split()[-1] for line in kubeconfig.read_text().splitlines() if "token:" in line]
    # The API gives it in base64, with every answer about the Secret after the first.
    for secret in (token, base64.b64encode(token.encode()).decode()):
        assert secret not in first.text + second.text
    whoami = subprocess.run(
        [component("kubectl"), "--kubeconfig", kubeconfig, "auth", "whoami", "-o", "json"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(whoami.stdout)["status"]["userInfo"]["username"] == ACCOUNT


@pytest.mark.long
def test_installing_kubevirt_is_granted_and_taken_back_apart(server: ControlPlane, grant: Callable[..., Play]) -> None:
    assert grant(rbac_install_kubevirt=True).code == 0
    assert may(server, "escalate", "clusterroles.rbac.authorization.k8s.io")
    assert grant().code == 0
    assert not may(server, "escalate", "clusterroles.rbac.authorization.k8s.io")


@pytest.mark.long
def test_a_second_run_changes_nothing_where_the_first_made_kubevirts_namespace(
    server: ControlPlane, grant: Callable[..., Play]
) -> None:
    try:
        assert grant(rbac_kubevirt_namespace="virtual").code == 0
        again = grant(rbac_kubevirt_namespace="virtual")
        assert (again.code, again.changed("localhost")) == (0, 0), again.text
        assert may(server, "delete", "pods", "virtual")
    finally:
        server.kubectl("delete", "namespace", "virtual", "--ignore-not-found")


def test_namespaces_with_pods_in_them_are_not_removed(server: ControlPlane, grant: Callable[..., Play]) -> None:
    assert grant().code == 0
    for namespace in ("qatvirt", "qatvirt-test"):
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "of-others", "namespace": namespace},
            "spec": {"containers": [{"name": "main", "image": "none"}]},
        }
        # The controller manager makes the account that pods have, soon after the namespace.
        server.kubectl("wait", "serviceaccount/default", "-n", namespace, "--for=create", "--timeout=30s")
        server.kubectl("create", "-f", "-", text=json.dumps(pod))
        refused = grant(rbac_state="absent")
        server.kubectl("-n", namespace, "delete", "pod", "of-others", "--grace-period=0", "--force")
        assert refused.code != 0
        assert refused.says(
            "Nothing was changed", f"in namespace {namespace} and would be removed", "of-others", "teardown.yml"
        )
        assert may(server, "list", "nodes")


@pytest.mark.long
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"rbac_kubeconfig": "/nowhere/at/all/kubeconfig"}, ("/nowhere/at/all", "Make it")),
        ({"rbac_namespace": "kubevirt"}, ("rbac_namespace", "rbac_kubevirt_namespace", "'kubevirt'")),
        ({"rbac_test_namespace": "kubevirt"}, ("rbac_test_namespace", "'kubevirt'", "of its own")),
    ],
    ids=["directory", "namespaces", "tests"],
)
def test_bad_input_is_refused_before_anything_is_changed(
    server: ControlPlane, rbac: Callable[..., Play], variables: dict[str, str], words: tuple[str, ...]
) -> None:
    refused = rbac(**variables)
    assert refused.code != 0
    assert refused.says("Nothing was changed", *words)
    assert ours(server) == []
