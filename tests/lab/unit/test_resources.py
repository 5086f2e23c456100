# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/resources.py: what the lab needs of a machine, and what is said of a machine that lacks it."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from lab import LabError, resources
from lab.resources import AvailableResources, RequiredResources, shortages

CACHE = Path("/cache")
ENOUGH = AvailableResources(memory=14_000, disk={CACHE: 20.0}, tun=True)
TWO_NODES = RequiredResources(nodes=[5120, 5120], control_plane=True, disk={CACHE: 18.0})


def test_enough_is_enough() -> None:
    assert shortages(TWO_NODES, ENOUGH) == []


def test_two_nodes_of_the_default_profile_fit_into_14_gb() -> None:
    assert TWO_NODES.memory < 14_000


def test_all_that_is_missing_is_said_at_once() -> None:
    memory, disk, tun = 1000, 3.0, False
    found = shortages(TWO_NODES, AvailableResources(memory, {CACHE: disk}, tun))
    assert len(found) == 3
    assert "/dev/net/tun" in found[0]
    assert "1000 MiB" in found[1]
    assert f"{TWO_NODES.memory} MiB" in found[1]
    assert "3.0 GB are free below /cache, 18.0 GB are needed" in found[2]
    assert "QATVIRT_CACHE" in found[2]


def test_nothing_to_start_needs_no_memory() -> None:
    assert shortages(RequiredResources([], control_plane=False, disk={}), AvailableResources(0, {}, tun=False)) == []


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.90.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            LabError, match=rf"port {port} of 127.90.0.1 is taken, and etcd is to listen there.*sport = :{port}"
        ):
            resources.require_free_port("127.90.0.1", port, "etcd")
    resources.require_free_port("127.90.0.1", port, "etcd")


def test_an_address_that_is_not_there_is_named() -> None:
    with pytest.raises(LabError, match=os.strerror(errno.EADDRNOTAVAIL)):
        resources.require_free_port("198.51.100.1", 6443, "kube-apiserver")
