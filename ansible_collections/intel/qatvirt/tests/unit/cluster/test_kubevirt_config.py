# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object has KubeVirt's configuration, and the paths of fields in that object."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import (
    HYPERCONVERGEDS,
    KUBEVIRTS,
    find_config_owner,
    hyperconverged,
    kubevirt,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import NoKubeVirt, NotFound, Refused

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


class Server:
    """An API server that has these lists, and no other kinds."""

    server = "https://a"

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        paths = {"new": HYPERCONVERGEDS[0], "old": HYPERCONVERGEDS[1], "kubevirts": KUBEVIRTS}
        self._lists = {paths[name]: items for name, items in lists.items()}

    def list(self, path: str) -> list[dict[str, Any]]:
        if path not in self._lists:
            raise NotFound(path)
        return self._lists[path]

    def find_all(self, path: str) -> list[dict[str, Any]]:
        return self._lists.get(path, [])


def test_hyperconverged_is_edited_by_the_newest_api_that_is_served() -> None:
    both = Server(new=[ITEM], old=[ITEM], kubevirts=[ITEM])
    assert find_config_owner(both).url == "/apis/hco.kubevirt.io/v1/namespaces/ns/hyperconvergeds/it"  # type: ignore[arg-type]
    old = Server(old=[ITEM], kubevirts=[ITEM])
    assert find_config_owner(old).url == "/apis/hco.kubevirt.io/v1beta1/namespaces/ns/hyperconvergeds/it"  # type: ignore[arg-type]


def test_kubevirt_has_its_configuration_where_no_hyperconverged_is() -> None:
    assert find_config_owner(Server(new=[], kubevirts=[ITEM])).kind == "KubeVirt"  # type: ignore[arg-type]


def test_no_cr_and_several_crs_are_told_apart() -> None:
    with pytest.raises(NoKubeVirt, match=r"the API knows no kubevirts\.kubevirt\.io"):
        find_config_owner(Server())  # type: ignore[arg-type]
    with pytest.raises(NoKubeVirt, match="there is no KubeVirt CR"):
        find_config_owner(Server(kubevirts=[]))  # type: ignore[arg-type]
    several = Server(kubevirts=[{**ITEM, "kind": "KubeVirt"}, {**ITEM, "kind": "KubeVirt"}])
    with pytest.raises(Refused, match=r"https://a has several KubeVirt CRs \(ns/it, ns/it\)"):
        find_config_owner(several)  # type: ignore[arg-type]
