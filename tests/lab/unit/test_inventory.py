# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/inventory.py: the Ansible inventory and the ssh configuration of a lab."""

from __future__ import annotations

from pathlib import Path

import yaml

from lab import inventory


class TestInventory:
    def test_ansible_gets_what_it_needs(self) -> None:
        group = yaml.safe_load(inventory.hosts_yml({"qat1": "10.90.0.10"}, Path("/state/x")))["qat_nodes"]
        assert group["hosts"] == {"qat1": {"ansible_host": "10.90.0.10"}}
        assert group["vars"]["ansible_ssh_common_args"] == "-F /state/x/ssh_config"

    def test_a_plain_lab_says_nothing_of_a_cluster(self) -> None:
        assert list(yaml.safe_load(inventory.hosts_yml({"qat1": "10.90.0.10"}, Path("/state/x")))) == ["qat_nodes"]

    def test_variables_of_a_cluster_are_for_all_hosts_for_rbac_yml_runs_on_localhost(self) -> None:
        addresses, directory = {"qat1": "10.90.0.10"}, Path("/state/x")
        cluster = {"qatvirt_kubeconfig": "/state/x/qatvirt.kubeconfig", "kubevirt_infra_replicas": 1}
        written = yaml.safe_load(inventory.hosts_yml(addresses, directory, cluster))
        assert written["all"] == {"vars": cluster}
        plain = yaml.safe_load(inventory.hosts_yml(addresses, directory))
        assert written["qat_nodes"] == plain["qat_nodes"]

    def test_host_keys_are_pinned(self) -> None:
        config = inventory.ssh_config({"qat1": "10.90.0.10"}, Path("/state/x"), Path("/state/x/key"))
        assert "Host qat1 10.90.0.10\n" in config
        assert "StrictHostKeyChecking yes\n" in config
        assert inventory.known_hosts({"10.90.0.10": "ssh-ed25519 AAAA me"}) == "10.90.0.10 ssh-ed25519 AAAA\n"
