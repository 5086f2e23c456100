# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test on a node: what it is, and what all tests of a run share. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RUN_LABEL = "qatvirt.intel.com/test-run"
"""On every object of a run; its value is the run's id."""
MARK = "QATVIRT-RESULT"
VM = "vm"
POD = "pod"
PASS = "pass"
FAIL = "fail"
SKIPPED = "skipped"
CORDONED = "the node is cordoned, which is an administrator's decision; kubectl uncordon lets it be tried"

HOSTNAME_LABEL = "kubernetes.io/hostname"


@dataclass(frozen=True)
class KernelBoot:
    """What a virtual machine boots from without a disk: a kernel and an initramfs in a container image."""

    image: str
    kernel_path: str
    initrd_path: str
    kernel_args: str


@dataclass(frozen=True)
class RunSettings:
    """What all tests of a run share.

    ``count``: VFs of each. ``kernel_boot``: instead of the disk, where given. ``cpu``: cores of a virtual machine.
    ``report_script``: what a guest with a disk runs.
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
        """Of the objects a run has one of, and what the names of its tests start with."""
        return run_name(self.run)


@dataclass(frozen=True)
class NodeTest:
    """One test to make. ``hostname``: the node's, as the scheduler knows it. ``selectors``: kinds of VF it can get."""

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
    """Of the objects a run has one of."""
    return f"qat-test-{run}"
