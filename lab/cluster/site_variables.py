# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory of a cluster says beside its nodes: what a real site would write into group_vars/all.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.cluster import images, manifests
from lab.cluster.profiles import Profile

PATIENCE = 1800
"""Seconds KubeVirt may take on emulated processors."""
TEST_PATIENCE = 900
"""Seconds a test machine may take there."""
HANDLER_PATIENCE = 60
"""Seconds virt-handler may take there to list VFs. Starting it anew takes minutes."""


def variables(directory: Path, profile: Profile) -> dict[str, Any]:
    """The variables. Writes the manifests they name. directory: the lab's.

    Plays use the kubeconfig that the play rbac.yml writes, and only that one the administrator's.
    """
    written = manifests.write(directory / "manifests", profile)
    image, _colon, tag = images.qat_plugin().rpartition(":")
    found: dict[str, Any] = {
        "qatvirt_kubeconfig": str(directory / "qatvirt.kubeconfig"),
        "rbac_admin_kubeconfig": str(directory / "kubeconfig"),
        "rbac_kubeconfig": str(directory / "qatvirt.kubeconfig"),
        "rbac_install_kubevirt": True,
        "qat_plugin_image": image,
        "qat_plugin_tag": tag,
        "qat_test_vm_pod_image": images.BUSYBOX,
        "qat_test_vm_wait_timeout": TEST_PATIENCE,
    }
    if profile.kubevirt:
        version = profile.kubevirt.version
        developer = manifests.developer_settings(version)
        found |= {
            "kubevirt_operator_manifest": str(next(file for file in written if file.name == "kubevirt-operator.yaml")),
            "kubevirt_infra_replicas": 1,
            "kubevirt_cr_spec": {
                "imagePullPolicy": "IfNotPresent",
                "customizeComponents": manifests.patience(),
                **({"configuration": {"developerConfiguration": developer}} if developer else {}),
            },
            "kubevirt_wait_timeout": PATIENCE,
            "kubevirt_qat_settle": HANDLER_PATIENCE,
            "kubevirt_qat_wait_timeout": TEST_PATIENCE,
            "qat_test_vm_memory": manifests.GUEST_MEMORY,
            "qat_test_vm_kernel_boot": {
                "image": images.QAT_GUEST,
                "kernel_path": manifests.GUEST_KERNEL,
                "initrd_path": manifests.GUEST_INITRD,
                "kernel_args": manifests.GUEST_KERNEL_ARGUMENTS,
            },
        }
    return found
