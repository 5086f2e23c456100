# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object owns KubeVirt's configuration: KubeVirt's own CR, or HyperConverged, which overwrites KubeVirt's CR.

HyperConverged replaces what others write into the KubeVirt CR that it made, so HyperConverged has to be edited instead
(hyperconverged-cluster-operator 1.20.0, docs/cluster-configuration.md). The paths of its fields are those of ``api/v1``
and ``api/v1beta1/hyperconverged_types.go`` there. Releases before 1.18 serve only v1beta1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import NoKubeVirt, NotFound, Refused
from .objects import Keys, Object, Objects, in_namespace, name_of

if TYPE_CHECKING:
    from .api import Api

KUBEVIRTS = "/apis/kubevirt.io/v1/kubevirts"
HYPERCONVERGEDS = ("/apis/hco.kubevirt.io/v1/hyperconvergeds", "/apis/hco.kubevirt.io/v1beta1/hyperconvergeds")
"""Lists of HyperConverged in the versions of its API, newest first."""

PLACEMENT: Keys = ("spec", "workloads", "nodePlacement")
"""Path of the placement of workloads in KubeVirt v1 and HyperConverged v1beta1."""


@dataclass(frozen=True)
class ConfigOwner:
    """The object that has KubeVirt's configuration, and the paths of fields in that object.

    ``url``: REST path of the object. ``devices``: path of the list of permitted PCI devices; ``selector``: key of
    vendor and device in the entries of that list. ``gates``: path of the field with ``featureGates`` and
    ``disabledFeatureGates``, None where HostDevices is always on. ``placement``: path of the placement of workloads.
    """

    kind: str
    namespace: str
    name: str
    url: str
    devices: Keys
    selector: str
    gates: Keys | None
    placement: Keys = PLACEMENT

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    def as_data(self) -> dict[str, str]:
        """The owner as plain data, for the result of a module."""
        return {"kind": self.kind, "namespace": self.namespace, "name": self.name}


def find_config_owner(api: Api) -> ConfigOwner:
    """The owner of KubeVirt's configuration. Raises NoKubeVirt without KubeVirt, Refused where several CRs exist."""
    collection, found = find_hyperconvergeds(api)
    if found:
        return hyperconverged(collection, _only(found, api.server))
    return kubevirt(find_kubevirt(api))


def find_hyperconvergeds(api: Api) -> tuple[str, Objects]:
    """All HyperConverged CRs, with the list of HYPERCONVERGEDS that has them: the newest that the API server serves."""
    for collection in HYPERCONVERGEDS:
        found = api.find_all(collection)
        if found:
            return collection, found
    return HYPERCONVERGEDS[0], []


def find_kubevirt(api: Api) -> Object:
    """KubeVirt's CR. Raises NoKubeVirt where the cluster has none, Refused where it has several."""
    kubevirts = list_kubevirts(api)
    if kubevirts is None:
        raise NoKubeVirt(
            f"KubeVirt is not installed at {api.server}: the API knows no kubevirts.kubevirt.io. "
            "Install it, for example with the role kubevirt (kubevirt_operator_manifest)"
        )
    if not kubevirts:
        raise NoKubeVirt(
            f"KubeVirt's operator is installed at {api.server}, but there is no KubeVirt CR, so it deploys nothing. "
            "Create a KubeVirt CR, for example with the role kubevirt"
        )
    return _only(kubevirts, api.server)


def list_kubevirts(api: Api) -> Objects | None:
    """All KubeVirt CRs, None where the API does not know the kind."""
    try:
        return api.list(KUBEVIRTS)
    except NotFound:
        return None


def _only(found: Objects, server: str) -> Object:
    if len(found) > 1:
        kind = found[0]["kind"]
        names = ", ".join(f"{item['metadata']['namespace']}/{name_of(item)}" for item in found)
        raise Refused(
            f"{server} has several {kind} CRs ({names}); the operator of {kind} expects one. Delete the others"
        )
    return found[0]


def hyperconverged(collection: str, item: Object) -> ConfigOwner:
    """A HyperConverged CR as the owner. ``collection``: the list of HYPERCONVERGEDS that has it."""
    new = collection == HYPERCONVERGEDS[0]
    within: Keys = ("spec", "virtualization") if new else ("spec",)
    namespace, name = item["metadata"]["namespace"], name_of(item)
    return ConfigOwner(
        kind="HyperConverged",
        namespace=namespace,
        name=name,
        url=f"{in_namespace(collection, namespace)}/{name}",
        devices=(*within, "permittedHostDevices", "pciHostDevices"),
        selector="pciDeviceSelector",
        gates=None,
        placement=("spec", "deployment", "nodePlacements", "workload") if new else PLACEMENT,
    )


def kubevirt(item: Object) -> ConfigOwner:
    """A KubeVirt CR as the owner."""
    namespace, name = item["metadata"]["namespace"], name_of(item)
    return ConfigOwner(
        kind="KubeVirt",
        namespace=namespace,
        name=name,
        url=f"{in_namespace(KUBEVIRTS, namespace)}/{name}",
        devices=("spec", "configuration", "permittedHostDevices", "pciHostDevices"),
        selector="pciVendorSelector",
        gates=("spec", "configuration", "developerConfiguration"),
    )
