# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that render a report. Documented beside this file, one YAML a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.junit import junit
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import SCHEMA
from ansible_collections.intel.qatvirt.plugins.plugin_utils.filter_errors import raises_filter_error
from ansible_collections.intel.qatvirt.plugins.plugin_utils.page import page


@raises_filter_error
def qat_report_page(report: dict[str, Any]) -> str:
    """A report as one HTML page."""
    return _rendered(page, report)


@raises_filter_error
def qat_report_junit(report: dict[str, Any]) -> str:
    """A report as JUnit XML."""
    return _rendered(junit, report)


def _rendered(render: Callable[[dict[str, Any]], str], report: object) -> str:
    if not isinstance(report, dict):
        raise ValueError("this is no dictionary, expected a report as intel.qatvirt.qat_validate returns it")
    if report.get("schema") != SCHEMA:
        raise ValueError(
            f"found a report of schema {report.get('schema')}, expected {SCHEMA}: make it anew with this collection"
        )
    try:
        return render(report)
    except KeyError as error:
        raise ValueError(f"the report is not whole: {error} is missing") from error


class FilterModule:
    """Filters that render a report, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Each filter by its name."""
        return {"qat_report_junit": qat_report_junit, "qat_report_page": qat_report_page}
