# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role kubevirt and the module kubevirt_info on a real API server.

No operator and no kubelet run there: the tests say what those would say, and the scheduler has no node to choose.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cluster import manifests, programs
from lab.cluster.control_plane import ControlPlane
from tests.cluster.conftest import PROFILE
from tests.cluster.modules import module
from tests.plays import Play, ansible_playbook

assert PROFILE.kubevirt
VERSION = PROFILE.kubevirt.version
DEFINITIONS = Path(__file__).with_name("kubevirt_definitions.yml")
NAMESPACED = ("-n", "kubevirt")

Role = Callable[..., Play]


@pytest.fixture(scope="module")
def operator_yaml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's manifest, as a release has it."""
    assert PROFILE.kubevirt
    path = tmp_path_factory.mktemp("manifest") / "kubevirt-operator.yaml"
    path.write_text(manifests.kubevirt_operator(PROFILE.kubevirt, programs.build(PROFILE.kubevirt)))
    return path


@pytest.fixture
def role(server: ControlPlane, tmp_path: Path) -> Role:
    """Runs the role as a play does."""
    api = {"kubeconfig": "{{ kubeconfig }}"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/intel.qatvirt.cluster": api, "group/kubernetes.core.k8s": api},
        "roles": ["intel.qatvirt.kubevirt"],
    }
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([play]))

    def run(*options: str, **variables: Any) -> Play:
        given = {
            "ansible_python_interpreter": sys.executable,
            "kubeconfig": str(server.kubeconfig),
            "kubevirt_wait_timeout": 1,
            # The lab's Kubernetes may be newer than upstream supports; the pair has a test of its own.
            "kubevirt_allow_unsupported": True,
            **{key: str(value) if isinstance(value, Path) else value for key, value in variables.items()},
        }
        return ansible_playbook("-i", "localhost,", "-c", "local", playbook, "-e", json.dumps(given), *options)

    return run


def apply(server: ControlPlane, *objects: dict[str, Any]) -> None:
    server.kubectl("apply", "--server-side", "-f", "-", text=yaml.safe_dump_all(objects))


def read(server: ControlPlane, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.kubectl("get", *what, "-o", "json"))
    return found


def set_status(server: ControlPlane, kind: str, name: str, **status: Any) -> None:
    patch = json.dumps({"status": status})
    server.kubectl("patch", kind, name, *NAMESPACED, "--subresource=status", "--type=merge", "-p", patch)


def say_available(server: ControlPlane, available: str = "True", target: str = VERSION) -> None:
    """What the operator says in the CR."""
    condition = {"type": "Available", "status": available, "reason": "SomeReason", "message": "some message"}
    set_status(
        server,
        "kubevirt",
        "kubevirt",
        conditions=[condition],
        observedKubeVirtVersion=VERSION,
        targetKubeVirtVersion=target,
    )


@pytest.fixture
def cr(server: ControlPlane) -> Iterator[None]:
    """KubeVirt's CR, available."""
    apply(
        server,
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "KubeVirt",
            "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
            "spec": {},
        },
    )
    say_available(server)
    yield
    server.kubectl("delete", "kubevirt", "kubevirt", *NAMESPACED)


@pytest.fixture
def bare(server: ControlPlane) -> Iterator[None]:
    """A cluster without anything of KubeVirt's; what other tests need is put back."""
    names = ("namespace/kubevirt", "crd/kubevirts.kubevirt.io")
    kept = [read(server, name) for name in names]
    server.kubectl("delete", *names)
    yield
    for item in kept:
        item.pop("status", None)
        item["metadata"] = {key: item["metadata"][key] for key in ("name", "labels") if key in item["metadata"]}
        item["spec"].pop("finalizers", None)
    apply(server, *kept)
    served = "--for=jsonpath={.status.acceptedNames.kind}=KubeVirt"
    server.kubectl("wait", names[1], served, "--timeout=60s")


@pytest.fixture
def definitions(server: ControlPlane) -> Iterator[None]:
    """The kinds HyperConverged and VirtualMachineInstance."""
    server.kubectl("apply", "-f", str(DEFINITIONS))
    for plural in ("hyperconvergeds.hco.kubevirt.io", "virtualmachineinstances.kubevirt.io"):
        server.kubectl("wait", f"crd/{plural}", "--for=condition=Established", "--timeout=60s")
    yield
    server.kubectl("delete", "-f", str(DEFINITIONS))


