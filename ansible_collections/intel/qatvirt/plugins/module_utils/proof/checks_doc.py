# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of checks as Markdown, ``docs/checks.md``. Pure."""

from __future__ import annotations

import re

from ..test_vm.signatures import SIGNATURES
from .check import CLUSTER, LAYERS, NODE, VM, Check
from .registry import CHECKS

_HEADINGS = {
    NODE: "Node: from the device to vfio-pci",
    CLUSTER: "Cluster: from vfio-pci to what Kubernetes hands out",
    VM: "Virtual machine: what the guest sees",
}
_HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
SPDX-License-Identifier: GPL-3.0-or-later
-->
<!-- Written by `make docs` from the registry (plugins/module_utils/proof/registry.py). -->

# Checks

What `site.yml` ends with, and `playbooks/validate.yml` does alone. Each check passes, warns, fails, or is skipped with
a reason: because what it looks at is not there, or because another check has already named the cause of what it finds.
Those marked "before a change" also belong to the preflight, which lists everything that is in a run's way before it
touches a node.
"""


def catalogue() -> str:
    """The whole document."""
    parts = [_HEAD]
    for layer in LAYERS:
        parts += [f"## {_HEADINGS[layer]}\n", *(_entry(check) for check in CHECKS if check.layer == layer)]
    return "\n".join([*parts, _signatures()])


def _entry(check: Check) -> str:
    severity = {"fail": "fails", "warn": "warns"}[check.severity]
    before = ", also before a change" if check.hinders else ""
    causes = ", ".join(check.explained_by)
    explained = f"\n* **Left out where one of these tells the cause:** {causes}" if causes else ""
    return (
        f"### {check.id}\n\n"
        f"*{check.question}* It {severity}{before}.\n\n"
        f"* **Cause:** {check.cause}\n"
        f"* **To do:** {check.fix}{explained}\n"
    )


def _signatures() -> str:
    rows = [f"| {item.id} | {_plain(item.cause)} | {_plain(item.fix)} |" for item in SIGNATURES]
    return "\n".join(
        [
            "## Why a machine does not start\n",
            "What the check GUEST says of a test machine or pod that did not answer, by the texts of API server,",
            "scheduler, kubelet, KubeVirt and QEMU. `qat_test_vm` returns it as `diagnosis`.\n",
            "| id | cause | to do |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _plain(text: str) -> str:
    """A sentence with gaps as a reader takes it."""
    return re.sub(r"\{(\w+)\}", r"*\1*", text)
