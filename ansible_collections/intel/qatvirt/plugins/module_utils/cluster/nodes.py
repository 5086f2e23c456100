# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster layer knows of a node: the facts that Kubernetes has to count, and the names of resources.

Pure. :func:`cluster_node` makes a ClusterNode from the facts of ``qat_info``; modules take it as plain data
(:data:`NODES_SPEC`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import InputError, Refused
from ..node.devices import VENDOR
from ..node.model import Pf, Vf
from ..node.plan import VFIO
from ..node.policy import ordered
from .objects import Object

VM = "vm"
CONTAINER = "container"
WORKLOADS = (VM, CONTAINER)

WORKLOAD_LABEL = "qatvirt.intel.com/workload"
SERVICES_LABEL = "qatvirt.intel.com/services"
READY_LABEL = "qatvirt.intel.com/ready"
VFS_ANNOTATION = "qatvirt.intel.com/vfs"

PLUGIN_PREFIX = "qat.intel.com/"
"""Prefix of all resources of Intel's plugin (intel-device-plugins-for-kubernetes, cmd/qat_plugin)."""

_LABEL_MAX = 63
"""Characters that the value of a label has at most."""
_ELEMENT = {"type": "list", "elements": "str", "default": []}


@dataclass(frozen=True)
class ClusterNode:
    """A node as the inventory and its facts describe it.

    ``name``: name of the Node object; ``names``: other names that the Node object may have. ``vf_counts``: number of
    usable VFs (on vfio-pci, alone in their IOMMU group) by selector (``8086:4941``), as KubeVirt finds and counts
    them. ``families``: family by selector. ``drivers``: VF drivers of the PFs, as Intel's plugin names them.
    ``services``: value of the label, None where no PF has services. ``held``: for each holder of a VF the uid of its
    pod (None: the holder is in no pod) and a sentence that names the holder. ``problems``: why the node is not ready.
    """

    name: str
    workload: str = VM
    names: tuple[str, ...] = ()
    vf_counts: dict[str, int] | None = None
    families: dict[str, str] | None = None
    drivers: tuple[str, ...] = ()
    services: str | None = None
    held: tuple[tuple[str | None, str], ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Number of usable VFs of all kinds."""
        return sum((self.vf_counts or {}).values())

    def expected(self, resources: dict[str, str]) -> dict[str, int]:
        """Number that a node for virtual machines must have allocatable, by resource. ``resources``: by selector."""
        found = dict.fromkeys(resources.values(), 0)
        for selector, count in (self.vf_counts or {}).items():
            if selector in resources:
                found[resources[selector]] += count
        return found

    def as_data(self) -> dict[str, Any]:
        """The node as plain data, which Ansible passes to modules."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> ClusterNode:
        """The node of one element of the module option ``nodes``."""
        values = {field.name: data[field.name] for field in fields(cls)}
        lists = {key: tuple(values[key]) for key in ("names", "drivers", "problems")}
        return cls(**{**values, **lists, "held": tuple((uid, text) for uid, text in values["held"])})


NODES_SPEC = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": {
        "name": {"type": "str", "required": True},
        "workload": {"type": "str", "choices": list(WORKLOADS), "default": VM},
        "names": _ELEMENT,
        "vf_counts": {"type": "dict", "default": {}},
        "families": {"type": "dict", "default": {}},
        "drivers": _ELEMENT,
        "services": {"type": "str"},
        "held": {"type": "list", "elements": "list", "default": []},
        "problems": _ELEMENT,
    },
}
"""The module option ``nodes``, documented in the fragment ``intel.qatvirt.cluster``."""

RESOURCE_SPEC: dict[str, dict[str, Any]] = {
    "resource": {"type": "str", "default": "intel.com/qat"},
    "family_resources": {"type": "dict", "default": {}},
}
"""Module options that name KubeVirt's resources, documented in the fragment ``intel.qatvirt.cluster.resources``."""


def cluster_node(
    inventory_name: str, facts: dict[str, Any], pfs: tuple[Pf, ...], workload: str = VM, node_name: str | None = None
) -> ClusterNode:
    """A node of the inventory from its facts.

    ``pfs``: the PFs of the facts (:func:`..node.model.pfs_from_facts`). ``node_name``: name of the Node object, where
    the inventory gives one (``qatvirt_node_name``). Raises InputError where ``workload`` is not one of WORKLOADS.
    """
    if workload not in WORKLOADS:
        raise InputError(f"{inventory_name}: qatvirt_workload is {workload!r}; expected vm or container")
    usable = [(pf, vf) for pf in pfs for vf in pf.vfs if is_usable(vf)]
    selectors = [selector_of(vf) for _pf, vf in usable]
    return ClusterNode(
        name=node_name or inventory_name,
        workload=workload,
        names=() if node_name else (facts["node"], facts["node"].split(".")[0]),
        vf_counts={selector: selectors.count(selector) for selector in sorted(set(selectors))},
        families={selector: pf.family for selector, (pf, _vf) in zip(selectors, usable)},
        # The plugin looks for PFs of the driver's name without its "vf" (cmd/qat_plugin/dpdkdrv), whether Linux has
        # such a VF driver or not.
        drivers=tuple(sorted({f"{pf.kind.pf_driver}vf" for pf, _vf in usable})),
        services=services_label(pfs),
        held=tuple(held for pf in pfs for vf in pf.held() for held in _held(vf)),
        problems=tuple(_problems(pfs)),
    )


