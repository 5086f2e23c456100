# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files by which ssh and Ansible reach a lab's nodes (pure: text from names, addresses and paths)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

HEAD = "# Written by 'python -m lab up'; an ordinary inventory.\n"


def hosts_yml(addresses: Mapping[str, str], directory: Path, cluster: Mapping[str, Any] | None = None) -> str:
    """The text of an Ansible inventory.

    addresses: addresses of the nodes by name. directory: the lab's directory, with ssh_config in it. cluster: variables
    of all hosts when the lab is a cluster.
    """
    inventory: dict[str, Any] = {"all": {"vars": dict(cluster)}} if cluster else {}
    inventory |= {
        "qat_nodes": {
            "hosts": {name: {"ansible_host": address} for name, address in addresses.items()},
            "vars": {
                "ansible_user": "root",
                "ansible_ssh_common_args": f"-F {directory / 'ssh_config'}",
                "ansible_control_path_dir": str(directory / "cm"),
                "ansible_python_interpreter": "/usr/bin/python3",
                "qat_driver_kernel_source": "/usr/src/qatlab-kernel-source.tar.xz",
                "qat_host_reboot": True,
            },
        }
    }
    return HEAD + yaml.safe_dump(inventory, sort_keys=False)


def ssh_config(addresses: Mapping[str, str], directory: Path, key: Path) -> str:
    """The text of an ssh configuration: all commands to a node share one connection, and its host key is pinned."""
    blocks = []
    for name, address in addresses.items():
        options = {
            "HostName": address,
            "User": "root",
            "IdentityFile": key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": directory / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "HostKeyAlgorithms": "ssh-ed25519",
            "ConnectTimeout": 20,
            "ServerAliveInterval": 30,
            "ControlMaster": "auto",
            "ControlPath": directory / "cm" / "%h",
            "ControlPersist": 600,
            "LogLevel": "ERROR",
        }
        lines = "".join(f"    {option} {value}\n" for option, value in options.items())
        blocks.append(f"Host {name} {address}\n{lines}")
    return "\n".join(blocks)


def known_hosts(public_keys: Mapping[str, str]) -> str:
    """The text of OpenSSH's known_hosts. public_keys: type and key of each node's host key by address."""
    return "".join(f"{address} {' '.join(key.split()[:2])}\n" for address, key in public_keys.items())
