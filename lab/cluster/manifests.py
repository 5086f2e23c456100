# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests for the lab's cluster: KubeVirt's operator and CR, Intel's QAT device plugin and a test VM."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.cluster import images, programs
from lab.cluster.profiles import Profile
from lab.shell import run

NAMESPACE = "kubevirt"
QAT_VF = "8086:4941"
"""Vendor and device id of the VFs of a 4xxx, which a node has when its spec names no other ids."""
RESOURCE = "intel.com/qat"
"""Extended resource that KubeVirt offers the VFs as."""
WORKLOAD_LABEL = "qatvirt.intel.com/workload"
"""Label that says what the VFs of a node are for: container or vm."""
GUEST_KERNEL, GUEST_INITRD = "/boot/vmlinuz", "/boot/initrd"
GUEST_MEMORY = "192Mi"
GUEST_KERNEL_ARGUMENTS = "console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check panic=-1"

Manifest = dict[str, Any]

_PATIENT_READINESS = {"initialDelaySeconds": 15, "periodSeconds": 15, "timeoutSeconds": 30, "failureThreshold": 40}
_PATIENT_LIVENESS = {"initialDelaySeconds": 60, "periodSeconds": 30, "timeoutSeconds": 30, "failureThreshold": 20}
_KUBEVIRT_PROBES = (
    ("Deployment", "virt-api", ("readinessProbe",)),
    ("Deployment", "virt-controller", ("livenessProbe", "readinessProbe")),
    ("DaemonSet", "virt-handler", ("livenessProbe", "readinessProbe")),
)


def write(directory: Path, profile: Profile) -> list[Path]:
    """Write all manifests of a profile into a directory and give the paths of the files.

    kubevirt-release.yaml is the operator manifest as upstream releases it, kubevirt-operator.yaml that manifest changed
    for nodes as slow as the lab's.
    """
    documents = {"intel-qat-plugin.yaml": _yaml(qat_plugin({WORKLOAD_LABEL: "container"}))}
    if profile.kubevirt:
        release = kubevirt_operator(profile.kubevirt, programs.build(profile.kubevirt))
        documents |= {
            "kubevirt-release.yaml": release,
            "kubevirt-operator.yaml": for_slow_nodes(release),
            "kubevirt-cr.yaml": _yaml(kubevirt_cr(profile.kubevirt.version)),
            "qat-vm.yaml": _yaml(qat_vmi("qat-vm")),
        }
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents.items():
        (directory / name).write_text(text)
    return [directory / name for name in documents]


def kubevirt_operator(module: programs.GoModule, directory: Path) -> str:
    """The operator manifest as in upstream's release, with the lab's registry and the module's version.

    directory: has the module's compiled programs, of which manifest-templator makes the manifest.
    """
    return render_operator(module.version, programs.source(module), directory / "manifest-templator")


def render_operator(version: str, source: Path, templator: Path) -> str:
    """Make the operator manifest from the templates of a source tree, in the two steps of hack/build-manifests.sh.

    version: tag of the images. source: KubeVirt's source tree. templator: the program manifest-templator.
    """
    template = source / "manifests/release/kubevirt-operator.yaml.in"
    included = run(
        templator,
        "--process-files",
        f"--generated-manifests-dir={source / 'manifests/generated'}/",
        f"--input-file={template}",
    )
    with tempfile.NamedTemporaryFile("w", suffix=".in") as file:
        file.write(included)
        file.flush()
        return run(
            templator,
            "--process-vars",
            f"--namespace={NAMESPACE}",
            "--csv-namespace=placeholder",
            f"--container-prefix={images.REGISTRY}",
            f"--container-tag={version}",
            "--image-pull-policy=IfNotPresent",
            "--verbosity=2",
            f"--kubevirt-logo-path={source / 'assets/kubevirt_logo.png'}",
            f"--input-file={file.name}",
        )


def for_slow_nodes(manifest: str) -> str:
    """Change an operator manifest for emulated processors: one replica for each Deployment, and patient probes."""
    documents = [document for document in yaml.safe_load_all(manifest) if document]
    for document in documents:
        if document["kind"] == "Deployment":
            document["spec"]["replicas"] = 1
            for container in document["spec"]["template"]["spec"]["containers"]:
                for probe, patience in (("livenessProbe", _PATIENT_LIVENESS), ("readinessProbe", _PATIENT_READINESS)):
                    if probe in container:
                        container[probe].update(patience)
    return yaml.safe_dump_all(documents, sort_keys=False)