def resources_of(nodes: list[ClusterNode], resource: str, family_resources: dict[str, str]) -> dict[str, str]:
    """KubeVirt's resource by selector, for the VFs that the nodes for virtual machines have.

    ``resource``: for VFs whose family ``family_resources`` does not name, or is not known.
    """
    for_machines = [node for node in nodes if node.workload == VM]
    families = {selector: family for node in for_machines for selector, family in (node.families or {}).items()}
    selectors = {selector for node in for_machines for selector in node.vf_counts or {}} | families.keys()
    return {selector: family_resources.get(families.get(selector, ""), resource) for selector in sorted(selectors)}


def resource_names(resource: str, family_resources: dict[str, str]) -> list[str]:
    """Every name under which virtual machines may get VFs, ``resource`` first, each once."""
    return list(dict.fromkeys([resource, *family_resources.values()]))


def is_usable(vf: Vf) -> bool:
    """Whether a VF can be given to a virtual machine or a pod.

    KubeVirt takes no driver but vfio-pci (``pci_device.go``), and vfio hands out whole IOMMU groups.
    """
    return vf.driver == VFIO and vf.iommu_group is not None and not vf.group_members


def selector_of(vf: Vf) -> str:
    """Vendor and device of a VF, such as ``8086:4941``, by which KubeVirt distinguishes kinds of devices."""
    return f"{VENDOR}:{vf.device}"


def services_label(pfs: tuple[Pf, ...]) -> str | None:
    """The services of a node's PFs as the value of a label; None where no PF has services.

    ``sym-asym`` where all PFs have the same services, ``dc_sym-asym`` where PFs differ.
    """
    found = sorted({"-".join(ordered(set(pf.services))) for pf in pfs if pf.services})
    text = "_".join(found)
    return (text if len(text) <= _LABEL_MAX else "mixed") or None


def _held(vf: Vf) -> list[tuple[str | None, str]]:
    return [(holder.pod, f"VF {vf.address} is held by {holder}") for holder in vf.holders]


def _problems(pfs: tuple[Pf, ...]) -> list[str]:
    """Why VFs of a node cannot be given to virtual machines or pods."""
    found = [f"{problem.message} ({problem.id})" for pf in pfs for problem in pf.all_problems()]
    found += [
        f"VF {vf.address} is on {vf.driver or 'no driver'}, not on {VFIO}"
        for pf in pfs
        for vf in pf.vfs
        if vf.driver != VFIO
    ]
    if not any(is_usable(vf) for pf in pfs for vf in pf.vfs):
        found.append(f"the node has no VF on {VFIO}")
    return found


def match_nodes(wanted: list[ClusterNode], objects: list[Object]) -> list[tuple[ClusterNode, Object]]:
    """Each node of the inventory with its Node object. Raises Refused that names all nodes without a Node object."""
    known = {item["metadata"]["name"]: item for item in objects}
    found = [(node, node_object(node, known)) for node in wanted]
    lost = [node.name for node, item in found if item is None]
    if lost:
        raise Refused(
            f"the cluster has no node {', '.join(lost)}; it has {', '.join(sorted(known)) or 'none'}. "
            "Check that qatvirt_kubeconfig leads to the cluster of these nodes; where the Node object of a node has "
            "another name, set the variable qatvirt_node_name of the node to that name"
        )
    return [(node, item) for node, item in found if item is not None]


def node_object(node: ClusterNode, known: dict[str, Object]) -> Object | None:
    """The Node object of a node of the inventory; None where no Node object has its name. ``known``: all by name."""
    return next((known[name] for name in (node.name, *node.names) if name in known), None)


def is_named(name: str, resource: str) -> bool:
    """Whether a name is that of a resource; a resource that ends in ``/`` stands for all names with that prefix."""
    return name == resource or (resource.endswith("/") and name.startswith(resource))


def allocatable(item: Object, resource: str) -> int:
    """Number of a resource (see :func:`is_named`) that a Node object has allocatable."""
    found: dict[str, str] = item.get("status", {}).get("allocatable") or {}
    return sum(int(count) for name, count in found.items() if is_named(name, resource) and count.isdigit())
