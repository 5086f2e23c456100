# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays, run on lab nodes exactly as a person runs them, and what can be seen on a node from outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import Lab, Node, NodeSpec
from tests import warm

ROOT = Path(__file__).resolve().parents[1]

SNAPSHOT = "tests-converged"
PFS = ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0", "0000:04:00.0")
"""Two 4940, one 4942, one C62x: generation 4 with services and generation 2 with the denylist on one node."""

POLICY = [
    {"match": {}, "vfs": "max", "driver": "vfio-pci"},
    {"match": {"family": "4xxx"}, "services": ["sym", "asym"]},
]

ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)

LOOK = """
cd /sys/bus/pci/devices
for file in */sriov_numvfs */sriov_drivers_autoprobe */qat/state */qat/cfg_services */driver_override; do
    case $(cat ${file%%/*}/class) in 0x0b4000) echo "$file $(cat $file)";; esac
done
for device in *; do
    case $(cat $device/class) in 0x0b4000) echo "$device/driver $(basename "$(readlink $device/driver)")";; esac
done
"""

# Without what the lab gives each start of a node anew (its identity), and the signing key DKMS makes for itself.
FILES = """
cd /lib/modules/*
find /etc /usr/local /var/lib/qatvirt /var/lib/dkms updates modules.dep -type f ! -name 'mok.*' ! -name machine-id \
    ! -name 'ssh_host_*' -exec sha256sum {} +
for tree in /usr/src/*; do echo "tree  $tree"; done
"""


@dataclass(frozen=True)
class Play:
    """A finished ansible-playbook. text: all it printed, without the line breaks of its layout."""

    text: str
    code: int

    def changes(self) -> dict[str, int]:
        """Number of changed tasks of each host in the recap."""
        return {host: int(changed) for host, changed, _unreachable, _failed in RECAP.findall(self.text)}

    def changed(self, host: str = "qat1") -> int:
        """Number of changed tasks of a host in the recap."""
        return self.changes()[host]

    def says(self, *words: str) -> bool:
        """Whether one paragraph of the output has all these words."""
        return any(all(word in paragraph for word in words) for paragraph in self.text.split("\n\n"))


def play(inventory: Path, playbook: str, *options: str, env: Mapping[str, str] | None = None, **variables: Any) -> Play:
    """Run playbooks/<playbook>.yml; variables become extra variables."""
    file = f"playbooks/{playbook}.yml"
    return ansible_playbook("-i", inventory, file, "-e", json.dumps(variables), *options, env=env)


def ansible_playbook(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Play:
    """Run ansible-playbook in the checkout, which never answers with a traceback."""
    done = subprocess.run(
        [ANSIBLE_PLAYBOOK, *arguments],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    return Play(text, done.returncode)


def look(node: Node) -> dict[str, str]:
    """Everything sysfs says about the node's QAT functions, by path below /sys/bus/pci/devices."""
    lines = node.run(LOOK).stdout.splitlines()
    return {path: value for path, _space, value in (line.partition(" ") for line in lines)}


def bindings(node: Node) -> dict[str, str]:
    """Inode of the link to its driver of each device below a root port. sysfs makes a new one at every binding."""
    lines = node.run("cd /sys/bus/pci/devices && stat -c '%n %i' 0000:0[1-9]:*/driver").stdout.splitlines()
    return {line.split("/")[0]: line.split()[1] for line in lines}


def files(node: Node) -> dict[str, str]:
    """Checksums of all files that the roles could have touched, by path."""
    lines = node.run(FILES, check=False).stdout.splitlines()
    return {path: checksum for checksum, path in (line.split("  ", 1) for line in lines)}


def shell(node: Node, *commands: str) -> str:
    """Run commands on a node, all or none failing."""
    return node.run("set -e\n" + "\n".join(commands)).stdout


@dataclass(frozen=True)
class Site:
    """A node that has been converged, as a snapshot. bare, files: what it was before the first touch."""

    lab: Lab
    inventory: Path
    bare: dict[str, str]
    files: dict[str, str]

    def node(self) -> Node:
        """The converged node, fresh from its snapshot."""
        self.lab.stop("qat1")
        return self.lab.start(NodeSpec("qat1"), source=SNAPSHOT)

    def play(self, playbook: str, *options: str, **variables: Any) -> Play:
        """Run a playbook on it with the policy it was converged to, unless variables say otherwise."""
        return play(self.inventory, playbook, *options, **{"qat_vf_policy": POLICY, **variables})

    def module(self, name: str, check: bool = False, **parameters: Any) -> dict[str, Any]:
        """What a module of the node layer returns on it, called through the warm interpreter of the snapshot."""
        return warm.on_node(self.lab.node("qat1"), name, check, **parameters)

    def with_hosts(self, directory: Path, hosts: Mapping[str, Mapping[str, Any]]) -> Path:
        """An inventory in directory with other names for the node, each with variables of its own."""
        inventory = yaml.safe_load(self.inventory.read_text())
        (known,) = inventory["qat_nodes"]["hosts"].values()
        inventory["qat_nodes"]["hosts"] = {name: {**known, **variables} for name, variables in hosts.items()}
        written = directory / "hosts.yml"
        written.write_text(yaml.safe_dump(inventory))
        return written