def kubevirt_cr(version: str, resource: str = RESOURCE, selector: str = QAT_VF) -> Manifest:
    """The KubeVirt CR of the lab: one replica of each component, VFs permitted as a resource, patient probes.

    version: KubeVirt's version. selector: vendor and device id of the VFs ("8086:4941").
    """
    developer = {"featureGates": ["HostDevices"], **developer_settings(version)}
    permitted = {"pciVendorSelector": selector, "resourceName": resource}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": NAMESPACE},
        "spec": {
            "imagePullPolicy": "IfNotPresent",
            "certificateRotateStrategy": {},
            "workloadUpdateStrategy": {},
            "infra": {"replicas": 1},
            "workloads": {"nodePlacement": {"nodeSelector": {WORKLOAD_LABEL: "vm"}}},
            "configuration": {
                "imagePullPolicy": "IfNotPresent",
                "developerConfiguration": developer,
                "permittedHostDevices": {"pciHostDevices": [permitted]},
            },
            "customizeComponents": patience(),
        },
    }


def developer_settings(version: str) -> Manifest:
    """The settings that developerConfiguration of a KubeVirt version needs on lab nodes, without enabled gates."""
    if images.minor(version) < (1, 9):
        return {}
    # KubeVirt 1.9 enables two gates that lab nodes cannot serve: ImageVolume needs containerd 2.1 (Debian 13 has 1.7),
    # Template deploys two images that the lab does not build.
    return {"disabledFeatureGates": ["ImageVolume", "Template"]}


def patience() -> Manifest:
    """The customizeComponents of a KubeVirt CR that make the components' probes patient with emulated processors."""
    return {"patches": [_probe_patch(*component) for component in _KUBEVIRT_PROBES]}


def qat_plugin(node_selector: Mapping[str, str]) -> Manifest:
    """Intel's QAT device plugin: deployments/qat_plugin/base/intel-qat-plugin.yaml of v0.36.0 with the lab's image.

    node_selector: labels of the nodes whose VFs the plugin may advertise.
    """
    app = {"app": "intel-qat-plugin"}
    host_paths = {
        "devdir": "/dev/vfio",
        "debugfsdir": "/sys/kernel/debug",
        "pcidir": "/sys/bus/pci",
        "kubeletsockets": "/var/lib/kubelet/device-plugins",
    }
    read_only = {"devdir", "debugfsdir"}
    container = {
        "name": "intel-qat-plugin",
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "image": images.qat_plugin(),
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "seLinuxOptions": {"type": "container_device_plugin_t"},
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "resources": {
            "requests": {"memory": "15Mi", "cpu": "70m"},
            "limits": {"memory": "30Mi", "cpu": "140m"},
        },
        "volumeMounts": [
            {"name": name, "mountPath": path, **({"readOnly": True} if name in read_only else {})}
            for name, path in host_paths.items()
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "intel-qat-plugin", "labels": app},
        "spec": {
            "selector": {"matchLabels": app},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {
                "metadata": {"labels": app},
                "spec": {
                    "automountServiceAccountToken": False,
                    "nodeSelector": {"kubernetes.io/arch": "amd64", **node_selector},
                    "containers": [container],
                    "volumes": [{"name": name, "hostPath": {"path": path}} for name, path in host_paths.items()],
                },
            },
        },
    }


def qat_vmi(name: str, node: str | None = None, resource: str = RESOURCE) -> Manifest:
    """A virtual machine with one VF, whose guest reports its PCI devices on the serial console.

    node: the node that the virtual machine has to run on; None leaves the choice to the scheduler.
    """
    boot = {
        "kernelArgs": GUEST_KERNEL_ARGUMENTS,
        "container": {
            "image": images.QAT_GUEST,
            "imagePullPolicy": "IfNotPresent",
            "kernelPath": GUEST_KERNEL,
            "initrdPath": GUEST_INITRD,
        },
    }
    devices = {
        "autoattachGraphicsDevice": False,
        "autoattachMemBalloon": False,
        "autoattachPodInterface": False,
        "autoattachSerialConsole": True,
        "logSerialConsole": True,
        "rng": {},
        "hostDevices": [{"name": "qat0", "deviceName": resource}],
    }
    spec: Manifest = {
        "terminationGracePeriodSeconds": 0,
        "domain": {
            "cpu": {"cores": 1, "model": "host-passthrough"},
            "resources": {"requests": {"memory": GUEST_MEMORY, "cpu": "50m"}},
            "firmware": {"kernelBoot": boot},
            "devices": devices,
        },
    }
    if node:
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def _probe_patch(kind: str, name: str, probes: tuple[str, ...]) -> Manifest:
    """A strategic merge patch that makes the probes of one of KubeVirt's components patient."""
    patience = {"livenessProbe": _PATIENT_LIVENESS, "readinessProbe": _PATIENT_READINESS}
    container = {"name": name, **{probe: patience[probe] for probe in probes}}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    return {"resourceType": kind, "resourceName": name, "type": "strategic", "patch": json.dumps(patch)}


def _yaml(manifest: Manifest) -> str:
    return yaml.safe_dump(manifest, sort_keys=False)
