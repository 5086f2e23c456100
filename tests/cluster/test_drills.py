# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a cluster, one after the other on a real API server: each is found by the check that names its cause.

The nodes are objects without kubelets, beside the facts of two nodes that are as they should be: the tests write what
kubelets, plugins, scheduler and KubeVirt would. Each drill begins with a site on which nothing is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.intel.qatvirt.plugins.modules import qat_validate
from ansible_collections.intel.qatvirt.tests.unit.proof import sites
from lab.cluster.control_plane import ControlPlane
from tests import drills
from tests.cluster.modules import Cluster, module

Data = dict[str, Any]
WORKLOADS = {sites.VM: "vm", sites.CONTAINER: "container"}
KINDS = ("nodes", "pods", "daemonsets", "virtualmachineinstances", "kubevirts")
MACHINE = "VirtualMachineInstance"
MEANT_FOR_TESTS = {"qatvirt.intel.com/drill": "true"}


class Drilled:
    """A site on the API server, and the facts of its nodes. A drill changes both, then asks for the report."""

    def __init__(self, server: ControlPlane) -> None:
        self.server = server
        self.cluster = Cluster(server)
        facts = sites.healthy_facts()
        self.nodes = [
            {
                "name": name,
                "node_name": None,
                "workload": workload,
                "facts": {**deepcopy(facts), "node": name},
                "policy": sites.POLICY,
                "kernel_args": [],
            }
            for name, workload in WORKLOADS.items()
        ]

    def facts(self, name: str) -> Data:
        return next(node["facts"] for node in self.nodes if node["name"] == name)

    def make(self, *objects: Data) -> None:
        """Objects with their status, as those would have written it whose it is."""
        marked = [self._marked(item) for item in objects]
        self.server.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=yaml.safe_dump_all(marked))
        for item in objects:
            if "status" in item and item["kind"] != MACHINE:
                self.status(item["kind"], item["metadata"]["name"], item["status"], item["metadata"].get("namespace"))

    def _marked(self, item: Data) -> Data:
        changed = deepcopy(item)
        if item["kind"] != MACHINE:  # whose kind, as the tests define it, has no subresource status
            changed.pop("status", None)
        changed["metadata"].pop("uid", None)
        changed["metadata"].setdefault("labels", {}).update(MEANT_FOR_TESTS)
        return changed

    def status(self, kind: str, name: str, status: Data, namespace: str | None = None) -> None:
        patch = json.dumps({"status": status})
        where = ["-n", namespace] if namespace else []
        self.server.kubectl(*where, "patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)

    def edit(self, kind: str, name: str, patch: Data, namespace: str | None = None) -> None:
        where = ["-n", namespace] if namespace else []
        self.server.kubectl(*where, "patch", kind, name, "--type=merge", "-p", json.dumps(patch))

    def offer(self, name: str, **resources: int) -> None:
        """What a node has allocatable. resources: cy=8 is qat.intel.com/cy, qat=16 is intel.com/qat."""
        names = {
            f"{'intel.com' if key == 'qat' else 'qat.intel.com'}/{key}": str(count) for key, count in resources.items()
        }
        self.status("node", name, {"allocatable": names, "capacity": names})

    def report(self, **parameters: Any) -> Data:
        given = {
            "hosts": self.nodes,
            "unread": [],
            "cluster": True,
            "resource": "intel.com/qat",
            "family_resources": {},
            "tests": None,
            **parameters,
        }
        found: Data = self.cluster.run(qat_validate, **given)["report"]
        return found

    def healthy(self) -> None:
        """Everything as it should be, whatever was before."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        objects = []
        for name, workload in WORKLOADS.items():
            node = sites.node_object(name, workload)
            node["status"]["conditions"][0] |= {"lastHeartbeatTime": now, "lastTransitionTime": now}
            node["status"]["capacity"] = node["status"]["allocatable"]
            objects += [node, sites.agent_pod(name, workload)]
        daemonset = sites.plugin_daemonset()
        # Its controller makes no pods beside the one of this test, and takes that for none of its own.
        daemonset["spec"]["template"]["spec"]["nodeSelector"] = {"qatvirt.intel.com/drill": "nowhere"}
        daemonset["spec"]["selector"]["matchLabels"] |= {"drill": "nowhere"}
        daemonset["spec"]["template"]["metadata"]["labels"] |= {"drill": "nowhere"}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": sites.PLUGIN_NAMESPACE}}
        self.make(namespace, *objects, daemonset, sites.kubevirt_object())

    def clear(self) -> None:
        for kind in KINDS:
            scope = [] if kind == "nodes" else ["--all-namespaces"]
            label = ",".join(f"{key}={value}" for key, value in MEANT_FOR_TESTS.items())
            self.server.kubectl("delete", kind, *scope, "-l", label, "--force", "--grace-period=0", "--wait")


@pytest.fixture
def site(server: ControlPlane) -> Iterator[Drilled]:
    drilled = Drilled(server)
    drilled.healthy()
    yield drilled
    drilled.clear()


@pytest.fixture(scope="module", autouse=True)
def machines(server: ControlPlane) -> Iterator[None]:
    """With the kind of virtual machines, which KubeVirt's operator would define."""
    kinds = yaml.safe_load_all(Path(__file__).with_name("kubevirt_definitions.yml").read_text())
    definition = next(kind for kind in kinds if kind["spec"]["names"]["kind"] == MACHINE)
    Cluster(server).define(definition)
    yield
    Cluster(server).forget(definition)
    server.kubectl("delete", "namespace", sites.PLUGIN_NAMESPACE, "--ignore-not-found")


def absent_node(site: Drilled) -> None:
    site.server.kubectl("delete", "node", sites.CONTAINER)


def not_ready(site: Drilled) -> None:
    condition = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting",
    }
    site.status("node", sites.VM, {"conditions": [condition]})


