# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/identity.py: what a node is told about itself."""

from __future__ import annotations

from lab.identity import BLOB_SIZE, Identity, SshKey, nameservers


class TestIdentity:
    def test_the_blob_always_has_one_size(self) -> None:
        key = SshKey("-----BEGIN\nx\n-----END\n", "ssh-ed25519 AAAA")
        who = Identity(
            "a", "10.90.0.10", "10.90.0.1", "52:54:00:90:00:0a", "0" * 32, key, "ssh-ed25519 B", ("1.1.1.1",)
        )
        assert len(who.blob()) == BLOB_SIZE
        assert who.blob().startswith(b"NAME=a\nADDRESS=10.90.0.10\n")

    def test_only_name_servers_that_a_node_can_reach(self) -> None:
        text = "search x\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver 192.0.2.2\n"
        assert nameservers(text) == ("192.0.2.1", "192.0.2.2")
