# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the Kubernetes API as plain data, and what can go wrong with them. Pure: needs no Kubernetes library."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
Objects = list[Object]


def name_of(item: Object) -> str:
    """Name of an object."""
    return str(item["metadata"]["name"])


def labels_of(item: Object) -> dict[str, str]:
    """Labels of an object."""
    return item["metadata"].get("labels") or {}
