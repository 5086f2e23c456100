# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh and Ansible need to reach a lab's nodes (pure: text from names, addresses and paths)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

HEAD = "# Written by 'python -m lab up'; an ordinary inventory.\n"


def hosts_yml(addresses: Mapping[str, str], directory: Path, cluster: Mapping[str, Any] | None = None) -> str:
    """An Ansible inventory.

    addresses: by node name. directory: the lab's, with ssh_config in it. cluster: variables of all hosts.
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
    """An ssh configuration: one connection shared by all commands to a node, its host key pinned."""
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
    """OpenSSH's known_hosts. public_keys: type and key by address."""
    return "".join(f"{address} {' '.join(key.split()[:2])}\n" for address, key in public_keys.items())
