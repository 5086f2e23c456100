# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks look at: the nodes under their policies, and a snapshot of the cluster. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..cluster.allocatable import HANDLER, PLUGIN, NodeAllocatable, node_allocatable
from ..cluster.kubevirt_config import ConfigOwner
from ..cluster.nodes import CONTAINER, VM, ClusterNode, cluster_node, node_object
from ..cluster.objects import Object, Objects, labels_of
from ..cluster.pods import has_ended
from ..cluster.snapshot import ClusterSnapshot
from ..errors import PolicyError
from ..node.host_plan import HostPlan, plan_host
from ..node.model import Pf, pfs_from_facts, vfio_from_facts
from ..node.plan import PfTarget, Plan, plan_pfs
from ..node.policy import Policy, parse_policy


@dataclass(frozen=True)
class CheckedNode:
    """One node of the inventory with its facts, under its policy.

    ``raw_policy``: the policy as it was given. ``node``: what the cluster layer knows of the node. ``policy``: the
    parsed policy, ``plan``: what it changes on the PFs, ``host``: what it changes on the host. ``errors``: why the
    policy cannot be carried out on the node; ``policy``, ``plan`` and ``host`` are then None. ``skip_in_use``: whether
    a run may leave out PFs whose VFs are held.
    """

    facts: dict[str, Any]
    pfs: tuple[Pf, ...]
    raw_policy: object
    node: ClusterNode
    policy: Policy | None = None
    plan: Plan | None = None
    host: HostPlan | None = None
    errors: tuple[str, ...] = ()
    skip_in_use: bool = False

    @property
    def name(self) -> str:
        """Of the node: what the inventory says, ``qatvirt_node_name`` before the host's name."""
        return self.node.name

    @cached_property
    def targets(self) -> dict[str, PfTarget]:
        """What each PF is to be, by the PF's address; PFs that no rule matches are left out."""
        return {pf.address: pf.target for pf in self.plan.pfs if pf.target} if self.plan else {}

    @cached_property
    def wanted_pfs(self) -> list[Pf]:
        """PFs that are to have VFs."""
        return [pf for pf in self.pfs if pf.address in self.targets and self.targets[pf.address].vf_targets]


def checked_node(
    name: str,
    facts: dict[str, Any],
    raw_policy: object,
    kernel_args: list[str],
    *,
    skip_in_use: bool = False,
    workload: str = VM,
    node_name: str | None = None,
) -> CheckedNode:
    """A node from its facts. ``name``: in the inventory. ``workload``, ``node_name``: as for
    :func:`..cluster.nodes.cluster_node`.

    Raises InputError for facts of another schema, and for an unknown workload.
    """
    pfs = pfs_from_facts(facts)
    node = cluster_node(name, facts, pfs, workload, node_name)
    try:
        policy: Policy = parse_policy(raw_policy)
        plan = plan_pfs(pfs, vfio_from_facts(facts), policy)
    except PolicyError as error:
        return CheckedNode(facts, pfs, raw_policy, node, errors=tuple(error.messages), skip_in_use=skip_in_use)
    host = plan_host(facts, pfs, policy, kernel_args, facts["kernel_args_set"])
    return CheckedNode(facts, pfs, raw_policy, node, policy, plan, host, skip_in_use=skip_in_use)


@dataclass(frozen=True)
class Site:
    """Everything that is checked together: all nodes, and the cluster they are of.

    ``unread``: names of nodes of the inventory whose facts are missing. ``snapshot``: the cluster, None without one.
    ``resources``: KubeVirt's resource by selector of the VFs. ``tests``: results of tests (:mod:`..test_vm.result`),
    None where no run was made.
    """

    nodes: tuple[CheckedNode, ...]
    unread: tuple[str, ...] = ()
    snapshot: ClusterSnapshot | None = None
    resources: dict[str, str] | None = None
    tests: list[dict[str, Any]] | None = None

    @property
    def vm_nodes(self) -> list[CheckedNode]:
        """Nodes whose VFs are for virtual machines."""
        return [checked for checked in self.nodes if checked.node.workload == VM]

    @property
    def container_nodes(self) -> list[CheckedNode]:
        """Nodes whose VFs are for containers."""
        return [checked for checked in self.nodes if checked.node.workload == CONTAINER]

    @property
    def cluster(self) -> ClusterSnapshot:
        """The snapshot of the cluster, an empty one without a cluster: for checks that are skipped then."""
        return self.snapshot or ClusterSnapshot()

    @property
    def config_owner(self) -> ConfigOwner | None:
        """Who has KubeVirt's configuration; None without KubeVirt."""
        return self.cluster.config_owner

    @cached_property
    def objects(self) -> dict[str, Object]:
        """The Node object of each node that the cluster has, by the name of :class:`CheckedNode`."""
        known = {item["metadata"]["name"]: item for item in self.snapshot.nodes} if self.snapshot else {}
        found = ((checked.name, node_object(checked.node, known)) for checked in self.nodes)
        return {name: item for name, item in found if item is not None}

    @cached_property
    def pods(self) -> dict[str, Objects]:
        """Pods that have not ended, by the Node object they are on; pods that are on none by an empty name."""
        found: dict[str, Objects] = {}
        for pod in self.snapshot.pods if self.snapshot else ():
            if not has_ended(pod):
                found.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
        return found

    def pods_on(self, checked: CheckedNode) -> Objects:
        """Pods on a node that have not ended."""
        item = self.objects.get(checked.name)
        return self.pods.get(item["metadata"]["name"], []) if item else []

    @cached_property
    def counts(self) -> dict[str, NodeAllocatable]:
        """What each node that the cluster has should advertise and does, by the name of :class:`CheckedNode`."""
        return {
            checked.name: node_allocatable(
                checked.node, self.objects[checked.name], _agents(self.pods_on(checked)), self.resources or {}
            )
            for checked in self.nodes
            if checked.name in self.objects
        }


def _agents(pods: Objects) -> Objects:
    """The pods that advertise VFs: of virt-handler and of Intel's plugin."""
    return [pod for pod in pods if any(kind.items() <= labels_of(pod).items() for kind in (HANDLER, PLUGIN))]
