# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""KubeVirt's versions, state and manifest."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt import (
    cr_spec,
    describe,
    describe_operator,
    is_available,
    manifest_version,
    version_objections,
    with_images_of,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.placement import RULE
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError, Refused


def fatal(*arguments: Any) -> list[str]:
    return [objection.text for objection in version_objections(*arguments) if objection.fatal]


def warned(*arguments: Any) -> list[str]:
    return [objection.text for objection in version_objections(*arguments) if not objection.fatal]


def test_a_supported_pair_has_nothing_against_it() -> None:
    assert version_objections("v1.8.4", None, "v1.35.4") == []
    assert version_objections("v1.8.4", "v1.8.4", "v1.33.0+k3s1") == []
    assert version_objections("v1.9.0", "v1.8.4", "v1.36.0", "1.9.0") == []


def test_an_unsupported_pair_names_what_would_fit() -> None:
    (text,) = fatal("v1.8.4", None, "v1.36.3")
    assert "supports Kubernetes 1.33 to 1.35, and the cluster is v1.36.3. Take KubeVirt 1.9" in text
    assert warned("v1.8.4", None, "v1.36.3", "", True) == [text]


def test_an_unknown_pair_is_a_warning() -> None:
    assert fatal("v2.0.0", None, "v1.40.0") == []
    assert "it is not known whether" in warned("v2.0.0", None, "v1.40.0")[0]


def test_what_is_no_release_is_adopted_with_a_warning() -> None:
    assert fatal("devel", "devel", "v1.35.4") == []
    assert "KubeVirt devel is no release" in warned("devel", "devel", "v1.35.4")[0]
    assert version_objections("v1.8.4", "devel", "v1.35.4") == []


def test_going_back_is_refused_and_cannot_be_allowed() -> None:
    (text,) = fatal("v1.8.3", "v1.8.4", "v1.35.4", "", True)
    assert "KubeVirt v1.8.4 runs, and v1.8.3 is older" in text


def test_leaps_and_known_bugs_are_warnings() -> None:
    assert "skips a minor release" in warned("v1.8.4", "v1.6.0", "v1.33.0")[0]
    assert "take v1.8.3 or later" in warned("v1.8.2", None, "v1.35.0")[0]


def test_a_version_that_is_pinned_has_to_be_the_one() -> None:
    assert "kubevirt_version is v1.9.0, but" in fatal("v1.8.4", None, "v1.35.4", "v1.9.0")[0]
    with pytest.raises(InputError, match=r"'latest' is no KubeVirt version; expected one such as v1\.8\.4"):
        version_objections("v1.8.4", None, "v1.35.4", "latest")


def cr(observed: str | None = "v1.8.4", target: str | None = "v1.8.4", **states: str) -> dict[str, Any]:
    conditions = [{"type": kind, "status": status, "reason": "R", "message": "m"} for kind, status in states.items()]
    status = {"conditions": conditions, "observedKubeVirtVersion": observed, "targetKubeVirtVersion": target}
    return {"metadata": {"namespace": "kubevirt", "name": "kubevirt"}, "status": status}


def test_available_is_more_than_the_condition() -> None:
    assert is_available(cr(Available="True"), None)
    assert is_available(cr(Available="True"), "1.8.4")
    assert not is_available(cr(Available="True"), "v1.9.0")
    assert not is_available(cr(target="v1.9.0", Available="True"), None)
    assert not is_available(cr(Available="True", Degraded="True"), None)
    assert not is_available(cr(Available="False"), None)
    assert not is_available({"metadata": {}}, None)


def test_state_is_told_with_reasons() -> None:
    assert "Available=False (R: m); version observed v1.8.4" in describe(cr(Available="False"))
    assert "its operator has not processed the CR" in describe({"metadata": {"namespace": "a", "name": "b"}})
    operator = {"metadata": {"name": "virt-operator"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}
    assert describe_operator([operator]) == "virt-operator has 1 of 2 pods ready"
    assert "there is no Deployment virt-operator" in describe_operator([])


def operator(image: str, **environment: str) -> dict[str, Any]:
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    pod = {"containers": [{"name": "virt-operator", "image": image, "env": variables}]}
    return {"kind": "Deployment", "metadata": {"name": "virt-operator"}, "spec": {"template": {"spec": pod}}}


def test_a_manifest_tells_its_version() -> None:
    assert manifest_version([operator("quay.io/kubevirt/virt-operator:v1.8.4")]) == "v1.8.4"
    by_digest = operator("quay.io/kubevirt/virt-operator@sha256:abc", KUBEVIRT_VERSION="v1.9.0")
    assert manifest_version([by_digest]) == "v1.9.0"
    with pytest.raises(InputError, match=r"no Deployment virt-operator; expected kubevirt-operator\.yaml"):
        manifest_version([{"kind": "Namespace", "metadata": {"name": "kubevirt"}}])


def test_a_mirror_replaces_registry_and_prefix_everywhere() -> None:
    before = operator(
        "quay.io/kubevirt/virt-operator:v1", VIRT_API_IMAGE="quay.io/kubevirt/virt-api@sha256:1", OTHER="a/b"
    )
    (after,) = with_images_of([before], "mirror.example.net/kv/", ["pull"])
    pod = after["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "mirror.example.net/kv/virt-operator:v1"
    assert [entry["value"] for entry in pod["containers"][0]["env"]] == [
        "mirror.example.net/kv/virt-api@sha256:1",
        "a/b",
    ]
    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    assert with_images_of([before], "", []) == [before]


def test_the_spec_has_what_was_set_and_nothing_else() -> None:
    parts = {"infra.replicas": 1, "infra.nodePlacement": {}, "configuration.x.useEmulation": None}
    assert cr_spec({"configuration": {"x": {"y": 1}}}, parts, []) == {
        "configuration": {"x": {"y": 1}},
        "infra": {"replicas": 1},
    }
    assert cr_spec({}, {}, ["a"]) == {"imagePullSecrets": [{"name": "a"}]}


def test_a_placement_of_the_users_has_the_rule() -> None:
    spec = cr_spec({}, {"workloads.nodePlacement": {"nodeSelector": {"zone": "a"}}}, [])
    assert RULE in next(iter(_terms(spec)))["matchExpressions"]
    with pytest.raises(Refused, match="Remove that label from the nodeSelector"):
        cr_spec({}, {"workloads.nodePlacement": {"nodeSelector": {"qatvirt.intel.com/workload": "container"}}}, [])


def _terms(spec: dict[str, Any]) -> list[dict[str, Any]]:
    affinity = spec["workloads"]["nodePlacement"]["affinity"]["nodeAffinity"]
    terms: list[dict[str, Any]] = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return terms


@pytest.mark.parametrize("path", [{"permittedHostDevices": {}}, {"developerConfiguration": {"featureGates": ["X"]}}])
def test_lists_of_others_are_not_for_the_cr_spec(path: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the module kubevirt_host_devices merges"):
        cr_spec({"configuration": path}, {}, [])
