# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module option ``policy``, which the fragment ``attributes.policy`` documents. Pure."""

from __future__ import annotations

POLICY_SPEC = {"type": "raw", "default": [{}]}
"""The policy arrives as the user wrote it: ``policy.parse_policy`` names every wrong value, in the same words for
modules and filters, where Ansible would convert or refuse values in words of its own."""
