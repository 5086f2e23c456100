# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables in the inventory of a cluster: what a real site would write into group_vars/all.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.cluster import images, manifests
from lab.cluster.profiles import Profile

PATIENCE = 1800
"""Seconds that KubeVirt may take to become Available on emulated processors."""
TEST_PATIENCE = 900
"""Seconds that a test machine may take on emulated processors."""
HANDLER_PATIENCE = 60
"""Seconds that virt-handler may take to list VFs on emulated processors. A restart of virt-handler takes minutes."""


def variables(directory: Path, profile: Profile) -> dict[str, Any]:
    """The variables of all hosts. Writes the manifests that they name. directory: the lab's directory.

    rbac.yml uses the administrator's kubeconfig and writes a kubeconfig with fewer rights, which all other plays use.
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
