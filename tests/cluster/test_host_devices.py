# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries in a CR that others write, too, on a real API server: nothing of anybody is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.host_devices import Entry, merge, permitted_devices
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import (
    ConfigOwner,
    find_config_owner,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import look_up, set_at
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.update import edit
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import Conflict, Refused
from lab.cluster.control_plane import ControlPlane
from tests.cluster.modules import Asked, Cluster, module

HYPERCONVERGED = yaml.safe_load(Path(__file__).with_name("hyperconverged.yml").read_text())
EDITS = 100
"""Of each of two writers."""

NOTE = '# a comment\n  {"odd":   "space",\t"last": 1.0}\n\n'
VF = {"selector": "8086:4941", "resource_name": "intel.com/qat", "external_resource_provider": False}
OURS = [{"pciVendorSelector": "8086:4941", "resourceName": "intel.com/qat"}]
THEIRS = [
    {"pciVendorSelector": "10DE:1EB8", "resourceName": "nvidia.com/T4", "externalResourceProvider": True},
    {"pciVendorSelector": "8086:0d58", "resourceName": "intel.com/nic"},
]
KUBEVIRT = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "KubeVirt",
    "metadata": {"name": "kubevirt", "namespace": "kubevirt", "annotations": {"note": NOTE}},
    "spec": {
        "certificateRotateStrategy": {},
        "configuration": {
            "developerConfiguration": {"featureGates": ["Sidecar"], "logVerbosity": {"virtAPI": 3}},
            "permittedHostDevices": {
                "pciHostDevices": THEIRS,
                "mediatedDevices": [{"mdevNameSelector": "GRID T4-1Q", "resourceName": "nvidia.com/GRID_T4-1Q"}],
            },
        },
        "workloads": {"nodePlacement": {"tolerations": [{"key": "gpu", "operator": "Exists"}]}},
    },
}
MDEVS = KUBEVIRT["spec"]["configuration"]["permittedHostDevices"]["mediatedDevices"]  # type: ignore[index]
HCO_DEVICES = {"pciHostDevices": [{"pciDeviceSelector": "10DE:1EB8", "resourceName": "nvidia.com/T4"}]}
HCO = {
    "kind": "HyperConverged",
    "metadata": {"name": "kubevirt-hyperconverged", "namespace": "kubevirt", "annotations": {"note": NOTE}},
}
HCO_SPECS: dict[str, dict[str, Any]] = {
    "v1": {"virtualization": {"defaultCPUModel": "Haswell", "permittedHostDevices": HCO_DEVICES}},
    "v1beta1": {"defaultCPUModel": "Haswell", "permittedHostDevices": HCO_DEVICES},
}


@pytest.fixture
def cluster(server: ControlPlane) -> Iterator[Cluster]:
    """With KubeVirt's kind, and no CR before and after."""
    yield Cluster(server)
    server.kubectl("delete", "kubevirts", "--all", "-A")


@pytest.fixture
def kubevirt(cluster: Cluster) -> Cluster:
    """With a KubeVirt CR in which others have things."""
    cluster.make(KUBEVIRT)
    return cluster


def serve(cluster: Cluster, *versions: str) -> Iterator[Cluster]:
    """With a HyperConverged object, in these versions, and the KubeVirt CR it owns."""
    definition = deepcopy(HYPERCONVERGED)
    definition["spec"]["versions"] = [
        {**version, "storage": version["name"] == versions[0]}
        for version in definition["spec"]["versions"]
        if version["name"] in versions
    ]
    cluster.make(KUBEVIRT)
    cluster.define(definition)
    cluster.make({"apiVersion": f"hco.kubevirt.io/{versions[0]}", **HCO, "spec": HCO_SPECS[versions[0]]})
    yield cluster
    cluster.forget(definition)