@pytest.mark.long
def test_a_cluster_gets_kubevirt_once_and_loses_all_of_it(
    server: ControlPlane, bare: None, role: Role, operator_yaml: Path
) -> None:
    found = module("kubevirt_info", kubeconfig=server.kubeconfig)
    assert (found["crd"], found["installed"], found["available"], found["managed_by"]) == (False, False, False, None)
    assert "the API knows no kubevirts.kubevirt.io" in found["problems"][0]
    nothing = role()
    assert nothing.says("the API knows no kubevirts.kubevirt.io", "kubevirt_operator_manifest is not set")

    wanted = {"kubevirt_operator_manifest": operator_yaml, "kubevirt_use_emulation": True}
    preview = role("--check", "--diff", **wanted)
    assert preview.code == 0, preview.text
    assert preview.says(f"KubeVirt {VERSION} would be", "installed")
    assert "kubevirt" not in server.kubectl("get", "namespaces,crds", "-o", "name")

    first = role(**wanted)
    assert first.changed("localhost") == 3, first.text
    assert first.says(
        "KubeVirt is not available after 1 s",
        "KubeVirt kubevirt/kubevirt has no condition at all",
        "virt-operator has 0 of 2 pods ready",
        "is not scheduled: no nodes available",
    ), first.text
    made = read(server, "kubevirt", "kubevirt", *NAMESPACED)["spec"]
    assert made["configuration"]["developerConfiguration"] == {"useEmulation": True}
    say_available(server)
    second = role("--diff", **wanted)
    assert (second.code, second.changed("localhost")) == (0, 0), second.text

    removed = role(kubevirt_state="absent", kubevirt_operator_manifest=operator_yaml, kubevirt_wait_timeout=60)
    assert removed.code == 0, removed.text
    assert "kubevirt" not in server.kubectl("get", "namespaces,crds,clusterroles,clusterrolebindings", "-o", "name")
    again = role(kubevirt_state="absent", kubevirt_operator_manifest=operator_yaml)
    assert (again.code, again.changed("localhost")) == (0, 0), again.text


def test_an_operator_without_a_cr_is_given_one(server: ControlPlane, role: Role) -> None:
    found = module("kubevirt_info", kubeconfig=server.kubeconfig)
    assert (found["crd"], found["installed"]) == (True, False)
    assert "there is no KubeVirt CR" in found["problems"][0]
    waited = module("kubevirt_info", kubeconfig=server.kubeconfig, wait=True, wait_timeout=0)
    assert "there is no KubeVirt CR, so it deploys nothing" in waited["msg"]
    try:
        given = role()
        assert given.says("there is no Deployment virt-operator", "kubevirt_operator_manifest"), given.text
        read(server, "kubevirt", "kubevirt", *NAMESPACED)
    finally:
        server.kubectl("delete", "kubevirt", "kubevirt", *NAMESPACED)


def test_available_is_not_enough(server: ControlPlane, cr: None) -> None:
    found = module("kubevirt_info", kubeconfig=server.kubeconfig, wait=True, wait_timeout=0)
    assert (found["available"], found["managed_by"], found["problems"]) == (True, "kubevirt", [])
    assert (found["observed_version"], found["target_version"]) == (VERSION, VERSION)
    assert found["conditions"][0]["reason"] == "SomeReason"
    say_available(server, target="v1.99.0")
    behind = module("kubevirt_info", kubeconfig=server.kubeconfig, wait=True, wait_timeout=0)
    assert f"version observed {VERSION}, target v1.99.0" in behind["msg"]
    say_available(server)
    other = module("kubevirt_info", kubeconfig=server.kubeconfig, wait=True, wait_timeout=0, version="v1.99.0")
    assert "expected version v1.99.0" in other["msg"]