def cordoned(site: Drilled) -> None:
    site.server.kubectl("cordon", sites.VM)


def no_kubevirt(site: Drilled) -> None:
    site.server.kubectl("delete", "kubevirts", "--all", "-n", "kubevirt")


def degraded(site: Drilled) -> None:
    condition = {
        "type": "Available",
        "status": "False",
        "reason": "ComponentsNotReady",
        "message": "virt-api is not ready",
    }
    site.status("kubevirt", "kubevirt", {"conditions": [condition]}, "kubevirt")


def faulty_release(site: Drilled) -> None:
    version = {"observedKubeVirtVersion": "v1.8.1", "targetKubeVirtVersion": "v1.8.1"}
    site.status("kubevirt", "kubevirt", version, "kubevirt")


def configure(site: Drilled, **configuration: Any) -> None:
    site.edit("kubevirt", "kubevirt", {"spec": {"configuration": configuration}}, "kubevirt")


def closed_gate(site: Drilled) -> None:
    configure(site, developerConfiguration={"featureGates": ["Sidecar"]})


def permit(site: Drilled, *entries: Data) -> None:
    configure(site, permittedHostDevices={"pciHostDevices": list(entries)})


OURS = {"pciVendorSelector": "8086:4941", "resourceName": "intel.com/qat"}


def no_selector(site: Drilled) -> None:
    permit(site, {"pciVendorSelector": "10DE:1EB8", "resourceName": "nvidia.com/T4"})


def selector_of_pf(site: Drilled) -> None:
    permit(site, OURS, {"pciVendorSelector": "8086:4940", "resourceName": "intel.com/qat-pf"})


def upper_case_twin(site: Drilled) -> None:
    permit(site, {"pciVendorSelector": "8086:37C9", "resourceName": "intel.com/c62x"}, OURS, {
        "pciVendorSelector": "8086:37c9", "resourceName": "intel.com/qat-old"
    })  # fmt: skip


def other_name(site: Drilled) -> None:
    permit(site, {**OURS, "resourceName": "example.com/qat"})


