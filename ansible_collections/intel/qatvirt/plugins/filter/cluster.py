# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from the nodes' facts to what the cluster has to be told. Documented beside this file, one YAML a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster import qat_plugin
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import VM, ClusterNode, cluster_node
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import pfs_from_facts
from ansible_collections.intel.qatvirt.plugins.plugin_utils.filter_errors import told


@told
def qat_site_nodes(hosts: list[str], hostvars: Any) -> list[dict[str, Any]]:
    """Hosts of the inventory as the cluster layer's modules take them."""
    return [_node(host, hostvars[host]) for host in hosts]


def _node(host: str, variables: Any) -> dict[str, Any]:
    facts = _facts(host, variables)
    workload, node_name = variables.get("qatvirt_workload", VM), variables.get("qatvirt_node_name")
    return cluster_node(host, facts, pfs_from_facts(facts), workload, node_name).as_data()


def _facts(host: str, variables: Any) -> dict[str, Any]:
    facts: dict[str, Any] | None = variables["ansible_facts"].get("qatvirt")
    if facts is None:
        raise InputError(f"{host}: its facts are not there; run intel.qatvirt.qat_info on it first")
    return facts


@told
def qat_cases(hosts: list[str], hostvars: Any) -> list[dict[str, Any]]:
    """Hosts of the inventory as the module qat_validate takes them."""
    return [_case(host, hostvars[host]) for host in hosts]


def _case(host: str, variables: Any) -> dict[str, Any]:
    return {
        "name": host,
        "node_name": variables.get("qatvirt_node_name"),
        "workload": variables.get("qatvirt_workload", VM),
        "facts": _facts(host, variables),
        "policy": variables.get("qat_vf_policy", [{}]),
        "kernel_args": variables.get("qat_host_kernel_args", []),
    }


@told
def qat_resources(
    nodes: list[dict[str, Any]], resource: str, family_resources: dict[str, str] | None = None
) -> dict[str, str]:
    """KubeVirt's resource by vendor and device, for the VFs that the nodes for virtual machines have."""
    by_family = family_resources or {}
    families = {
        selector: family for node in nodes if node["workload"] == VM for selector, family in node["families"].items()
    }
    return {selector: by_family.get(family, resource) for selector, family in sorted(families.items())}


@told
def qat_plugin_settings(
    nodes: list[dict[str, Any]], daemonsets: list[dict[str, Any]], namespace: str, name: str
) -> dict[str, Any]:
    """How Intel's plugin has to be started for the nodes for containers."""
    return qat_plugin.settings([ClusterNode.from_data(node) for node in nodes], list(daemonsets), namespace, name)


@told
def qat_plugin_strangers(daemonsets: list[dict[str, Any]], namespace: str, name: str) -> list[str]:
    """DaemonSets that run Intel's plugin beside the one of that name."""
    return qat_plugin.strangers(list(daemonsets), namespace, name)


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "qat_cases": qat_cases,
            "qat_site_nodes": qat_site_nodes,
            "qat_resources": qat_resources,
            "qat_plugin_settings": qat_plugin_settings,
            "qat_plugin_strangers": qat_plugin_strangers,
        }
