# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rebooted node has services, VFs and bindings back before anybody can log in or kubelet would start."""

from __future__ import annotations

import json

import pytest

from lab import Node
from tests.plays import look

pytestmark = pytest.mark.long


def started(node: Node, unit: str, event: str) -> int:
    """Microseconds from the boot to an event of a unit."""
    return int(node.run(f"systemctl show --value --property={event}TimestampMonotonic {unit}").stdout)


def test_reboot_brings_everything_back_before_sshd_answers(node: Node) -> None:
    before, boot = look(node), node.boot_id()
    node.reboot()
    assert node.boot_id() != boot
    assert look(node) == before
    done = started(node, "qatvirt.service", "ActiveEnter")
    assert 0 < done <= started(node, "ssh.service", "ExecMainStart")
    assert json.loads(node.read("/run/qatvirt/status.json"))["ok"] is True
    assert "follows the policy" in node.run("journalctl --no-pager --unit qatvirt.service").stdout


def test_unit_is_ordered_before_kubelet(node: Node) -> None:
    assert "kubelet.service" in node.run("systemctl show --value --property=Before qatvirt.service").stdout.split()
