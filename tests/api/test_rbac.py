# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that rbac.yml grants, asked of a real API server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.cluster.control_plane import ControlPlane, component
from lab.errors import LabError
from tests.lab.plays import Play, play

ACCOUNT = "system:serviceaccount:qatvirt:qatvirt"


@pytest.fixture
def grant(server: ControlPlane, tmp_path: Path) -> Iterator[Any]:
    """Runs rbac.yml; takes all back in the end."""
    kubeconfig = tmp_path / "qatvirt.kubeconfig"
    (tmp_path / "hosts.yml").write_text("all: {}\n")

    def run(*options: str, **variables: Any) -> Play:
        given = {"rbac_admin_kubeconfig": str(server.kubeconfig), "rbac_kubeconfig": str(kubeconfig), **variables}
        return play(tmp_path, "rbac", *options, **given)

    yield run
    removed = run(rbac_state="absent")
    assert removed.code == 0, removed.text
    assert not kubeconfig.exists()
    assert "qatvirt" not in server.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
    assert "qatvirt" not in server.kubectl("get", "namespaces,roles,rolebindings", "-A", "-o", "name")


def may(server: ControlPlane, verb: str, what: str, namespace: str = "default") -> bool:
    try:
        return "yes" in server.kubectl("auth", "can-i", verb, what, "-n", namespace, "--as", ACCOUNT)
    except LabError:  # kubectl answers no by its exit code, too
        return False


def test_rights_are_what_is_needed_and_no_more(server: ControlPlane, grant: Any, tmp_path: Path) -> None:
    preview = grant("--check", "--diff")
    assert preview.code == 0, preview.text
    assert "qatvirt" not in server.kubectl("get", "namespaces", "-o", "name")
    first, second = grant("-vvv"), grant()
    assert (first.code, second.code) == (0, 0), first.text + second.text
    assert (first.changed("localhost") > 0, second.changed("localhost")) == (True, 0)

    needed = [("list", "nodes"), ("patch", "nodes"), ("list", "pods"), ("update", "kubevirts"), ("list", "daemonsets")]
    assert [item for item in needed if not may(server, *item)] == []
    assert may(server, "patch", "daemonsets", "qatvirt")
    assert may(server, "delete", "pods", "kubevirt")
    excessive = [
        ("get", "secrets", "qatvirt"),
        ("create", "pods", "qatvirt"),
        ("delete", "nodes", "default"),
        ("update", "nodes", "default"),
        ("delete", "pods", "default"),
        ("patch", "daemonsets", "kubevirt"),
        ("create", "clusterroles", "default"),
        ("escalate", "clusterroles", "default"),
        ("create", "kubevirts", "kubevirt"),
    ]
    assert [item for item in excessive if may(server, *item)] == []

    kubeconfig = tmp_path / "qatvirt.kubeconfig"
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    (token,) = [line.split()[-1] for line in kubeconfig.read_text().splitlines() if "token:" in line]
    assert token not in first.text
    whoami = subprocess.run(
        [component("kubectl"), "--kubeconfig", kubeconfig, "auth", "whoami", "-o", "json"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(whoami.stdout)["status"]["userInfo"]["username"] == ACCOUNT


def test_installing_kubevirt_is_granted_and_taken_back_apart(server: ControlPlane, grant: Any) -> None:
    assert grant(rbac_install_kubevirt=True).code == 0
    assert may(server, "escalate", "clusterroles")
    assert grant().code == 0
    assert not may(server, "escalate", "clusterroles")
