# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks look at: the nodes under their policies, and one snapshot of the cluster. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..cluster.allocatable import HANDLER, PLUGIN, Count, count
from ..cluster.kubevirt_config import Owner
from ..cluster.nodes import CONTAINER, VM, SiteNode, node_object, site_node
from ..cluster.objects import Object, Objects, labels_of
from ..cluster.snapshot import Snapshot
from ..errors import PolicyError
from ..node.host_plan import HostPlan, plan_host
from ..node.model import Pf, pfs_of, vfio_of
from ..node.plan import PfTarget, Plan, plan
from ..node.policy import Policy, parse_policy


@dataclass(frozen=True)
class NodeCase:
    """One node under one policy.

    ``errors``: why the policy cannot be carried out there; ``policy``, ``plan`` and ``host`` are then None.
    ``raw_policy``: as it was given. ``skip_in_use``: PFs whose VFs are held may be left out. ``site``: what the cluster
    layer knows of it.
    """

    facts: dict[str, Any]
    pfs: tuple[Pf, ...]
    raw_policy: object
    site: SiteNode
    policy: Policy | None = None
    plan: Plan | None = None
    host: HostPlan | None = None
    errors: tuple[str, ...] = ()
    skip_in_use: bool = False

    @property
    def name(self) -> str:
        return self.site.name

    @cached_property
    def targets(self) -> dict[str, PfTarget]:
        """What each PF is to be, by address; PFs that no rule matches are left out."""
        return {pf.pf: pf.target for pf in self.plan.pfs if pf.target} if self.plan else {}

    @cached_property
    def wanted_pfs(self) -> list[Pf]:
        """PFs that are to have VFs."""
        return [pf for pf in self.pfs if pf.address in self.targets and self.targets[pf.address].vfs]


def node_case(
    name: str,
    facts: dict[str, Any],
    raw_policy: object,
    kernel_args: list[str],
    *,
    skip_in_use: bool = False,
    variables: dict[str, Any] | None = None,
) -> NodeCase:
    """A node from its facts. ``variables``: of the inventory, as :func:`..cluster.nodes.site_node` reads them.

    Raises InputError for facts of another schema, and for a workload that is none.
    """
    pfs = pfs_of(facts)
    site = site_node(name, {**(variables or {}), "ansible_facts": {"qatvirt": facts}})
    try:
        policy: Policy = parse_policy(raw_policy)
        todo = plan(pfs, vfio_of(facts), policy)
    except PolicyError as error:
        return NodeCase(facts, pfs, raw_policy, site, errors=tuple(error.messages), skip_in_use=skip_in_use)
    host = plan_host(facts, pfs, policy, kernel_args, facts["kernel_args_set"])
    return NodeCase(facts, pfs, raw_policy, site, policy, todo, host, skip_in_use=skip_in_use)


@dataclass(frozen=True)
class Site:
    """All nodes. ``unread``: nodes of the inventory whose facts are not there. ``snapshot``: None without a cluster.

    ``resources``: KubeVirt's resource by selector of the VFs. ``tests``: what test machines answered, None where none
    were started.
    """

    nodes: tuple[NodeCase, ...]
    unread: tuple[str, ...] = ()
    snapshot: Snapshot | None = None
    resources: dict[str, str] | None = None
    tests: list[dict[str, Any]] | None = None

    @property
    def vm_nodes(self) -> list[NodeCase]:
        """Those whose VFs are for virtual machines."""
        return [case for case in self.nodes if case.site.workload == VM]

    @property
    def container_nodes(self) -> list[NodeCase]:
        """Those whose VFs are for containers."""
        return [case for case in self.nodes if case.site.workload == CONTAINER]

    @property
    def cluster(self) -> Snapshot:
        """The snapshot, for checks that need one; an empty one without a cluster."""
        return self.snapshot or Snapshot()

    @property
    def owner(self) -> Owner | None:
        """Who has KubeVirt's configuration."""
        return self.cluster.owner

    @cached_property
    def objects(self) -> dict[str, Object]:
        """The Node object of each node that has one, by the node's name here."""
        known = {item["metadata"]["name"]: item for item in self.snapshot.nodes} if self.snapshot else {}
        found = ((case.name, node_object(case.site, known)) for case in self.nodes)
        return {name: item for name, item in found if item is not None}

    @cached_property
    def pods(self) -> dict[str, Objects]:
        """Pods that have not ended, by the node they are on."""
        found: dict[str, Objects] = {}
        for pod in self.snapshot.pods if self.snapshot else ():
            if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                found.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
        return found

    def pods_on(self, case: NodeCase) -> Objects:
        """Pods on a node that have not ended."""
        item = self.objects.get(case.name)
        return self.pods.get(item["metadata"]["name"], []) if item else []

    @cached_property
    def counts(self) -> dict[str, Count]:
        """What each node that the cluster has should advertise and does, by the node's name here."""
        return {
            case.name: count(case.site, self.objects[case.name], _agents(self.pods_on(case)), self.resources or {})
            for case in self.nodes
            if case.name in self.objects
        }


def _agents(pods: Objects) -> Objects:
    """Pods of virt-handler and of Intel's plugin."""
    return [pod for pod in pods if any(kind.items() <= labels_of(pod).items() for kind in (HANDLER, PLUGIN))]
