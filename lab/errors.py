# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of the lab that a person is meant to read."""

from __future__ import annotations


class LabError(Exception):
    """An error that a person can act on: its text says what was found, what was expected and what to do."""
