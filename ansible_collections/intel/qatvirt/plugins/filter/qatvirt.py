# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that judge, preview and show node facts on the controller. Documented beside this file, one YAML a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.node.preview import (
    count_table,
    facts_table,
    plan_table,
    preview,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import preflight
from ansible_collections.intel.qatvirt.plugins.plugin_utils.filter_errors import told


@told
def qat_problems(
    facts: dict[str, Any], policy: list[dict[str, Any]], kernel_args: list[str] | None = None, on_in_use: str = "fail"
) -> list[dict[str, str]]:
    """Everything that keeps the policy from being carried out on a node."""
    return preflight(facts, policy, kernel_args or [], on_in_use == "skip")


@told
def qat_plan(
    facts: dict[str, Any], policy: list[dict[str, Any]], kernel_args: list[str] | None = None
) -> dict[str, Any]:
    """What a run would change on a node, and its impact."""
    return preview(facts, policy, kernel_args or [])


@told
def qat_plan_table(plans: list[dict[str, Any]]) -> str:
    """Plans of several nodes as a table."""
    return plan_table(list(plans))


@told
def qat_table(nodes: list[dict[str, Any]]) -> str:
    """Facts of several nodes as a table."""
    return facts_table(list(nodes))


@told
def qat_count_table(nodes: list[dict[str, Any]]) -> str:
    """Who has the VFs of nodes as a table."""
    return count_table(list(nodes))


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "qat_count_table": qat_count_table,
            "qat_problems": qat_problems,
            "qat_plan": qat_plan,
            "qat_plan_table": qat_plan_table,
            "qat_table": qat_table,
        }
