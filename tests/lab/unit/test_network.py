# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/network.py: names and addresses of a lab's network."""

from __future__ import annotations

import ipaddress

import pytest

from lab import LabError
from lab.network import CLUSTER_NODES, SUBNETS, Network


class TestNetwork:
    def test_names_fit_the_kernel_and_are_apart(self) -> None:
        networks = [Network(number) for number in SUBNETS]
        names = [network.tap(index) for network in networks for index in range(201)]
        assert max(map(len, names)) <= 15
        assert len({network.bridge for network in networks}) == len(networks)
        assert len({network.subnet for network in networks}) == len(networks)

    def test_addresses_are_in_the_subnet_and_apart(self) -> None:
        network = Network(7)
        addresses = [network.gateway, *(network.address(index) for index in range(201))]
        assert len(set(addresses)) == len(addresses)
        assert all(address.startswith("10.90.7.") for address in addresses)
        assert network.mac(200) == "52:54:00:90:07:d2"

    def test_pods_of_all_nodes_of_all_labs_are_apart(self) -> None:
        networks = [Network(number) for number in SUBNETS]
        subnets = [network.pod_subnet(index) for network in networks for index in range(CLUSTER_NODES)]
        assert len(set(subnets)) == len(subnets)
        for network in networks:
            pods = ipaddress.ip_network(network.pods)
            assert all(
                ipaddress.ip_network(network.pod_subnet(index)).subnet_of(pods) for index in range(CLUSTER_NODES)
            )

    def test_a_cluster_has_room_for_so_many_nodes(self) -> None:
        with pytest.raises(LabError, match=f"at most {CLUSTER_NODES} nodes"):
            Network(0).pod_subnet(CLUSTER_NODES)
