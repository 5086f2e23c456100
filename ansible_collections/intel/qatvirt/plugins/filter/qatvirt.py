# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that check, preview and show facts of nodes. Documented beside this file, one YAML a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.node.preview import (
    allocatable_table,
    facts_table,
    plan_table,
    preview,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import preflight
from ansible_collections.intel.qatvirt.plugins.plugin_utils.filter_errors import raises_filter_error


@raises_filter_error
def qat_problems(
    facts: dict[str, Any], policy: list[dict[str, Any]], kernel_args: list[str] | None = None, on_in_use: str = "fail"
) -> list[dict[str, str]]:
    """Everything that keeps the policy from being carried out on a node."""
    return preflight(facts, policy, kernel_args or [], on_in_use == "skip")


@raises_filter_error
def qat_plan(
    facts: dict[str, Any], policy: list[dict[str, Any]], kernel_args: list[str] | None = None
) -> dict[str, Any]:
    """What a run would change on a node, and the impact of the changes."""
    return preview(facts, policy, kernel_args or [])


@raises_filter_error
def qat_plan_table(plans: list[dict[str, Any]]) -> str:
    """Plans of several nodes as a table."""
    return plan_table(list(plans))


@raises_filter_error
def qat_facts_table(nodes: list[dict[str, Any]]) -> str:
    """Facts of several nodes as a table."""
    return facts_table(list(nodes))


@raises_filter_error
def qat_allocatable_table(nodes: list[dict[str, Any]]) -> str:
    """The VFs that nodes advertise, as a table."""
    return allocatable_table(list(nodes))


class FilterModule:
    """Filters over the facts of nodes, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Each filter by its name."""
        return {
            "qat_allocatable_table": qat_allocatable_table,
            "qat_problems": qat_problems,
            "qat_plan": qat_plan,
            "qat_plan_table": qat_plan_table,
            "qat_facts_table": qat_facts_table,
        }
