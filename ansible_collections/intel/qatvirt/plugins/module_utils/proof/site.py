# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks look at: the nodes under their policies, and one snapshot of the cluster. Pure."""

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
    """One node under one policy.

    ``errors``: why the policy cannot be carried out there; ``policy``, ``plan`` and ``host`` are then None.
    ``raw_policy``: as it was given. ``skip_in_use``: PFs whose VFs are held may be left out. ``node``: what the cluster
    layer knows of it.
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
        return self.node.name

    @cached_property
    def targets(self) -> dict[str, PfTarget]:
        """What each PF is to be, by address; PFs that no rule matches are left out."""
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
    """A node from its facts. ``workload``, ``node_name``: as :func:`..cluster.nodes.cluster_node` takes them.

    Raises InputError for facts of another schema, and for a workload that is none.
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
    """All nodes. ``unread``: nodes of the inventory whose facts are not there. ``snapshot``: None without a cluster.

    ``resources``: KubeVirt's resource by selector of the VFs. ``tests``: what test machines answered, None where none
    were started.
    """

    nodes: tuple[CheckedNode, ...]
    unread: tuple[str, ...] = ()
    snapshot: ClusterSnapshot | None = None
    resources: dict[str, str] | None = None
    tests: list[dict[str, Any]] | None = None

    @property
    def vm_nodes(self) -> list[CheckedNode]:
        """Those whose VFs are for virtual machines."""
        return [case for case in self.nodes if case.node.workload == VM]

    @property
    def container_nodes(self) -> list[CheckedNode]:
        """Those whose VFs are for containers."""
        return [case for case in self.nodes if case.node.workload == CONTAINER]

    @property
    def cluster(self) -> ClusterSnapshot:
        """The snapshot, for checks that need one; an empty one without a cluster."""
        return self.snapshot or ClusterSnapshot()

    @property
    def config_owner(self) -> ConfigOwner | None:
        """Who has KubeVirt's configuration."""
        return self.cluster.config_owner

    @cached_property
    def objects(self) -> dict[str, Object]:
        """The Node object of each node that has one, by the node's name here."""
        known = {item["metadata"]["name"]: item for item in self.snapshot.nodes} if self.snapshot else {}
        found = ((case.name, node_object(case.node, known)) for case in self.nodes)
        return {name: item for name, item in found if item is not None}

    @cached_property
    def pods(self) -> dict[str, Objects]:
        """Pods that have not ended, by the node they are on."""
        found: dict[str, Objects] = {}
        for pod in self.snapshot.pods if self.snapshot else ():
            if not has_ended(pod):
                found.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
        return found

    def pods_on(self, case: CheckedNode) -> Objects:
        """Pods on a node that have not ended."""
        item = self.objects.get(case.name)
        return self.pods.get(item["metadata"]["name"], []) if item else []

    @cached_property
    def counts(self) -> dict[str, NodeAllocatable]:
        """What each node that the cluster has should advertise and does, by the node's name here."""
        return {
            case.name: node_allocatable(
                case.node, self.objects[case.name], _agents(self.pods_on(case)), self.resources or {}
            )
            for case in self.nodes
            if case.name in self.objects
        }


def _agents(pods: Objects) -> Objects:
    """Pods of virt-handler and of Intel's plugin."""
    return [pod for pod in pods if any(kind.items() <= labels_of(pod).items() for kind in (HANDLER, PLUGIN))]
