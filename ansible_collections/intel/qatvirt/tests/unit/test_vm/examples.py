# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run with a test on a node for virtual machines and one on a node for containers, and what both are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import (
    GivenVf,
    KernelBoot,
    NodeTest,
    RunSettings,
)

REPORT_SH = Path(__file__).resolve().parents[3] / "roles/qat_test_vm/files/report.sh"
SETTINGS = RunSettings(
    run="3f2a91c4",
    namespace="qatvirt-test",
    count=1,
    container_disk="quay.io/containerdisks/fedora:42",
    kernel_boot=None,
    pod_image="docker.io/library/busybox:1.37",
    memory="1Gi",
    cpu=1,
    tolerations=(),
    report_script="#!/bin/sh\necho '{\"pci\":[]}'\n",
)
BOOT = KernelBoot("guest:1", "/boot/vmlinuz", "/boot/initrd", "console=ttyS0")
MACHINE = NodeTest("qat1", "qat1.example.net", "vm", "qat-test-3f2a91c4-qat1", "intel.com/qat", ("8086:4941",))
POD = NodeTest("qat2", "qat2", "pod", "qat-test-3f2a91c4-qat2", "qat.intel.com/cy", ("8086:4941",))
GIVEN = (GivenVf("0000:01:10.1", "8086:4941"),)


def node(name: str, *, cordoned: bool = False, **allocatable: int) -> dict[str, Any]:
    """A Node object. allocatable: cy=8 is qat.intel.com/cy, qat=16 is intel.com/qat."""
    names = {"qat": "intel.com/qat", "c62x": "intel.com/qat-c62x"}
    offered = {names.get(key, f"qat.intel.com/{key}"): str(count) for key, count in allocatable.items()}
    spec = {"unschedulable": True} if cordoned else {}
    labels = {"kubernetes.io/hostname": f"{name}.example.net"}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": offered}}


def user(on: str, resource: str, count: int, phase: str = "Running") -> dict[str, Any]:
    """A pod that has VFs."""
    container = {"name": "main", "resources": {"limits": {resource: str(count)}}}
    return {
        "metadata": {"name": "user", "namespace": "default"},
        "spec": {"nodeName": on, "containers": [container]},
        "status": {"phase": phase},
    }


def device(slot: str = "0000:06:00.0", vendor: str = "0x8086", number: str = "0x4941", **more: Any) -> dict[str, Any]:
    return {"slot": slot, "vendor": vendor, "device": number, "class": "0x0b4000", "driver": None, **more}


def line(*devices: dict[str, Any], **more: Any) -> str:
    return f"QATVIRT-RESULT {json.dumps({'pci': list(devices), **more})}"


RESOURCES = {"8086:4941": "intel.com/qat", "8086:37c9": "intel.com/qat-c62x"}
