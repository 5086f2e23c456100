# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in a lab, said to a person."""

from __future__ import annotations


class LabError(Exception):
    """Something a person can act on: the text says what was found, what was expected and what to do."""
