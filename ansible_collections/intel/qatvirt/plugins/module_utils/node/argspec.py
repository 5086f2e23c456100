# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module option ``policy``, shared by the modules that take it (documented in the fragment
``attributes.policy``)."""

from __future__ import annotations

from typing import Any

POLICY_SPEC = {
    "type": "list",
    "elements": "dict",
    "default": [{}],
    "options": {
        "match": {
            "type": "dict",
            "default": {},
            "options": {
                "address": {"type": "str"},
                "device": {"type": "str"},
                "family": {"type": "str"},
                "numa_node": {"type": "int"},
            },
        },
        "services": {"type": "list", "elements": "str"},
        "vfs": {"type": "str"},
        "driver": {"type": "str"},
    },
}


def given_policy(policy: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The policy as the user wrote it: without the None that Ansible fills in for every option left out."""
    return [
        {key: _given(value) if key == "match" else value for key, value in entry.items() if value is not None}
        for entry in policy
    ]


def _given(match: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in match.items() if value is not None}
