# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of tests: a VirtualMachineInstance with its user data, or a Pod. Pure."""

from __future__ import annotations

from ..cluster.objects import Object
from .model import HOSTNAME_LABEL, MARK, RUN_LABEL, VM, NodeTest, RunSettings

_PAUSE = 10
"""Seconds between two reports of a guest."""


def manifest(test: NodeTest, settings: RunSettings) -> Object:
    """The virtual machine or the pod of a test."""
    return _machine(test, settings) if test.kind == VM else _pod(test, settings)


def _metadata(name: str, settings: RunSettings) -> Object:
    return {"name": name, "namespace": settings.namespace, "labels": {RUN_LABEL: settings.run}}


def _machine(test: NodeTest, settings: RunSettings) -> Object:
    devices: Object = {
        "autoattachGraphicsDevice": False,
        "autoattachMemBalloon": False,
        "autoattachPodInterface": False,
        "autoattachSerialConsole": True,
        "logSerialConsole": False,
        "rng": {},
        "hostDevices": [{"name": f"qat{number}", "deviceName": test.resource} for number in range(settings.count)],
    }
    domain: Object = {
        "cpu": {"cores": settings.cpu, "model": "host-passthrough"},
        # Not memory.guest: VFIO locks all of the guest's memory, and what is locked is limited by the request.
        "resources": {"requests": {"memory": settings.memory}},
        "devices": devices,
    }
    spec: Object = {
        "terminationGracePeriodSeconds": 0,
        # It cannot be migrated, and must not block a drain of the node.
        "evictionStrategy": "None",
        "nodeSelector": {HOSTNAME_LABEL: test.hostname},
        "tolerations": list(settings.tolerations),
        "domain": domain,
    }
    boot = settings.kernel_boot
    if boot:
        container = {"image": boot.image, "kernelPath": boot.kernel_path, "initrdPath": boot.initrd_path}
        kernel = {"kernelArgs": boot.kernel_args, "container": {**container, "imagePullPolicy": "IfNotPresent"}}
        domain["firmware"] = {"kernelBoot": kernel}
    else:
        devices["disks"] = [{"name": name, "disk": {"bus": "virtio"}} for name in ("root", "cloudinit")]
        disk = {"image": settings.container_disk, "imagePullPolicy": "IfNotPresent"}
        spec["volumes"] = [
            {"name": "root", "containerDisk": disk},
            {"name": "cloudinit", "cloudInitNoCloud": {"secretRef": {"name": settings.name}}},
        ]
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": _metadata(test.name, settings),
        "spec": spec,
    }


def secret(settings: RunSettings) -> Object:
    """The Secret with the user data of the guests; in the virtual machine itself user data may have 2048 bytes."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(settings.name, settings),
        "stringData": {"userdata": user_data(settings.report_script)},
    }


def user_data(report_script: str, console: str = "/dev/ttyS0") -> str:
    """User data by which cloud-init runs the report script, and writes its report to the console again and again."""
    return f"""#!/bin/sh
cat >/run/qatvirt-report.sh <<'QATVIRT-END'
{report_script.rstrip()}
QATVIRT-END
result=$(sh /run/qatvirt-report.sh)
while :; do
    # Open the console anew each time: a login prompt that starts on it closes it for all other programs.
    printf '\\n%s\\n' "{MARK} $result" >{console}
    sleep {_PAUSE}
done
"""


_OPEN_VFS = r"""
plain() { printf '%s' "$*" | tr '\n\t' '  ' | tr -cd '\40-\176' | tr -d '"\134'; }
try() {
    [ -c "$1" ] || { echo "there is no device $1"; return 1; }
    (exec 3<>"$1") 2>&1
}
given='' functions='' comma=''
for address in $(env | sed -n 's/^QAT[0-9]*=//p' | sort); do
    directory=/sys/bus/pci/devices/$address
    group=$(readlink "$directory/iommu_group")
    driver=$(readlink "$directory/driver")
    if error=$(try "/dev/vfio/${group##*/}"); then open=true; else open=false; fi
    given="$given$comma\"$address\""
    functions="$functions$comma{\"slot\":\"$address\",\"vendor\":\"$(cat "$directory/vendor")\","
    functions="$functions\"device\":\"$(cat "$directory/device")\",\"class\":\"$(cat "$directory/class")\","
    functions="$functions\"driver\":\"${driver##*/}\",\"open\":$open,\"error\":\"$(plain "$error")\"}"
    comma=,
done
echo "QATVIRT-RESULT {\"given\":[$given],\"pci\":[$functions]}"
"""
"""The command of the pod. Intel's plugin sets the variables QAT0, QAT1 and so on to the addresses of the pod's VFs."""


def _pod(test: NodeTest, settings: RunSettings) -> Object:
    container = {
        "name": "main",
        "image": settings.pod_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", _OPEN_VFS],
        "resources": {"limits": {test.resource: str(settings.count)}},
        "securityContext": {
            # The device files in /dev/vfio belong to root.
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(test.name, settings),
        "spec": {
            "restartPolicy": "Never",
            # Not 0: the API would forget the pod before the node has stopped the pod.
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "nodeSelector": {HOSTNAME_LABEL: test.hostname},
            "tolerations": list(settings.tolerations),
            "containers": [container],
        },
    }


TELL_GIVEN = (
    "env | while IFS='=' read -r name value; do case $name in PCI_RESOURCE_*) IFS=,; for address in $value; do "
    "read -r vendor </sys/bus/pci/devices/$address/vendor; read -r device </sys/bus/pci/devices/$address/device; "
    'echo "$address ${vendor#0x}:${device#0x}"; done;; esac; done'
)
"""A shell command that prints the VFs that virt-launcher was given, one a line: address and selector.

It has to run in virt-launcher's container, whose environment has their addresses."""
