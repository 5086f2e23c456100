# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lease says that a run is alive, so that what a killed run left is told from what another one is at.

A run makes its Lease before anything else, renews it while it works and deletes it last. Whether the Lease of another
run is still renewed is measured with the own clock, as leader election does it (client-go, ``tools/leaderelection``):
clocks of two controllers need not agree.
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


def leases_url(namespace: str) -> str:
    """Where the Leases of a namespace are."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


class RunLease:
    """The Lease of this run. ``label``: the one all its objects have, with the run's id as its value.

    ``taken``: whether this run has it.
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
        """Make it. Raises Refused where the namespace is not there."""
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
                "it may; else have a cluster administrator run playbooks/rbac.yml"
            ) from None
        self.taken = True
        self._renewed = self._clock()

    def renew(self) -> None:
        """Renew it, where that is due and this run has it. To be called more often than it is due."""
        if not self.taken or self._clock() - self._renewed < _RENEW:
            return
        try:
            self._api.merge(f"{leases_url(self._namespace)}/{self._name}", {"spec": {"renewTime": _now()}})
        except NotFound:
            # This run slept for so long that another took it for dead, and removed what it had made.
            self.take()
        self._renewed = self._clock()

    def drop(self) -> None:
        """Delete it."""
        if not self.taken:
            return
        self.taken = False
        self._api.delete(f"{leases_url(self._namespace)}/{self._name}")


@dataclass
class _Seen:
    renewed: str
    since: float
    duration: float
    alive: bool = False


class Watch:
    """Which other runs are dead. Pure: it is told what there is, and when."""

    def __init__(self, own: str, label: str) -> None:
        self._own = own
        self._label = label
        self._seen: dict[str, _Seen] = {}

    def look(self, leases: Objects, now: float) -> None:
        """Take in all Leases there are."""
        there: dict[str, _Seen] = {}
        for item in leases:
            run = labels_of(item).get(self._label)
            if run is None or run == self._own:
                continue
            renewed, before = _renewed(item), self._seen.get(run)
            if before is None:
                duration = float(item.get("spec", {}).get("leaseDurationSeconds") or DURATION)
                there[run] = _Seen(renewed, now, duration)
            elif before.renewed != renewed:
                there[run] = _Seen(renewed, now, before.duration, alive=True)
            else:
                there[run] = before
        self._seen = there

    def dead(self, now: float) -> set[str]:
        """Runs whose Lease was not renewed for as long as it is good for."""
        return {run for run, seen in self._seen.items() if now - seen.since >= seen.duration}

    def undecided(self, now: float) -> set[str]:
        """Runs of which nobody knows yet whether they are alive."""
        return {run for run, seen in self._seen.items() if not seen.alive} - self.dead(now)

    def known(self) -> set[str]:
        """Runs that have a Lease."""
        return set(self._seen)


def _renewed(item: Object) -> str:
    return str(item.get("spec", {}).get("renewTime"))


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
