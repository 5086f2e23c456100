# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One read of a cluster: nothing fails for a part that the account may not read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import HYPERCONVERGEDS, KUBEVIRTS
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import MACHINES, NODES, PODS
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.snapshot import ClusterSnapshot, read_cluster
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, Forbidden, NotFound
from ansible_collections.intel.qatvirt.tests.unit.cluster.objects import node_object

NEW, OLD = HYPERCONVERGEDS
CR = {"metadata": {"namespace": "ns", "name": "it"}}


class Server:
    """An API server with lists by path. A path without a list is of an unknown kind; an error is raised."""

    server = "https://a"

    def __init__(self, lists: dict[str, Any]) -> None:
        self._lists = {
            "/version": {"gitVersion": "v1.35.4"},
            NODES: [],
            PODS: [],
            "/apis/apps/v1/daemonsets": [],
            **lists,
        }

    def get(self, path: str) -> Any:
        found = self._lists.get(path, NotFound(path))
        if isinstance(found, Exception):
            raise found
        return found

    list = get

    def find_all(self, path: str) -> Any:
        try:
            return self.get(path)
        except NotFound:
            return []


def read(**lists: Any) -> ClusterSnapshot:
    paths = {
        "nodes": NODES,
        "machines": MACHINES,
        "kubevirts": KUBEVIRTS,
        "new": NEW,
        "old": OLD,
        "version": "/version",
    }
    return read_cluster(Server({paths[name]: found for name, found in lists.items()}))  # type: ignore[arg-type]


def test_a_cluster_without_kubevirt_is_read_whole() -> None:
    cluster = read(nodes=[node_object("n")])
    assert (cluster.server, cluster.version, len(cluster.nodes)) == ("https://a", "v1.35.4", 1)
    assert (cluster.kubevirts, cluster.machines, cluster.unread) == (None, [], {})
    assert cluster.kubevirt is cluster.hyperconverged is cluster.config_owner is None


def test_an_operator_without_a_cr_is_not_an_unknown_kind() -> None:
    assert read(kubevirts=[]).kubevirts == []


def test_a_part_that_may_not_be_read_is_noted_and_the_others_are_there() -> None:
    cluster = read(nodes=[node_object("n")], machines=Forbidden("not yours"), kubevirts=[CR])
    assert cluster.unread == {"machines": "not yours"}
    assert (len(cluster.nodes), cluster.machines, cluster.kubevirt) == (1, [], CR)


def test_a_server_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(ApiError, match="cannot be reached"):
        read(version=ApiError("the API server cannot be reached"))


def test_hyperconverged_has_the_configuration_at_the_path_of_the_newest_api_served() -> None:
    for lists, url in [
        ({"new": [CR], "old": [CR]}, "/apis/hco.kubevirt.io/v1/namespaces/ns/hyperconvergeds/it"),
        ({"old": [CR]}, "/apis/hco.kubevirt.io/v1beta1/namespaces/ns/hyperconvergeds/it"),
        ({}, "/apis/kubevirt.io/v1/namespaces/ns/kubevirts/it"),
    ]:
        owner = read(kubevirts=[CR], **lists).config_owner
        assert owner is not None
        assert owner.url == url