@pytest.fixture(params=["v1", "v1beta1"])
def hyperconverged(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """With a HyperConverged object in one version, and the KubeVirt CR it owns."""
    yield from serve(cluster, request.param)


@pytest.fixture
def both_versions(cluster: Cluster) -> Iterator[Cluster]:
    """With a HyperConverged object in both versions."""
    yield from serve(cluster, "v1", "v1beta1")


@pytest.fixture
def without_kubevirt(cluster: Cluster) -> Iterator[Cluster]:
    """Without KubeVirt's kind."""
    definition = cluster.api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kubevirts.kubevirt.io")
    old = {**definition, "metadata": {"name": definition["metadata"]["name"]}, "status": None}
    one_served = deepcopy(old)
    one_served["spec"]["versions"] = [version for version in old["spec"]["versions"] if version["served"]]
    cluster.forget(one_served)
    yield cluster
    cluster.define(old)


def test_the_module_permits_vfs_once_and_previews_it(kubevirt: Cluster) -> None:
    wanted: dict[str, Any] = {"kubeconfig": kubevirt.server.kubeconfig, "entries": [VF]}
    before = kubevirt.read()
    preview = module("kubevirt_host_devices", "--check", **wanted)
    assert preview["changed"]
    assert preview["after"] == THEIRS + OURS
    assert kubevirt.read() == before
    done = module("kubevirt_host_devices", **wanted)
    assert (done["changed"], done["before"], done["after"]) == (True, THEIRS, THEIRS + OURS)
    assert done["configured_by"] == {"kind": "KubeVirt", "namespace": "kubevirt", "name": "kubevirt"}
    after = kubevirt.read()
    assert not module("kubevirt_host_devices", **wanted)["changed"]
    assert kubevirt.read() == after


def test_all_that_is_not_ours_stays_byte_for_byte_and_absent_takes_ours_back(kubevirt: Cluster) -> None:
    before = kubevirt.read()
    assert NOTE in before["metadata"]["annotations"].values()
    kubevirt.permit(VF)
    after = kubevirt.read()
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    configuration = after["spec"]["configuration"]
    assert configuration["permittedHostDevices"] == {"pciHostDevices": THEIRS + OURS, "mediatedDevices": MDEVS}
    assert configuration["developerConfiguration"] == {
        "featureGates": ["Sidecar", "HostDevices"],
        "logVerbosity": {"virtAPI": 3},
    }
    preview = kubevirt.permit(VF, state="absent", check=True)
    assert preview["diff"]["after"]["pciHostDevices"] == THEIRS
    assert kubevirt.read() == after
    assert kubevirt.permit(VF, state="absent")["changed"]
    assert not kubevirt.permit(VF, state="absent")["changed"]
    left = kubevirt.read()
    left["spec"]["configuration"]["developerConfiguration"]["featureGates"].remove("HostDevices")
    assert left["spec"] == before["spec"]
    assert left["metadata"]["annotations"] == before["metadata"]["annotations"]


def test_a_cr_without_any_device_looks_as_before_but_for_the_gate(cluster: Cluster) -> None:
    cluster.make({**KUBEVIRT, "spec": {}})
    cluster.permit(VF)
    cluster.permit(VF, state="absent")
    gates = {"developerConfiguration": {"featureGates": ["HostDevices"]}}
    assert cluster.read()["spec"] == {**cluster.read()["spec"], "configuration": gates}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"selector": "8086:4940"}, "is the PF of a 4xxx; a virtual machine gets VFs, whose selector is 8086:4941"),
        ({"selector": "8086-4941"}, "'8086-4941' is not vendor and device in hex"),
        ({"selector": "10de:1eb8"}, "but KubeVirt kubevirt/kubevirt gives it the name nvidia.com/T4"),
        ({"resource_name": "qat"}, "resource name 'qat' is not DOMAIN/NAME"),
        ({"resource_name": "qat.intel.com/cy"}, "kubelet would give the VFs away twice"),
        ({"resource_name": "qat.intel.com/cy", "external_resource_provider": True}, "never starts"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_written(
    kubevirt: Cluster, entry: dict[str, Any], message: str
) -> None:
    before = kubevirt.read()
    with pytest.raises(Refused, match="nothing was changed") as refused:
        kubevirt.permit({**VF, "selector": "8086:4945"}, {**VF, **entry})
    assert message in str(refused.value)
    assert kubevirt.read() == before


def test_a_gate_that_somebody_closed_stays_closed(kubevirt: Cluster) -> None:
    off = {"spec": {"configuration": {"developerConfiguration": {"disabledFeatureGates": ["HostDevices"]}}}}
    kubevirt.server.kubectl("patch", "kubevirt", "kubevirt", "-n", "kubevirt", "--type=merge", "-p", json.dumps(off))
    before = kubevirt.read()
    with pytest.raises(Refused, match="KubeVirt kubevirt/kubevirt has HostDevices in disabledFeatureGates"):
        kubevirt.permit(VF)
    assert kubevirt.read() == before


def test_an_operator_without_cr_and_two_crs_are_told_apart(cluster: Cluster) -> None:
    with pytest.raises(Refused, match="but there is no KubeVirt CR"):
        cluster.permit(VF)
    assert cluster.place() == {"changed": False, "configured_by": None}
    cluster.make(KUBEVIRT)
    cluster.make({**KUBEVIRT, "metadata": {"name": "other", "namespace": "default"}})
    with pytest.raises(Refused, match=r"several KubeVirt CRs \(default/other, kubevirt/kubevirt\)"):
        cluster.permit(VF)
    with pytest.raises(Refused, match="several KubeVirt CRs"):
        cluster.place()


def test_a_cluster_without_kubevirt_is_told(without_kubevirt: Cluster) -> None:
    told = module("kubevirt_host_devices", kubeconfig=without_kubevirt.server.kubeconfig, entries=[VF])
    assert "KubeVirt is not installed at https://" in told["msg"]
    assert without_kubevirt.place() == {"changed": False, "configured_by": None}


def test_hyperconverged_is_edited_and_the_cr_it_owns_left(hyperconverged: Cluster) -> None:
    owned = hyperconverged.api.get("/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts/kubevirt")
    before = hyperconverged.read()
    assert hyperconverged.permit(VF)["configured_by"]["kind"] == "HyperConverged"
    assert hyperconverged.place()["configured_by"]["kind"] == "HyperConverged"
    after = hyperconverged.read()
    assert {"pciDeviceSelector": "8086:4941", "resourceName": "intel.com/qat"} in permitted_devices(
        after, find_config_owner(hyperconverged.api)
    )
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert not hyperconverged.permit(VF)["changed"]
    assert not hyperconverged.place()["changed"]
    hyperconverged.permit(VF, state="absent")
    hyperconverged.place("absent")
    assert hyperconverged.read()["spec"] == before["spec"]
    assert hyperconverged.api.get("/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts/kubevirt") == owned


def test_the_newer_version_of_hyperconverged_is_taken_and_what_is_disabled_there_stays(both_versions: Cluster) -> None:
    owner = find_config_owner(both_versions.api)
    assert owner.url == "/apis/hco.kubevirt.io/v1/namespaces/kubevirt/hyperconvergeds/kubevirt-hyperconverged"
    off = {"pciDeviceSelector": "8086:4941", "resourceName": "intel.com/qat", "disabled": True}
    edit(both_versions.api, owner.url, lambda item: _with(item, owner, off))
    with pytest.raises(
        Refused, match="has 8086:4941 with disabled: true, so an administrator switched this device off"
    ):
        both_versions.permit(VF)


def test_a_hyperconverged_kind_without_object_leaves_kubevirt_the_owner(both_versions: Cluster) -> None:
    both_versions.server.kubectl("delete", "hyperconvergeds", "--all", "-A")
    assert both_versions.permit(VF)["configured_by"]["kind"] == "KubeVirt"


def test_placement_comes_and_goes_without_a_trace(kubevirt: Cluster) -> None:
    before = kubevirt.read()
    preview = kubevirt.place(check=True)
    assert preview["changed"]
    assert kubevirt.read() == before
    assert kubevirt.place()["changed"]
    placement = kubevirt.read()["spec"]["workloads"]["nodePlacement"]
    assert placement == preview["diff"]["after"]
    (term,) = placement["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    rule = {"key": "qatvirt.intel.com/workload", "operator": "NotIn", "values": ["container"]}
    assert term == {"matchExpressions": [rule]}
    assert not kubevirt.place()["changed"]
    assert kubevirt.place("absent")["changed"]
    assert not kubevirt.place("absent")["changed"]
    assert kubevirt.read()["spec"] == before["spec"]


def test_a_kubevirt_that_is_only_on_nodes_for_containers_is_told(cluster: Cluster) -> None:
    placement = {"nodePlacement": {"nodeSelector": {"qatvirt.intel.com/workload": "container"}}}
    cluster.make({**KUBEVIRT, "spec": {"workloads": placement}})
    with pytest.raises(Refused, match=r"KubeVirt kubevirt/kubevirt: spec.workloads.nodePlacement.nodeSelector has"):
        cluster.place()


def test_writers_of_kubevirt_lose_nothing(kubevirt: Cluster) -> None:
    _fight(kubevirt)


def test_writers_of_hyperconverged_lose_nothing(hyperconverged: Cluster) -> None:
    _fight(hyperconverged)


def _fight(cluster: Cluster) -> None:
    """Two hundred edits by two writers, of the same list and annotations, each reading before it writes."""
    owner = find_config_owner(cluster.api)
    before = cluster.read()
    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write, str(cluster.server.kubeconfig), owner) for write in (_ours, _theirs)]
        assert sum(writer.result() for writer in writers), "they never met"
    after = cluster.read()
    assert len(permitted_devices(after, owner)) == len(permitted_devices(before, owner)) + 2 * EDITS
    assert permitted_devices(after, owner)[: len(permitted_devices(before, owner))] == permitted_devices(before, owner)
    assert _selectors(after, owner, "ours") == [f"aaaa:{number:04x}" for number in range(EDITS)]
    assert _selectors(after, owner, "theirs") == [f"BBBB:{number:04X}" for number in range(EDITS)]
    notes = {f"theirs.example/{number}": f"  {number}\t# odd\n" for number in range(EDITS)}
    assert after["metadata"]["annotations"] == {**before["metadata"]["annotations"], **notes}
    assert _rest(after, owner) == _rest(before, owner)


