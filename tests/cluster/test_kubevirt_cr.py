# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kubevirt_cr on a real API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.modules import kubevirt_cr
from lab.cluster.control_plane import ControlPlane
from tests.cluster.modules import Cluster, module

NAMESPACED = ("-n", "kubevirt")
EMULATION = {"configuration": {"developerConfiguration": {"useEmulation": True}}}
ZONE = {"key": "zone", "operator": "In", "values": ["a"]}


@pytest.fixture
def cr(server: ControlPlane) -> Iterator[ControlPlane]:
    """The API server; a CR that a test makes there is removed."""
    yield server
    server.kubectl("delete", "kubevirt", "kubevirt", *NAMESPACED, "--ignore-not-found")


def spec_of(server: ControlPlane) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.kubectl("get", "kubevirt", "kubevirt", *NAMESPACED, "-o", "json"))
    return found.get("spec", {})


def write(server: ControlPlane, manager: str, spec: dict[str, Any]) -> None:
    """Update the CR as another client does."""
    patch = json.dumps({"spec": spec})
    server.kubectl(
        "patch", "kubevirt", "kubevirt", *NAMESPACED, "--type=merge", f"--field-manager={manager}", "-p", patch
    )


def placed(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = [{"matchExpressions": list(expressions)}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"workloads": {"nodePlacement": {"affinity": {"nodeAffinity": required}}}}


def test_a_cr_is_made_once_and_fields_go_with_the_wish(cr: ControlPlane) -> None:
    preview = module("kubevirt_cr", "--check", kubeconfig=cr.kubeconfig, spec=EMULATION)
    assert preview["changed"]
    assert cr.kubectl("get", "kubevirt", *NAMESPACED, "-o", "name") == ""
    first = Cluster(cr).run(kubevirt_cr, name="kubevirt", namespace="kubevirt", spec=EMULATION)
    assert first["changed"]
    assert first["diff"] == {"before": {}, "after": first["spec"]}
    assert spec_of(cr)["configuration"] == EMULATION["configuration"]
    assert not module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec=EMULATION)["changed"]
    write(cr, "site", {"imagePullPolicy": "Always"})
    gone = module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec={"infra": {"replicas": 1}})
    assert gone["changed"]
    spec = spec_of(cr)
    assert (spec["infra"], spec["imagePullPolicy"]) == ({"replicas": 1}, "Always")
    assert "useEmulation" not in json.dumps(spec)


def test_fields_of_another_manager_stay_and_the_manager_is_named(cr: ControlPlane) -> None:
    module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec={})
    write(cr, "site", {"infra": {"replicas": 3}})
    refused = module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec={"infra": {"replicas": 1}})
    assert "site owns .spec.infra.replicas" in refused["msg"], refused
    assert "--show-managed-fields" in refused["msg"]
    assert spec_of(cr)["infra"] == {"replicas": 3}


def test_what_kubevirt_placement_wrote_is_taken_over(cr: ControlPlane) -> None:
    module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec={})
    assert module("kubevirt_placement", kubeconfig=cr.kubeconfig)["changed"]
    wish = placed(ZONE)
    preview = module("kubevirt_cr", "--check", kubeconfig=cr.kubeconfig, spec=wish)
    assert preview["changed"]
    assert preview["spec"]["workloads"] == wish["workloads"]
    assert spec_of(cr)["workloads"] != wish["workloads"]
    assert module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec=wish)["changed"]
    assert spec_of(cr)["workloads"] == wish["workloads"]
    assert not module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec=wish)["changed"]


def test_a_field_that_kubevirt_does_not_have_is_named(cr: ControlPlane) -> None:
    wrong = module("kubevirt_cr", kubeconfig=cr.kubeconfig, spec={"infra": {"replicas": "many"}})
    assert "spec.infra.replicas" in wrong["msg"], wrong
