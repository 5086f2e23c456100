# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of the boot unit are. Pure."""

from __future__ import annotations

PROGRAM = "/usr/local/lib/qatvirt/qatvirt-node.pyz"
POLICY = "/etc/qatvirt/policy.json"
STATUS = "/run/qatvirt/status.json"
SERVICE = "qatvirt.service"
UNIT = "/etc/systemd/system/" + SERVICE
WANTED = "/etc/systemd/system/multi-user.target.wants/" + SERVICE
"""Link that exists while the unit is enabled."""