def test_pods_that_keep_kubevirt_from_being_there_are_named(server: ControlPlane, cr: None) -> None:
    say_available(server, available="False")
    metadata = {"name": "virt-api-1", "namespace": "kubevirt"}
    spec = {"nodeName": "worker1", "containers": [{"name": "virt-api", "image": "r/virt-api:v9"}]}
    apply(server, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker1"}})
    apply(server, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}
    container = {"name": "virt-api", "image": "r/virt-api:v9", "imageID": "", "ready": False, "restartCount": 0}
    set_status(server, "pod", "virt-api-1", containerStatuses=[{**container, "state": state}])
    failed = module("kubevirt_info", kubeconfig=server.kubeconfig, wait=True, wait_timeout=0)
    server.kubectl("delete", "pod", "virt-api-1", *NAMESPACED, "--force", "--grace-period=0")
    server.kubectl("delete", "node", "worker1")
    assert "KubeVirt kubevirt/kubevirt: Available=False (SomeReason: some message)" in failed["msg"]
    assert (
        "pod kubevirt/virt-api-1 on node worker1: image r/virt-api:v9 cannot be pulled "
        "(ImagePullBackOff: manifest unknown). Check name, tag and registry" in failed["msg"]
    )


@pytest.mark.long
def test_nothing_is_changed_for_a_wrong_wish(server: ControlPlane, cr: None, role: Role, operator_yaml: Path) -> None:
    def manifest_of(version: str) -> Path:
        path = operator_yaml.with_name(f"{version}.yaml")
        path.write_text(operator_yaml.read_text().replace(VERSION, version))
        return path

    gates = {"configuration": {"developerConfiguration": {"featureGates": ["HostDevices"]}}}
    before = read(server, "kubevirt", "kubevirt", *NAMESPACED)
    wishes: list[tuple[dict[str, Any], list[str]]] = [
        (
            {"kubevirt_operator_manifest": manifest_of("v1.7.0"), "kubevirt_version": "v1.9.0"},
            [f"KubeVirt {VERSION} runs, and v1.7.0 is older", "kubevirt_version is v1.9.0, but"],
        ),
        (
            {"kubevirt_operator_manifest": manifest_of("v1.9.99"), "kubevirt_cr_spec": gates},
            ["kubevirt_cr_spec has configuration.developerConfiguration.featureGates", "kubevirt_host_devices merges"],
        ),
        (
            {"kubevirt_operator_manifest": "https://192.0.2.1/operator.yaml"},
            ["kubevirt_operator_manifest is a URL", "expected sha256: and 64 hex digits"],
        ),
        ({"kubevirt_operator_manifest": __file__}, ["the operator manifest is no YAML"]),
        ({"kubevirt_version": "v1.99.0"}, ["kubevirt_version is v1.99.0, but", f"is of {VERSION}"]),
    ]
    for variables, words in wishes:
        refused = role(**variables)
        assert refused.code != 0
        assert refused.says(*words), refused.text
        assert refused.changed("localhost") == 0
    assert read(server, "kubevirt", "kubevirt", *NAMESPACED) == before
    assert "virt-operator" not in server.kubectl("get", "deployments", *NAMESPACED, "-o", "name")


@pytest.mark.long
def test_a_download_that_is_another_file_is_refused(
    server: ControlPlane, cr: None, role: Role, operator_yaml: Path
) -> None:
    refused = role(
        kubevirt_operator_manifest=f"file://{operator_yaml}", kubevirt_operator_manifest_checksum="sha256:" + "0" * 64
    )
    assert refused.says("checksum"), refused.text
    assert refused.changed("localhost") == 0


@pytest.mark.long
def test_only_own_fields_of_the_cr_are_written(server: ControlPlane, cr: None, role: Role) -> None:
    fields = {"spec": {"infra": {"replicas": 3}, "imagePullPolicy": "Always"}}
    server.kubectl(
        "patch", "kubevirt", "kubevirt", *NAMESPACED, "--type=merge", "--field-manager=site", "-p", json.dumps(fields)
    )
    wish = {"kubevirt_infra_replicas": 1}
    taken = role(**wish)
    assert taken.code != 0
    assert taken.says("conflict", "site", ".spec.infra.replicas", "owned by the manager named there"), taken.text
    assert read(server, "kubevirt", "kubevirt", *NAMESPACED)["spec"]["infra"] == {"replicas": 3}

    terms = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    placed = {"kubevirt_workloads_placement": {"affinity": {"nodeAffinity": required}}}
    preview = role("--check", "--diff", kubevirt_use_emulation=True)
    assert (preview.code, preview.changed("localhost")) == (0, 2), preview.text
    for changes, wish in [
        (1, {}),
        (1, {"kubevirt_use_emulation": True, **placed}),
        (0, {"kubevirt_use_emulation": True, **placed}),
    ]:
        done = role(**wish)
        assert (done.code, done.changed("localhost")) == (0, changes), done.text
    spec = read(server, "kubevirt", "kubevirt", *NAMESPACED)["spec"]
    assert (spec["infra"], spec["imagePullPolicy"]) == ({"replicas": 3}, "Always")
    assert spec["configuration"]["developerConfiguration"] == {"useEmulation": True}
    assert "qatvirt.intel.com/workload" in json.dumps(spec["workloads"])


@pytest.mark.long
def test_a_webhook_that_is_down_is_named(server: ControlPlane, cr: None, role: Role) -> None:
    rule = {"apiGroups": ["kubevirt.io"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["kubevirts"]}
    webhook = {
        "name": "kubevirt-update-validator.kubevirt.io",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 1,
        "clientConfig": {"service": {"namespace": "kubevirt", "name": "virt-operator-webhook", "path": "/"}},
        "rules": [rule],
    }
    apply(
        server,
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "virt-operator-validator"},
            "webhooks": [webhook],
        },
    )
    try:
        failed = role(kubevirt_use_emulation=True)
    finally:
        server.kubectl("delete", "validatingwebhookconfiguration", "virt-operator-validator")
    assert failed.says("kubevirt-update-validator.kubevirt.io", "See whether the pods behind"), failed.text


