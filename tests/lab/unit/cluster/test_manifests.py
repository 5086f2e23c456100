# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/cluster/manifests.py: what can be applied to the lab's cluster."""

from __future__ import annotations

import json

import pytest
import yaml

from lab.cluster import images, manifests

OPERATOR = """
---
apiVersion: v1
kind: Namespace
metadata: {name: kubevirt}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: virt-operator}
spec:
  replicas: 2
  template:
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      containers:
      - name: virt-operator
        image: registry.lab:5000/virt-operator:v1.8.4
        readinessProbe:
          httpGet: {path: /metrics, port: 8443, scheme: HTTPS}
          initialDelaySeconds: 5
          timeoutSeconds: 10
"""


class TestManifests:
    def test_slow_nodes_get_one_replica_and_patience_and_nothing_else(self) -> None:
        before = list(yaml.safe_load_all(OPERATOR))
        after = list(yaml.safe_load_all(manifests.for_slow_nodes(OPERATOR)))
        assert after[0] == next(document for document in before if document)
        spec = after[1]["spec"]
        (container,) = spec["template"]["spec"]["containers"]
        assert spec["replicas"] == 1
        assert container["readinessProbe"]["httpGet"] == {"path": "/metrics", "port": 8443, "scheme": "HTTPS"}
        assert container["readinessProbe"]["timeoutSeconds"] >= 30
        assert "livenessProbe" not in container
        assert spec["template"]["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}

    def test_cr_permits_the_vfs_and_patches_what_it_names(self) -> None:
        spec = manifests.kubevirt_cr("v1.8.4")["spec"]
        assert spec["configuration"]["permittedHostDevices"] == {
            "pciHostDevices": [{"pciVendorSelector": "8086:4941", "resourceName": "intel.com/qat"}]
        }
        assert spec["infra"] == {"replicas": 1}
        # KubeVirt's own plugin stays off the nodes whose VFs containers get; no node is named.
        assert spec["workloads"] == {"nodePlacement": {"nodeSelector": {manifests.WORKLOAD_LABEL: "vm"}}}
        assert "kubernetes.io/hostname" not in json.dumps(spec)
        for patch in spec["customizeComponents"]["patches"]:
            (container,) = json.loads(patch["patch"])["spec"]["template"]["spec"]["containers"]
            assert container["name"] == patch["resourceName"]

    def test_cr_with_other_devices(self) -> None:
        spec = manifests.kubevirt_cr("v1.8.4", resource="example.com/qat", selector="8086:4947")["spec"]
        (device,) = spec["configuration"]["permittedHostDevices"]["pciHostDevices"]
        assert device == {"pciVendorSelector": "8086:4947", "resourceName": "example.com/qat"}

    @pytest.mark.parametrize(("version", "disabled"), [("v1.8.4", None), ("v1.9.0", ["ImageVolume", "Template"])])
    def test_cr_disables_only_the_gates_of_the_release(self, version: str, disabled: list[str] | None) -> None:
        developer = manifests.kubevirt_cr(version)["spec"]["configuration"]["developerConfiguration"]
        assert developer["featureGates"] == ["HostDevices"]
        assert developer.get("disabledFeatureGates") == disabled

    def test_plugin_is_confined_and_goes_where_it_is_told(self) -> None:
        pod = manifests.qat_plugin({"qatvirt.intel.com/workload": "container"})["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["nodeSelector"]["qatvirt.intel.com/workload"] == "container"
        assert container["image"] == images.qat_plugin()
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}

    def test_vmi_asks_for_one_vf_and_for_a_node_only_when_told(self) -> None:
        spec = manifests.qat_vmi("vm")["spec"]
        assert spec["domain"]["devices"]["hostDevices"] == [{"name": "qat0", "deviceName": "intel.com/qat"}]
        assert spec["domain"]["firmware"]["kernelBoot"]["container"]["image"] == images.QAT_GUEST
        assert "nodeSelector" not in spec
        assert manifests.qat_vmi("vm", node="qat1")["spec"]["nodeSelector"] == {"kubernetes.io/hostname": "qat1"}