class Counting(Api):
    """Counts how often somebody else was faster."""

    conflicts = 0

    def replace(self, path: str, definition: dict[str, Any]) -> dict[str, Any]:
        try:
            return super().replace(path, definition)
        except Conflict:
            self.conflicts += 1
            raise


def _ours(kubeconfig: str, owner: ConfigOwner) -> int:
    """Add entries as the module does. Returns the number of conflicts."""
    api = Counting(Asked({"kubeconfig": kubeconfig}))
    for number in range(EDITS):
        edit(api, owner.url, partial(merge, owner=owner, wanted=[Entry(f"aaaa:{number:04x}", "ours.example/device")]))
    return api.conflicts


def _theirs(kubeconfig: str, owner: ConfigOwner) -> int:
    """Add entries and annotations as any careful client does. Returns the number of conflicts."""
    objects = client.CustomObjectsApi(config.new_client_from_config(kubeconfig))
    _slash, _apis, group, version, _namespaces, namespace, plural, name = owner.url.split("/")
    where = (group, version, namespace, plural, name)
    number = conflicts = 0
    while number < EDITS:
        item = objects.get_namespaced_custom_object(*where)
        _with(item, owner, {owner.selector: f"BBBB:{number:04X}", "resourceName": "theirs.example/device"})
        item["metadata"]["annotations"][f"theirs.example/{number}"] = f"  {number}\t# odd\n"
        try:
            objects.replace_namespaced_custom_object(*where, item)
            number += 1
        except ApiException as error:
            assert error.status == 409
            conflicts += 1
    return conflicts


def _selectors(item: dict[str, Any], owner: ConfigOwner, whose: str) -> list[str]:
    return [
        entry[owner.selector]
        for entry in permitted_devices(item, owner)
        if entry["resourceName"] == f"{whose}.example/device"
    ]


def _with(item: dict[str, Any], owner: ConfigOwner, entry: dict[str, Any]) -> dict[str, Any]:
    set_at(item, owner.devices, [*permitted_devices(item, owner), entry])
    return item


def _rest(item: dict[str, Any], owner: ConfigOwner) -> dict[str, Any]:
    """What nobody is to change."""
    spec = deepcopy(item["spec"])
    set_at({"spec": spec}, owner.devices, [])
    if owner.gates:
        gates = look_up({"spec": spec}, (*owner.gates, "featureGates"))
        set_at({"spec": spec}, (*owner.gates, "featureGates"), [gate for gate in gates if gate != "HostDevices"])
    return spec
