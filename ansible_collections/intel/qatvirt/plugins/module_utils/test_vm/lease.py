# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases say which runs are alive, so that the objects of a killed run can be told from those of a run that works.

A run creates its Lease before all other objects, renews it while it works and deletes it last. Each run measures with
its own clock whether the Lease of another run is still renewed, as leader election does it (client-go,
``tools/leaderelection``): the clocks of two controllers need not agree.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ..cluster.objects import Object, Objects, labels_of
from ..errors import NotFound, Refused

if TYPE_CHECKING:
    from ..cluster.api import Api

DURATION = 30
"""Seconds without being renewed after which a run counts as dead."""
_RENEW = 5.0
"""Seconds after which this run renews its Lease."""


def leases_url(namespace: str) -> str:
    """REST path of the Leases of a namespace."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


class RunLease:
    """The Lease of this run.

    ``label``: key and value of the label that all objects of the run have; the value is the run's id. ``taken``:
    whether the Lease exists.
    """

    def __init__(
        self, api: Api, namespace: str, name: str, label: tuple[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._label = label
        self._clock = clock
        self.taken = False
        self._renewed = 0.0

    def take(self) -> None:
        """Create the Lease. Raises Refused where the namespace does not exist."""
        now = _now()
        key, run = self._label
        spec = {
            "holderIdentity": f"{platform.node()} ({os.getpid()})",
            "leaseDurationSeconds": DURATION,
            "acquireTime": now,
            "renewTime": now,
        }
        definition = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace, "labels": {key: run}},
            "spec": spec,
        }
        try:
            self._api.create(leases_url(self._namespace), definition)
        except NotFound:
            raise Refused(
                f"nothing was started: there is no namespace {self._namespace}. The role qat_test_vm makes it where "
                "the account may make namespaces; else have a cluster administrator run playbooks/rbac.yml"
            ) from None
        self.taken = True
        self._renewed = self._clock()

    def renew(self) -> None:
        """Renew the Lease, where that is due. Meant to be called more often than it is due."""
        if not self.taken or self._clock() - self._renewed < _RENEW:
            return
        try:
            self._api.merge(f"{leases_url(self._namespace)}/{self._name}", {"spec": {"renewTime": _now()}})
        except NotFound:
            # This run slept for so long that another run took it for dead, and removed its objects.
            self.take()
        self._renewed = self._clock()

    def drop(self) -> None:
        """Delete the Lease, where it exists."""
        if not self.taken:
            return
        self.taken = False
        self._api.delete(f"{leases_url(self._namespace)}/{self._name}")


@dataclass
class _SeenLease:
    """The Lease of another run.

    ``renewed``: its renewTime, as it is written there. ``since``: when that value was first seen, by the own clock.
    ``duration``: seconds for which the Lease is good. ``alive``: whether it was renewed since it was first seen.
    """

    renewed: str
    since: float
    duration: float
    alive: bool = False


class Watch:
    """Finds out which other runs are dead. Pure: the caller hands the Leases in, and the time.

    ``own``: this run's id. ``label``: key of the label that has a run's id.
    """

    def __init__(self, own: str, label: str) -> None:
        self._own = own
        self._label = label
        self._seen: dict[str, _SeenLease] = {}

    def look(self, leases: Objects, now: float) -> None:
        """Take in all Leases of the namespace. ``now``: seconds of a monotonic clock."""
        seen: dict[str, _SeenLease] = {}
        for item in leases:
            run = labels_of(item).get(self._label)
            if run is None or run == self._own:
                continue
            renewed, before = _renewed(item), self._seen.get(run)
            if before is None:
                duration = float(item.get("spec", {}).get("leaseDurationSeconds") or DURATION)
                seen[run] = _SeenLease(renewed, now, duration)
            elif before.renewed != renewed:
                seen[run] = _SeenLease(renewed, now, before.duration, alive=True)
            else:
                seen[run] = before
        self._seen = seen

    def dead(self, now: float) -> set[str]:
        """Runs whose Lease was not renewed for as long as the Lease is good."""
        return {run for run, seen in self._seen.items() if now - seen.since >= seen.duration}

    def undecided(self, now: float) -> set[str]:
        """Runs that have neither renewed their Lease yet, nor are dead."""
        return {run for run, seen in self._seen.items() if not seen.alive} - self.dead(now)

    def known(self) -> set[str]:
        """Runs that have a Lease."""
        return set(self._seen)


def _renewed(item: Object) -> str:
    return str(item.get("spec", {}).get("renewTime"))


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