def plugins_name(site: Drilled) -> None:
    external = {"resourceName": "qat.intel.com/cy", "externalResourceProvider": True}
    permit(site, {**OURS, **external})


def external(site: Drilled) -> None:
    permit(site, {**OURS, "externalResourceProvider": True})


def two_plugins(site: Drilled) -> None:
    site.offer(sites.VM, qat=16, cy=16)


def kubevirt_beside_the_plugin(site: Drilled) -> None:
    site.offer(sites.CONTAINER, cy=16, qat=16)


def given_twice(site: Drilled) -> None:
    asks = {"intel.com/qat": "9"}
    site.make(*(sites.ready_pod(f"user{number}", "default", sites.VM, **asks) for number in range(2)))


def no_handler(site: Drilled) -> None:
    site.server.kubectl("delete", "pod", f"agent-{sites.VM}", "-n", "kubevirt", "--force", "--grace-period=0")


def no_image(site: Drilled) -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    container = {"name": "main", "image": "registry/image:1", "ready": False, "state": {"waiting": waiting}}
    status = {"phase": "Pending", "conditions": [], "containerStatuses": [container]}
    site.status("pod", f"agent-{sites.CONTAINER}", status, sites.PLUGIN_NAMESPACE)
    site.offer(sites.CONTAINER, cy=0)


def stale(site: Drilled) -> None:
    site.offer(sites.VM, qat=8)


def truncated(site: Drilled) -> None:
    arguments = ["-kernel-vf-drivers=4xxxvf", "-max-num-devices=8"]
    container = {**sites.plugin_daemonset()["spec"]["template"]["spec"]["containers"][0], "args": arguments}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    site.edit("daemonset", "intel-qat-plugin", patch, sites.PLUGIN_NAMESPACE)
    site.offer(sites.CONTAINER, cy=8)


def uncounted(site: Drilled) -> None:
    site.offer(sites.CONTAINER, cy=12)


def unlabelled(site: Drilled) -> None:
    site.server.kubectl("label", "node", sites.VM, "qatvirt.intel.com/ready-")


def waiting_pod(site: Drilled, resource: str, count: str, said: str) -> None:
    pod = sites.ready_pod("waiting", "default", "", **{resource: count})
    del pod["spec"]["nodeName"]
    # The scheduler of the control plane would have its own word.
    pod["spec"]["schedulerName"] = "none"
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
    pod["status"] = {"phase": "Pending", "conditions": [condition]}
    site.make(pod)


def renamed(site: Drilled) -> None:
    waiting_pod(site, "qat.intel.com/dc-sym", "1", "0/2 nodes are available: 2 Insufficient qat.intel.com/dc-sym.")


def exhausted(site: Drilled) -> None:
    waiting_pod(site, "intel.com/qat", "17", "0/2 nodes are available: 2 Insufficient intel.com/qat.")


def machine(**spec: Any) -> Data:
    devices = {"hostDevices": [{"name": "qat0", "deviceName": "intel.com/qat"}]}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": MACHINE,
        "metadata": {"name": "user", "namespace": "default"},
        "spec": {"domain": {"devices": devices, "resources": {"requests": {"memory": "64Mi"}}}, **spec},
        "status": {"phase": "Running", "nodeName": sites.VM},
    }


def stuck_machine(site: Drilled) -> None:
    message = (
        'server error. command SyncVMI failed: "vfio 0000:10:00.1: failed to open /dev/vfio/1: Device or resource busy"'
    )
    condition = {
        "type": "Synchronized",
        "status": "False",
        "reason": "Synchronizing with the Domain failed.",
        "message": message,
    }
    site.make({**machine(), "status": {"phase": "Scheduled", "nodeName": sites.VM, "conditions": [condition]}})


def undrainable(site: Drilled) -> None:
    site.make(machine(evictionStrategy="LiveMigrate"))


