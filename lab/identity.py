# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a node: its machine gives it to the guest, so that copies of one snapshot are different nodes."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from lab.shell import run

BLOB_SIZE = 4096
"""Size of every identity in bytes: a restored kernel keeps the file's size, not its content."""


@dataclass(frozen=True)
class SshKey:
    """A key pair, each key as OpenSSH's files hold it."""

    private: str
    public: str


def ssh_key(path: Path) -> SshKey:
    """The ed25519 key pair in the files path and path.pub, made if missing."""
    public = path.with_name(f"{path.name}.pub")
    if not public.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "qatvirt-lab", "-f", path)
    return SshKey(path.read_text(), public.read_text().strip())


@dataclass(frozen=True)
class Identity:
    """Name, addresses and keys of a node. machine_id: 32 hexadecimal digits."""

    name: str
    address: str
    gateway: str
    mac: str
    machine_id: str
    host_key: SshKey
    authorized_key: str
    nameservers: tuple[str, ...]

    def blob(self) -> bytes:
        """The identity as shell assignments, padded to BLOB_SIZE, for the node's program /usr/lib/qatlab/identity."""
        values = {
            "NAME": self.name,
            "ADDRESS": self.address,
            "GATEWAY": self.gateway,
            "MAC": self.mac,
            "MACHINE_ID": self.machine_id,
            "HOST_KEY": base64.b64encode(self.host_key.private.encode()).decode(),
            "HOST_KEY_PUBLIC": self.host_key.public,
            "AUTHORIZED_KEY": self.authorized_key,
            "NAMESERVERS": " ".join(self.nameservers),
        }
        text = "".join(f"{key}={quote(value)}\n" for key, value in values.items())
        return text.encode().ljust(BLOB_SIZE, b"\n")


def new_machine_id() -> str:
    """A random machine id (machine-id(5))."""
    return secrets.token_hex(16)


def nameservers(resolv_conf: str) -> tuple[str, ...]:
    """The name servers of the host that nodes can reach: those with IPv4 addresses outside the host's loopback."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        address = ipaddress.ip_address(words[1].partition("%")[0])
        if address.version == 4 and not address.is_loopback:
            found.append(str(address))
    return tuple(found)
