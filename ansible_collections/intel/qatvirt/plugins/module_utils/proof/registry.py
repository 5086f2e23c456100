# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of checks, and its two questions: what is in the way of a run (preflight), what is wrong now (validate).

Pure.
"""

from __future__ import annotations

from typing import Any

from .check import SEVERITIES, Answer, Check, answer_all
from .cluster_checks import CLUSTER_CHECKS
from .node_checks import NODE_CHECKS
from .site import Site, checked_node
from .vm_checks import VM_CHECKS

CHECKS: tuple[Check, ...] = (*NODE_CHECKS, *CLUSTER_CHECKS, *VM_CHECKS)
"""Checks that explain others come before them."""


def preflight(
    facts: dict[str, Any], raw_policy: object, kernel_args: list[str], skip_in_use: bool
) -> list[dict[str, str]]:
    """Everything that keeps a policy from being carried out on a node, the worst first: ``id``, ``severity``, ``node``,
    ``message``, ``fix``.

    Raises InputError for facts of another schema.
    """
    checked = checked_node(facts["node"], facts, raw_policy, kernel_args, skip_in_use=skip_in_use)
    found = [
        {
            "severity": check.severity_of(finding),
            "node": facts["node"],
            "id": check.id,
            "message": finding.message,
            "fix": check.fix_of(finding),
        }
        for check in CHECKS
        if check.preflight
        for finding in check.preflight(checked)
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding["severity"]))


def validate(site: Site) -> list[Answer]:
    """The answer of every check."""
    return answer_all(CHECKS, site)
