# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object is edited, and where in it. That the right one is found is tested on an API server."""

from __future__ import annotations

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import (
    HYPERCONVERGEDS,
    hyperconverged,
    kubevirt,
)

ITEM = {"metadata": {"namespace": "ns", "name": "it"}}


def test_kubevirt() -> None:
    owner = kubevirt(ITEM)
    assert str(owner) == "KubeVirt ns/it"
    assert owner.url == "/apis/kubevirt.io/v1/namespaces/ns/kubevirts/it"
    assert owner.as_data() == {"kind": "KubeVirt", "namespace": "ns", "name": "it"}
    assert owner.devices == ("spec", "configuration", "permittedHostDevices", "pciHostDevices")
    assert owner.placement == ("spec", "workloads", "nodePlacement")


def test_the_versions_of_hyperconverged_have_things_in_different_places() -> None:
    new, old = (hyperconverged(collection, ITEM) for collection in HYPERCONVERGEDS)
    assert new.url == "/apis/hco.kubevirt.io/v1/namespaces/ns/hyperconvergeds/it"
    assert new.devices == ("spec", "virtualization", "permittedHostDevices", "pciHostDevices")
    assert new.placement == ("spec", "deployment", "nodePlacements", "workload")
    assert old.url == "/apis/hco.kubevirt.io/v1beta1/namespaces/ns/hyperconvergeds/it"
    assert old.devices == ("spec", "permittedHostDevices", "pciHostDevices")
    assert old.placement == ("spec", "workloads", "nodePlacement")
    assert new.gates is old.gates is None
