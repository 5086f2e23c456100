# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has each VF of a node.

Pure. The owner of a VF that a process has open is the virtual machine or the pod in which the process runs, or else the
process. The owner of any other VF is the resource under which the node offers the VF; a VF that is not offered is
free. The API does not tell which VF kubelet gave to a pod that has not opened the VF yet. But kubelet gives each device
of one resource away once (``cm/devicemanager/manager.go``), so a VF is assigned twice only where two resources have the
VF, or where more VFs of a resource are given away than exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..node.model import Pf, Vf
from .nodes import CONTAINER, PLUGIN_PREFIX, ClusterNode, allocatable, is_usable, selector_of
from .objects import Object, Objects, name_of
from .pods import devices_of, is_launcher, machine_of

MACHINE = "vm"
POD = "pod"
PROCESS = "process"
RESOURCE = "resource"
FREE = "free"
UNUSABLE = "unusable"
"""Kinds of owners, and of VFs without an owner."""


@dataclass(frozen=True)
class VfOwner:
    """Who has a VF. ``kind``: one of the kinds above. ``text``: which one, or why a VF has no owner."""

    kind: str
    text: str

    def __str__(self) -> str:
        return {POD: f"pod {self.text}", PROCESS: f"process {self.text}"}.get(self.kind, self.text)


def vf_owners(
    node: ClusterNode, pfs: tuple[Pf, ...], item: Object | None, pods: Objects, resources: dict[str, str]
) -> VfOwners:
    """The owners of each VF by the VF's address: one owner, or several where something is wrong.

    ``item``: the Node object, None without a cluster. ``pods``: pods on the node that have not ended. ``resources``:
    KubeVirt's resource by selector.
    """
    by_uid = {pod["metadata"].get("uid"): pod for pod in pods}
    return {vf.address: _holders(vf, by_uid) or (_offer(node, pf, vf, item, resources),) for pf in pfs for vf in pf.vfs}


VfOwners = dict[str, tuple[VfOwner, ...]]


def _holders(vf: Vf, pods: dict[str | None, Object]) -> tuple[VfOwner, ...]:
    """Owners that have a VF open; several processes of one pod are one owner."""
    found = [
        _holder(pods.get(holder.pod), str(holder)) if holder.pod else VfOwner(kind=PROCESS, text=str(holder))
        for holder in vf.holders
    ]
    return tuple(dict.fromkeys(found))


def _holder(pod: Object | None, process: str) -> VfOwner:
    if pod is None:
        return VfOwner(kind=PROCESS, text=process)
    namespace = pod["metadata"]["namespace"]
    if is_launcher(pod):
        return VfOwner(kind=MACHINE, text=f"virtual machine {namespace}/{machine_of(pod) or name_of(pod)}")
    return VfOwner(kind=POD, text=f"{namespace}/{name_of(pod)}")


def _offer(node: ClusterNode, pf: Pf, vf: Vf, item: Object | None, resources: dict[str, str]) -> VfOwner:
    """The resource under which a node offers a VF, or why the node does not offer the VF."""
    if not is_usable(vf):
        return VfOwner(kind=UNUSABLE, text=_why_unusable(vf))
    if item is None:
        return VfOwner(kind=FREE, text="no cluster was looked at")
    name = plugin_resource(pf) if node.workload == CONTAINER else resources.get(selector_of(vf))
    if name is None:
        return VfOwner(kind=FREE, text="no resource is for its kind of VF")
    if allocatable(item, name):
        return VfOwner(kind=RESOURCE, text=name)
    return VfOwner(kind=FREE, text=f"the node does not offer {name}")


def _why_unusable(vf: Vf) -> str:
    if vf.group_members:
        return "shares its IOMMU group"
    return f"on {vf.driver or 'no driver'}" if vf.iommu_group else "no IOMMU group"


def plugin_resource(pf: Pf) -> str:
    """Name of the resource under which Intel's plugin offers the VFs of a PF.

    The name has the services of the PF in the order in which the kernel prints them
    (intel-device-plugins-for-kubernetes 0.36, ``dpdkdrv.go``).
    """
    if not pf.services:
        return f"{PLUGIN_PREFIX}generic"
    joined = "-".join(pf.services)
    return PLUGIN_PREFIX + ("cy" if set(pf.services) == {"sym", "asym"} else joined)


def given_to_pods(pods: Objects, names: set[str]) -> dict[str, int]:
    """Number of each QAT resource that kubelet has given to pods. ``names``: KubeVirt's resources for VFs."""
    found: dict[str, int] = {}
    for pod in pods:
        for name, count in devices_of(pod).items():
            if (name in names or name.startswith(PLUGIN_PREFIX)) and pod["spec"].get("nodeName"):
                found[name] = found.get(name, 0) + count
    return found
