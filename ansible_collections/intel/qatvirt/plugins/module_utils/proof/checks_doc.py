# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of checks as Markdown, which ``make docs`` writes to ``docs/checks.md``. Pure."""

from __future__ import annotations

import re

from ..test_vm.signatures import CAUSES
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

`site.yml` ends with these checks; `playbooks/validate.yml` makes them alone. Each check passes, warns, fails, or is
skipped with a reason: what it looks at is not there, or another check has already named the cause of what it finds.
Checks marked "also before a change" belong to the preflight, too, which lists everything that is in the way of a run
before the run touches a node.
"""


def catalogue() -> str:
    """The text of the document."""
    parts = [_HEAD]
    for layer in LAYERS:
        parts += [f"## {_HEADINGS[layer]}\n", *(_entry(check) for check in CHECKS if check.layer == layer)]
    return "\n".join([*parts, _causes()])


def _entry(check: Check) -> str:
    severity = {"fail": "fails", "warn": "warns"}[check.severity]
    before = ", also before a change" if check.preflight else ""
    causes = ", ".join(check.explained_by)
    explained = f"\n* **Skipped where one of these names the cause:** {causes}" if causes else ""
    return (
        f"### {check.id}\n\n"
        f"*{check.question}* It {severity}{before}.\n\n"
        f"* **Cause:** {check.cause}\n"
        f"* **To do:** {_sentence(check.fix)}{explained}\n"
    )


def _causes() -> str:
    rows = [f"| {cause.id} | {_plain(cause.cause)} | {_plain(cause.fix)} |" for cause in CAUSES]
    return "\n".join(
        [
            "## Why a virtual machine or a pod does not start\n",
            "What the checks GUEST and VMI say of a virtual machine or a pod that does not run, by its objects and by",
            "texts of API server, scheduler, kubelet, KubeVirt and QEMU. `qat_test_vm` returns it as `diagnosis`.\n",
            "| id | cause | to do |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _plain(text: str) -> str:
    """A text with its placeholders in italics."""
    return re.sub(r"\{(\w+)\}", r"*\1*", text)


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."
