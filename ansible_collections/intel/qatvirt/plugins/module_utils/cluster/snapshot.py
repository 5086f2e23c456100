# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a cluster that checks look at, read once with a constant number of list calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ..errors import ApiError
from .kubevirt_config import (
    HYPERCONVERGEDS,
    ConfigOwner,
    find_hyperconvergeds,
    hyperconverged,
    kubevirt,
    list_kubevirts,
)
from .objects import DAEMONSETS, MACHINES, NODES, PODS, Object, Objects

if TYPE_CHECKING:
    from .api import Api

Part = TypeVar("Part")


@dataclass(frozen=True)
class ClusterSnapshot:
    """A cluster at one moment.

    ``kubevirts``: None where the API does not know the kind. ``hyperconvergeds``: the list of HYPERCONVERGEDS that has
    them, and the objects. ``unread``: for each field that could not be read, the answer of the API server.
    """

    server: str = ""
    version: str = ""
    nodes: Objects = field(default_factory=list)
    pods: Objects = field(default_factory=list)
    daemonsets: Objects = field(default_factory=list)
    machines: Objects = field(default_factory=list)
    kubevirts: Objects | None = None
    hyperconvergeds: tuple[str, Objects] = (HYPERCONVERGEDS[0], [])
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def kubevirt(self) -> Object | None:
        """KubeVirt's CR; None without KubeVirt."""
        return self.kubevirts[0] if self.kubevirts else None

    @property
    def hyperconverged(self) -> Object | None:
        """HyperConverged's CR; None without HyperConverged."""
        return self.hyperconvergeds[1][0] if self.hyperconvergeds[1] else None

    @property
    def config_owner(self) -> ConfigOwner | None:
        """The object that has KubeVirt's configuration; None without KubeVirt."""
        if self.hyperconverged:
            return hyperconverged(self.hyperconvergeds[0], self.hyperconverged)
        return kubevirt(self.kubevirt) if self.kubevirt else None


def read_cluster(api: Api) -> ClusterSnapshot:
    """Read a cluster. Parts that the account may not read stay empty and are noted in ``unread``.

    Raises ApiError where the API server cannot be reached.
    """
    version = api.get("/version")["gitVersion"]
    unread: dict[str, str] = {}
    none: tuple[str, Objects] = (HYPERCONVERGEDS[0], [])

    def part(name: str, look: Callable[[], Part], nothing: Part) -> Part:
        try:
            return look()
        except ApiError as error:
            unread[name] = str(error)
            return nothing

    return ClusterSnapshot(
        server=api.server,
        version=version,
        nodes=part("nodes", lambda: api.list(NODES), []),
        pods=part("pods", lambda: api.list(PODS), []),
        daemonsets=part("daemonsets", lambda: api.list(DAEMONSETS), []),
        machines=part("machines", lambda: api.find_all(MACHINES), []),
        kubevirts=part("kubevirts", lambda: list_kubevirts(api), None),
        hyperconvergeds=part("hyperconvergeds", lambda: find_hyperconvergeds(api), none),
        unread=unread,
    )
