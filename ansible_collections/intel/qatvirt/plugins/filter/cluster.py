# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from facts to options of the cluster layer's modules. Documented beside this file, one YAML a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster import qat_plugin
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    VM,
    ClusterNode,
    cluster_node,
    resources_of,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import pfs_from_facts
from ansible_collections.intel.qatvirt.plugins.plugin_utils.filter_errors import raises_filter_error


@raises_filter_error
def qat_nodes(hosts: list[str], hostvars: Any) -> list[dict[str, Any]]:
    """Hosts of the inventory as the modules of the cluster layer take them."""
    return [_node(host, hostvars[host]) for host in hosts]


def _node(host: str, variables: Any) -> dict[str, Any]:
    facts = _facts(host, variables)
    workload, node_name = variables.get("qatvirt_workload", VM), variables.get("qatvirt_node_name")
    return cluster_node(host, facts, pfs_from_facts(facts), workload, node_name).as_data()


def _facts(host: str, variables: Any) -> dict[str, Any]:
    facts: dict[str, Any] | None = variables["ansible_facts"].get("qatvirt")
    if facts is None:
        raise InputError(f"host {host} has no QAT facts; run the module intel.qatvirt.qat_info on it first")
    return facts


@raises_filter_error
def qat_hosts(hosts: list[str], hostvars: Any) -> list[dict[str, Any]]:
    """Hosts of the inventory as the module qat_validate takes them."""
    return [_host(host, hostvars[host]) for host in hosts]


def _host(host: str, variables: Any) -> dict[str, Any]:
    return {
        "name": host,
        "node_name": variables.get("qatvirt_node_name"),
        "workload": variables.get("qatvirt_workload", VM),
        "facts": _facts(host, variables),
        "policy": variables.get("qat_vf_policy", [{}]),
        "kernel_args": variables.get("qat_host_kernel_args", []),
    }


@raises_filter_error
def qat_host_devices(
    nodes: list[dict[str, Any]], resource: str, family_resources: dict[str, str] | None = None
) -> list[dict[str, str]]:
    """Entries of kubevirt_host_devices for the VFs that the nodes for virtual machines have."""
    resources = resources_of([ClusterNode.from_data(node) for node in nodes], resource, dict(family_resources or {}))
    return [{"selector": selector, "resource_name": name} for selector, name in resources.items()]


@raises_filter_error
def qat_plugin_settings(
    nodes: list[dict[str, Any]], daemonsets: list[dict[str, Any]], namespace: str, name: str
) -> dict[str, Any]:
    """Arguments with which Intel's plugin has to be started for the nodes for containers."""
    return qat_plugin.settings([ClusterNode.from_data(node) for node in nodes], list(daemonsets), namespace, name)


@raises_filter_error
def qat_plugin_others(daemonsets: list[dict[str, Any]], namespace: str, name: str) -> list[str]:
    """DaemonSets that run Intel's plugin beside the DaemonSet of the given name."""
    return qat_plugin.other_daemonsets(list(daemonsets), namespace, name)


class FilterModule:
    """Filters from facts to options of modules, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Each filter by its name."""
        return {
            "qat_host_devices": qat_host_devices,
            "qat_hosts": qat_hosts,
            "qat_nodes": qat_nodes,
            "qat_plugin_others": qat_plugin_others,
            "qat_plugin_settings": qat_plugin_settings,
        }