def no_cdev(site: Drilled) -> None:
    version = {"observedKubeVirtVersion": "v1.9.0", "targetKubeVirtVersion": "v1.9.0"}
    site.status("kubevirt", "kubevirt", version, "kubevirt")
    site.facts(sites.VM)["vfio"]["cdevs_missing"] = ["vfio0", "vfio1"]


FAULTS: dict[str, Callable[[Drilled], None]] = {
    "absent-node": absent_node,
    "not-ready": not_ready,
    "cordoned": cordoned,
    "no-kubevirt": no_kubevirt,
    "degraded": degraded,
    "faulty-release": faulty_release,
    "closed-gate": closed_gate,
    "no-selector": no_selector,
    "selector-of-pf": selector_of_pf,
    "upper-case-twin": upper_case_twin,
    "other-name": other_name,
    "plugins-name": plugins_name,
    "external": external,
    "two-plugins": two_plugins,
    "kubevirt-beside-plugin": kubevirt_beside_the_plugin,
    "given-twice": given_twice,
    "no-handler": no_handler,
    "no-image": no_image,
    "stale": stale,
    "truncated": truncated,
    "uncounted": uncounted,
    "unlabelled": unlabelled,
    "renamed": renamed,
    "exhausted": exhausted,
    "stuck-machine": stuck_machine,
    "undrainable": undrainable,
    "no-cdev": no_cdev,
}
ELSEWHERE = {"hyperconverged", "no-rights"}
"""Drills that need another kind or account, below."""


def test_every_drill_of_a_cluster_is_done() -> None:
    assert set(FAULTS) | ELSEWHERE == set(drills.names(drills.API))


def test_a_site_as_it_should_be_gives_no_warning(site: Drilled) -> None:
    report = site.report()
    assert drills.complaints(report) == {}
    assert report["verdict"] == "pass"
    assert {vf["owner"]["text"] for node in report["nodes"] for pf in node["pfs"] for vf in pf["vfs"]} == {
        "intel.com/qat",
        "qat.intel.com/cy",
    }


@pytest.mark.parametrize("name", FAULTS)
def test_drill(site: Drilled, name: str) -> None:
    FAULTS[name](site)
    drills.assert_found(site.report(), drills.drill(name))


def test_what_hyperconverged_does_not_have_is_found(site: Drilled) -> None:
    definition = yaml.safe_load(Path(__file__).with_name("hyperconverged.yml").read_text())
    site.cluster.define(definition)
    try:
        where = {"name": "kubevirt-hyperconverged", "namespace": "kubevirt"}
        owner = {"apiVersion": "hco.kubevirt.io/v1", "kind": "HyperConverged", "metadata": where, "spec": {}}
        site.cluster.make(owner)
        drills.assert_found(site.report(), drills.drill("hyperconverged"))
    finally:
        site.cluster.forget(definition)


def test_rights_that_are_missing_are_named(site: Drilled, tmp_path: Path) -> None:
    """What may be read is still checked; the rest is skipped with the reason."""
    kubeconfig = tmp_path / "poor.kubeconfig"
    site.server.kubectl("create", "serviceaccount", "poor")
    site.server.kubectl("create", "clusterrole", "poor", "--verb=list", "--resource=nodes,daemonsets.apps")
    site.server.kubectl("create", "clusterrolebinding", "poor", "--clusterrole=poor", "--serviceaccount=default:poor")
    try:
        token = site.server.kubectl("create", "token", "poor").strip()
        config = yaml.safe_load(site.server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        kubeconfig.write_text(yaml.safe_dump(config))
        told = module("qat_validate", kubeconfig=kubeconfig, hosts=site.nodes)
    finally:
        for what in ("serviceaccount", "clusterrole", "clusterrolebinding"):
            site.server.kubectl("delete", what, "poor")
    drills.assert_found(told["report"], drills.drill("no-rights"))
    skipped = {check["id"]: check["reason"] for check in told["report"]["checks"] if check["verdict"] == "skipped"}
    assert skipped["TWO-OWNERS"] == "pods could not be read"
