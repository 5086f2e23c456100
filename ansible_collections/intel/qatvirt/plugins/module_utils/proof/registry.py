# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of checks, and the two ways to ask it: before a change, and of what is. Pure."""

from __future__ import annotations

from typing import Any

from .check import Answer, Check, answer_all
from .cluster_checks import CLUSTER_CHECKS
from .node_checks import NODE_CHECKS
from .site import Site, checked_node
from .vm_checks import VM_CHECKS

CHECKS: tuple[Check, ...] = (*NODE_CHECKS, *CLUSTER_CHECKS, *VM_CHECKS)
"""Those that explain others come first."""


def preflight(
    facts: dict[str, Any], raw_policy: object, kernel_args: list[str], skip_in_use: bool
) -> list[dict[str, str]]:
    """Everything that keeps a policy from being carried out on a node, worst first: ``id``, ``severity``, ``node``,
    ``message``, ``fix``.

    Raises InputError for facts of another schema.
    """
    case = checked_node(facts["node"], facts, raw_policy, kernel_args, skip_in_use=skip_in_use)
    found = [
        {
            "severity": finding.severity or check.severity,
            "node": facts["node"],
            "id": check.id,
            "message": finding.message,
            "fix": finding.fix,
        }
        for check in CHECKS
        if check.hinders
        for finding in check.hinders(case)
    ]
    return sorted(found, key=lambda finding: finding["severity"])


def validate(site: Site) -> list[Answer]:
    """The answer of every check."""
    return answer_all(CHECKS, site)