def test_machines_keep_their_kubevirt(server: ControlPlane, cr: None, definitions: None, role: Role) -> None:
    machine = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "default"},
    }
    apply(server, machine)
    refused = role(kubevirt_state="absent")
    assert refused.says("Nothing was changed: virtual machines run: default/web"), refused.text
    read(server, "kubevirt", "kubevirt", *NAMESPACED)


@pytest.mark.long
def test_kubevirt_is_left_to_hyperconverged(
    server: ControlPlane, cr: None, definitions: None, role: Role, operator_yaml: Path
) -> None:
    metadata = {"name": "kubevirt-hyperconverged", "namespace": "default"}
    apply(server, {"apiVersion": "hco.kubevirt.io/v1beta1", "kind": "HyperConverged", "metadata": metadata})
    before = read(server, "kubevirt", "kubevirt", *NAMESPACED)
    left = role(kubevirt_operator_manifest=operator_yaml, kubevirt_use_emulation=True, kubevirt_version="v1.99.0")
    assert (left.code, left.changed("localhost")) == (0, 0), left.text
    assert left.says("HyperConverged manages KubeVirt here")
    assert read(server, "kubevirt", "kubevirt", *NAMESPACED) == before


def with_kubeconfig(server: ControlPlane, path: Path, token: str = "", **cluster: str) -> Path:
    """The kubeconfig, but for another user with a token, or with other facts about the cluster."""
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["clusters"][0]["cluster"].update({key.replace("_", "-"): value for key, value in cluster.items()})
    if token:
        config["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config))
    return path


def with_address(server: ControlPlane, path: Path, address: str) -> Path:
    """The kubeconfig, with another address of the API server."""
    path.write_text(server.kubeconfig.read_text().replace(server.url, address))
    return path


def test_missing_rights_are_named(server: ControlPlane, cr: None, tmp_path: Path) -> None:
    token = server.kubectl("create", "token", "default", "-n", "default").strip()
    found = module("kubevirt_info", kubeconfig=with_kubeconfig(server, tmp_path / "config", token=token))
    assert "kubevirts.kubevirt.io is forbidden" in found["msg"]
    assert "playbooks/rbac.yml" in found["msg"]


def test_a_wrong_kubeconfig_is_told_without_a_traceback(server: ControlPlane, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_text("not: [a kubeconfig")
    (user,) = yaml.safe_load(server.kubeconfig.read_text())["users"]
    other_ca = with_kubeconfig(
        server, tmp_path / "ca", certificate_authority_data=user["user"]["client-certificate-data"]
    )
    cases = [
        (tmp_path / "missing", ["missing", "kubeconfig"]),
        (garbage, [str(garbage), "Set qatvirt_kubeconfig"]),
        (with_address(server, tmp_path / "port", "https://127.0.0.1:1"), ["cannot be reached", "refused"]),
        (other_ca, ["cannot be reached", "certificate"]),
        (with_kubeconfig(server, tmp_path / "token", token="wrong"), ["does not accept the credentials"]),
    ]
    for kubeconfig, words in cases:
        found = module("kubevirt_info", kubeconfig=kubeconfig)
        assert [word for word in words if word not in found["msg"]] == [], found["msg"]
