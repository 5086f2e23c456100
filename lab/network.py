# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a lab: a bridge, a tap device for each node, and address translation (NAT) to the outside.

Traffic between nodes stays on the bridge. Traffic to the outside goes through the host (best effort: without nftables
or forwarding on the host, nodes still reach each other and the host).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.paths import labs_root, locked
from lab.progress import console
from lab.shell import run

SUBNETS = range(256)
CLUSTER_NODES = 16
FIRST_NODE = 10
"""Last number of the IPv4 address of the node with index 0."""

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_INTERFACES = Path("/sys/class/net")


@dataclass(frozen=True)
class Network:
    """Names and addresses of the lab network of a number out of SUBNETS (pure: an object makes no device)."""

    number: int

    @property
    def bridge(self) -> str:
        return f"qlab{self.number}"

    @property
    def subnet(self) -> str:
        return f"10.90.{self.number}.0/24"

    @property
    def gateway(self) -> str:
        return f"10.90.{self.number}.1"

    def tap(self, index: int) -> str:
        """Name of the tap device of the node with this index (from 0); the kernel allows 15 characters."""
        return f"{self.bridge}t{index}"

    def address(self, index: int) -> str:
        return f"10.90.{self.number}.{FIRST_NODE + index}"

    @property
    def pods(self) -> str:
        """Subnet of all pods, if the lab is a cluster: one of 256 blocks of 10.128.0.0/12."""
        return f"{self._pods(0)}/20"

    def pod_subnet(self, index: int) -> str:
        """Subnet of the pods on the node with this index (0 to 15)."""
        if index not in range(CLUSTER_NODES):
            raise LabError(f"a cluster of the lab has at most {CLUSTER_NODES} nodes: start fewer nodes, or end some.")
        return f"{self._pods(index)}/24"

    def _pods(self, index: int) -> str:
        number = self.number * CLUSTER_NODES + index
        return f"10.{128 + number // 256}.{number % 256}.0"

    def mac(self, index: int) -> str:
        return f"52:54:00:90:{self.number:02x}:{FIRST_NODE + index:02x}"

    def nft_rules(self) -> str:
        """The nftables table of this network, for 'nft -f'."""
        inside = f"{{ {self.subnet}, {self.pods} }}"
        return (
            f"table ip {self.bridge} {{\n"
            "  chain postrouting {\n"
            "    type nat hook postrouting priority srcnat;\n"
            f"    ip saddr {inside} ip daddr != {inside} masquerade\n"
            "  }\n"
            "}\n"
        )


def claim(numbers: Iterable[int] = SUBNETS) -> Network:
    """Make the bridge of the first of these network numbers that is free, and give that network.

    The kernel takes a bridge name once, so two labs that start at once get two networks.
    """
    for number in numbers:
        network = Network(number)
        if (_INTERFACES / network.bridge).exists():
            continue
        made = subprocess.run(
            ["ip", "link", "add", network.bridge, "type", "bridge"], capture_output=True, text=True, check=False
        )
        if made.returncode == 0:
            return network
        if "File exists" not in made.stderr:
            raise LabError(f"cannot make the bridge {network.bridge}: {made.stderr.strip()}\nThe lab needs root.")
    bridges = ", ".join(Network(number).bridge for number in numbers)
    raise LabError(f"these lab networks are taken: {bridges}. End some lab with 'python -m lab down --name NAME'.")


def repair(network: Network) -> None:
    """Make what is missing of a network: its bridge, the gateway's address, address translation and forwarding."""
    if not (_INTERFACES / network.bridge).exists():
        run("ip", "link", "add", network.bridge, "type", "bridge")
    run("ip", "address", "replace", f"{network.gateway}/24", "dev", network.bridge)
    run("ip", "link", "set", network.bridge, "up")
    try:
        if not _has_table(network):
            run("nft", "-f", "-", text=network.nft_rules())
        _forwarding_on()
    except (LabError, OSError) as error:
        console.print(f"  [yellow]![/] nodes will not reach networks beyond the host: {error}")


def add_tap(network: Network, index: int) -> None:
    """Make a node's tap device and set it up, but do not attach it to the bridge yet."""
    name = network.tap(index)
    if not (_INTERFACES / name).exists():
        run("ip", "tuntap", "add", "dev", name, "mode", "tap")
    run("ip", "link", "set", name, "nomaster")
    run("ip", "link", "set", name, "up")


def attach_tap(network: Network, index: int) -> None:
    """Attach a node's tap device to the bridge."""
    run("ip", "link", "set", network.tap(index), "master", network.bridge)


def route_pods(network: Network, index: int) -> None:
    """Route a node's pod subnet to the node: the API server runs on the host and calls webhooks in pods."""
    run("ip", "route", "replace", network.pod_subnet(index), "via", network.address(index), "dev", network.bridge)


def remove_tap(network: Network, index: int) -> None:
    """Remove a node's tap device, if it exists."""
    if (_INTERFACES / network.tap(index)).exists():
        run("ip", "link", "delete", network.tap(index))


def remove(network: Network) -> None:
    """Remove the bridge, all its tap devices and the address translation of a network."""
    for tap in _INTERFACES.glob(f"{network.bridge}t*"):
        run("ip", "link", "delete", tap.name)
    if _has_table(network):
        run("nft", "delete", "table", "ip", network.bridge)
    if (_INTERFACES / network.bridge).exists():
        run("ip", "link", "delete", network.bridge)
    _forwarding_back()


def _has_table(network: Network) -> bool:
    listed = subprocess.run(["nft", "list", "tables", "ip"], capture_output=True, text=True, check=False).stdout
    return f"table ip {network.bridge}" in listed.splitlines()


def _forwarding_on() -> None:
    """Switch the host's IPv4 forwarding on, and remember when it was off before the first lab."""
    mark = labs_root() / ".forwarding-was-off"
    with locked(labs_root() / ".forwarding.lock"):
        if _FORWARD.read_text().strip() == "0":
            mark.touch()
            _FORWARD.write_text("1")


def _forwarding_back() -> None:
    """Switch forwarding off again when the last lab has ended and forwarding was off before the first lab."""
    mark = labs_root() / ".forwarding-was-off"
    with locked(labs_root() / ".forwarding.lock"):
        if mark.exists() and not any(_INTERFACES.glob("qlab*")):
            _FORWARD.write_text("0")
            mark.unlink()
