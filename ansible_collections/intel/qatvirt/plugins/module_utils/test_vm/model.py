# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test: a virtual machine or a pod that is started on a node with VFs; a run: all tests started together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RUN_LABEL = "qatvirt.intel.com/test-run"
"""On every object of a run; its value is the run's id."""
MARK = "QATVIRT-RESULT"
"""What a guest or a pod writes before its report."""

VM = "vm"
POD = "pod"
"""Kinds of tests."""

PASS = "pass"
FAIL = "fail"
SKIPPED = "skipped"
"""Verdicts of tests."""
NODE_CORDONED = "the node is cordoned, which is an administrator's decision; kubectl uncordon lets it be tested"
"""Reason of a test that is skipped."""

HOSTNAME_LABEL = "kubernetes.io/hostname"
"""The scheduler knows a node by the value of this label, which need not be the node's name."""


@dataclass(frozen=True)
class KernelBoot:
    """A kernel and an initramfs in a container image, from which a virtual machine boots without a disk."""

    image: str
    kernel_path: str
    initrd_path: str
    kernel_args: str


@dataclass(frozen=True)
class RunSettings:
    """What all tests of a run share.

    ``run``: the run's id. ``count``: number of VFs that each test asks for. ``container_disk``: image that virtual
    machines boot from, unless there is a ``kernel_boot``. ``memory``, ``cpu``: of a virtual machine. ``tolerations``:
    of virtual machines and pods. ``report_script``: the script by which a guest with a disk reports.
    """

    run: str
    namespace: str
    count: int
    container_disk: str
    kernel_boot: KernelBoot | None
    pod_image: str
    memory: str
    cpu: int
    tolerations: tuple[dict[str, Any], ...]
    report_script: str

    @property
    def name(self) -> str:
        """The name that :func:`run_name` gives the run."""
        return run_name(self.run)


@dataclass(frozen=True)
class NodeTest:
    """One test to make.

    ``node``: name of the Node object; ``hostname``: value of its label HOSTNAME_LABEL. ``kind``: VM or POD. ``name``:
    of the virtual machine or pod. ``resource``: what it asks for, empty where the node does not advertise enough of
    any. ``selectors``: kinds of VFs that the resource stands for on that node.
    """

    node: str
    hostname: str
    kind: str
    name: str
    resource: str
    selectors: tuple[str, ...]


@dataclass(frozen=True)
class GivenVf:
    """A VF that kubelet gave to the pod of a test."""

    address: str
    selector: str


def run_name(run: str) -> str:
    """Name of a run's Lease and Secret, with which the names of its tests begin."""
    return f"qat-test-{run}"
