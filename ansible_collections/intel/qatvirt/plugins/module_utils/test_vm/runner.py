# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests on a cluster: started together, followed from one loop, and nothing is left of them.

Each round reads five lists, whatever the number of nodes. What a run makes has its id in a label, and a Lease says that
the run is alive; so each run also removes what killed ones have left (:mod:`.lease`).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..cluster.objects import MACHINES, NODES, PODS, Object, Objects, in_namespace, labels_of, name_of
from ..cluster.pods import ENDED_PHASES, is_launcher, machine_of
from ..errors import ApiError, Forbidden, Refused
from .answer import answer, given_to_launcher, judge, plain_text
from .console import Console
from .diagnosis import Diagnosis, Evidence, Observation, diagnose, evidence_of
from .lease import RunLease, Watch, leases_url
from .manifests import TELL_GIVEN, manifest, secret
from .model import CORDONED, FAIL, POD, RUN_LABEL, SKIPPED, VM, GivenVf, NodeTest, RunSettings, run_name
from .result import result

if TYPE_CHECKING:
    from ..cluster.api import Api

POLL = 2.0
CLEANING = 300
"""Seconds that virtual machines and pods may take to go."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_TAIL = 200
"""Lines of a log that are looked at."""
_QUESTIONS = 6
"""How often a launcher is asked for its VFs: starting a command on a busy node may take longer than one answer may."""


class Interrupted(Exception):
    """Somebody wants the run to end."""


@dataclass(frozen=True)
class Outcome:
    """Results by the order of tests. ``left``: what could not be removed. ``swept``: dead runs that were removed."""

    tests: list[dict[str, Any]]
    left: list[str]
    swept: list[str]


@dataclass(frozen=True)
class ClusterView:
    """All there is of all runs, and what is said about it."""

    machines: Objects
    pods: Objects
    events: Objects
    nodes: dict[str, Object]
    at: float

    def objects_of(self, runs: set[str]) -> list[tuple[str, Object]]:
        """Virtual machines and pods of runs, with their kind."""
        kinds = ((VM, self.machines), (POD, self.pods))
        return [(kind, item) for kind, items in kinds for item in items if labels_of(item)[RUN_LABEL] in runs]


class Namespace:
    """Where tests are: their objects by kind."""

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self.name = name
        self.core = f"/api/v1/namespaces/{name}"
        self._urls = {
            VM: in_namespace(MACHINES, name),
            POD: in_namespace(PODS, name),
        }

    def make(self, kind: str, definition: Object) -> None:
        """Make an object."""
        self._api.create(self._urls[kind], definition)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object."""
        self._api.delete(f"{self._urls[kind]}/{name}")

    def find(self, kind: str) -> Objects:
        """All objects of all runs."""
        return self._api.find_all(self._urls[kind], labelSelector=RUN_LABEL)


@dataclass
class RunningTest:
    """One that was begun.

    ``result``: None while it goes on. ``phases``: seconds since the start, by name. ``error``: the API's answer to its
    creation. ``suspect``: the id of the diagnosis in the last round. ``questions``: how often its launcher was asked
    for its VFs. ``unasked``: why they are not known.
    """

    test: NodeTest
    console: Console | None = None
    phases: dict[str, float] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    error: str = ""
    suspect: str = ""
    subject: Object | None = None
    pod: Object | None = None
    was_there: bool = False
    given: tuple[GivenVf, ...] = ()
    questions: int = 0
    unasked: str | None = None

    def see(self, view: ClusterView, since: float) -> None:
        """Find its objects among all."""
        name = self.test.name
        pods = {name_of(pod): pod for pod in view.pods}
        if self.test.kind == POD:
            self.subject = self.pod = pods.get(name)
        else:
            self.subject = next((item for item in view.machines if name_of(item) == name), None)
            self.pod = next((pod for pod in view.pods if machine_of(pod) == name), None)
        self.was_there = self.was_there or self.subject is not None
        if self.phase:
            self.reach(self.phase, view.at - since)

    def reach(self, phase: str, seconds: float) -> None:
        """Note when a phase was first seen."""
        self.phases.setdefault(phase, seconds)

    @property
    def phase(self) -> str | None:
        """Of its virtual machine or pod."""
        found = (self.subject or {}).get("status", {}).get("phase")
        return str(found) if found else None


class Runner:
    """A run: makes the tests of ``tests``, follows them, removes them."""

    def __init__(self, api: Api, tests: list[NodeTest], settings: RunSettings, wait: float) -> None:
        self._api = api
        self._settings = settings
        self._wait = wait
        self._place = Namespace(api, settings.namespace)
        self._tests = [RunningTest(test) for test in tests]
        self._lease = RunLease(api, settings.namespace, settings.name, (RUN_LABEL, settings.run))
        self._watch = Watch(settings.run, RUN_LABEL)
        self._orphans: set[str] = set()
        self._has_secret = False
        self._swept: set[str] = set()
        self._start = time.monotonic()

    def run(self) -> Outcome:
        """All of it. Raises Refused or ApiError, also then after having removed all it made."""
        with _ended_by_signals():
            try:
                if self._tests:
                    self._lease.take()
                self._begin()
                self._follow()
            except (ApiError, Refused, Interrupted) as error:
                _ignore_signals()
                raise self._given_up(error) from None
            except BaseException:
                _ignore_signals()
                self._clean(patient=False)
                raise
            _ignore_signals()
            left = self._clean(patient=True)
        return Outcome([running.result for running in self._tests if running.result], left, sorted(self._swept))

    def _given_up(self, error: Exception) -> Exception:
        """Tidy up after an error; the error with what became of the objects."""
        if not self._lease.taken:
            return error
        try:
            left = ", ".join(self._clean(patient=False))
        except ApiError as other:
            left = f"what it had made ({other})"
        told = f"still there is {left}; the next run removes it" if left else "everything it had made is removed"
        if isinstance(error, Interrupted):
            return Refused(f"the test was ended by {error}; {told}")
        return type(error)(f"{error}; {told}")

    def _begin(self) -> None:
        """Start all tests. What the API refuses is a result, but for missing rights."""
        self._start = time.monotonic()
        if self._settings.kernel_boot is None and any(running.test.kind == VM for running in self._tests):
            self._make_secret()
        for running in self._tests:
            self._lease.renew()
            try:
                self._place.make(running.test.kind, manifest(running.test, self._settings))
            except ApiError as error:
                running.error = str(error)
                found = diagnose(self._evidence(running, None))
                if found.id == "RBAC":
                    raise
                self._fail(running, found)

    def _make_secret(self) -> None:
        # Also where the answer is lost it may have been made.
        self._has_secret = True
        try:
            self._api.create(f"{self._place.core}/secrets", secret(self._settings))
        except Forbidden:
            self._has_secret = False
            raise

    def _follow(self) -> None:
        """Until each has its result."""
        while self._busy:
            view = self._look(following=True)
            self._sweep(view, self._dead())
            late = view.at - self._start > self._wait
            for running in self._tests:
                self._lease.renew()
                if running.result is None:
                    running.see(view, self._start)
                    self._judge(running, view, late)
            if self._busy:
                time.sleep(POLL)

    @property
    def _busy(self) -> bool:
        """Whether a running goes on."""
        return any(running.result is None for running in self._tests)

    def _look(self, following: bool) -> ClusterView:
        """What there is, Leases last: a run makes its Lease before all it has and deletes it after that, so objects
        without one are nobody's."""
        self._lease.renew()
        machines, pods = self._place.find(VM), self._place.find(POD)
        events = self._api.list(f"{self._place.core}/events") if following else []
        nodes = self._api.list(NODES) if following else []
        leases = self._api.list(leases_url(self._place.name), labelSelector=RUN_LABEL)
        now = time.monotonic()
        self._watch.look(leases, now)
        view = ClusterView(machines, pods, events, {name_of(item): item for item in nodes}, now)
        runs = {labels_of(item)[RUN_LABEL] for item in [*machines, *pods]}
        self._orphans = runs - self._watch.known() - {self._settings.run}
        return view

    # ------------------------------------------------------------ one running

    def _judge(self, running: RunningTest, view: ClusterView, late: bool) -> None:
        """Whether it has its result now."""
        said = self._said(running)
        report = answer(said)
        if report is not None:
            running.reach("Reported", time.monotonic() - self._start)
            if not self._ask_launcher(running):
                return
            judgement = judge(running.test, self._settings.count, report, running.given)
            reason = judgement.reason or running.unasked
            self._finish(running, self._result(running, judgement.verdict, reason, judgement=judgement))
            return
        found = diagnose(self._evidence(running, view, said))
        if late or (found.final and running.suspect == found.id):
            self._ask_launcher(running)
            found = diagnose(self._evidence(running, view, said, log=self._launcher_log(running)))
            self._fail(running, found)
        running.suspect = found.id

    def _said(self, running: RunningTest) -> str:
        """What the guest or the pod has said."""
        if running.test.kind == POD:
            return self._log(running, "main") if running.phase in ENDED_PHASES else ""
        if running.phase == "Running":
            running.console = running.console or Console(self._api, self._place.name, running.test.name)
            running.console.read()
        return running.console.text if running.console else ""

    def _ask_launcher(self, running: RunningTest) -> bool:
        """Which VFs kubelet gave to a virtual machine. Whether there is no more to be learned about that."""
        if running.test.kind == POD:
            return True
        unknown = "which VFs it was given is not known"
        if not running.pod or running.pod.get("status", {}).get("phase") != "Running":
            running.unasked = f"{unknown}: it has no launcher that runs"
            return True
        running.questions += 1
        try:
            said = self._api.execute(self._place.name, name_of(running.pod), "compute", ("sh", "-c", TELL_GIVEN))
        except ApiError as error:
            running.unasked = f"{unknown}: {error}"
            return isinstance(error, Forbidden) or running.questions == _QUESTIONS
        running.given = given_to_launcher(said)
        running.unasked = None if running.given else f"{unknown}: its launcher has no variable PCI_RESOURCE_*"
        return True

    def _launcher_log(self, running: RunningTest) -> str:
        return self._log(running, "compute") if running.test.kind == VM and running.phase != "Running" else ""

    def _log(self, running: RunningTest, container: str) -> str:
        """The end of a log, empty where there is none (yet)."""
        if running.pod is None:
            return ""
        path = f"{self._place.core}/pods/{name_of(running.pod)}/log"
        try:
            return self._api.text(path, container=container, tailLines=_TAIL)
        except ApiError:
            return ""

    def _evidence(self, running: RunningTest, view: ClusterView | None, said: str = "", log: str = "") -> Evidence:
        test = running.test
        is_machine = test.kind == VM
        return evidence_of(
            Observation(
                namespace=self._place.name,
                name=test.name,
                is_machine=is_machine,
                resource=test.resource,
                item=view.nodes.get(test.node) if view else None,
                tolerations=self._settings.tolerations,
                subject=running.subject,
                pod=running.pod,
                events=view.events if view else [],
                error=running.error,
                log=log if is_machine else said,
                console=plain_text(said) if is_machine else "",
                console_error=running.console.error if running.console else "",
                waited=time.monotonic() - self._start,
                deleted=running.was_there and running.subject is None,
            )
        )

    def _fail(self, running: RunningTest, found: Diagnosis) -> None:
        cordoned = found.id == "CORDON"
        verdict, reason = (SKIPPED, CORDONED) if cordoned else (FAIL, found.message)
        self._finish(running, self._result(running, verdict, reason, given=running.given, diagnosis=found))

    def _result(self, running: RunningTest, verdict: str, reason: str | None, **more: Any) -> dict[str, Any]:
        return result(running.test, self._settings, verdict, reason, phases=running.phases, **more)

    def _finish(self, running: RunningTest, result: dict[str, Any]) -> None:
        """Note the result, and free its VFs."""
        running.result = result
        if running.console:
            running.console.close()
        if running.subject is not None:
            self._place.delete(running.test.kind, running.test.name)

    # ------------------------------------------------------------ leaving nothing

    def _dead(self) -> set[str]:
        return self._watch.dead(time.monotonic()) | self._orphans

    def _sweep(self, view: ClusterView, runs: set[str]) -> list[str]:
        """Delete what there is of runs; returns what is still there. A run's Lease goes when all else is gone."""
        others = runs - {self._settings.run}
        there = view.objects_of(runs)
        for kind, item in there:
            # Launchers go with their virtual machines.
            if "deletionTimestamp" not in item["metadata"] and not is_launcher(item):
                self._place.delete(kind, name_of(item))
        for run in others - self._swept:
            self._api.delete(f"{self._place.core}/secrets/{run_name(run)}")
        for run in others - {labels_of(item)[RUN_LABEL] for _kind, item in there}:
            self._api.delete(f"{leases_url(self._place.name)}/{run_name(run)}")
        self._swept |= others
        return [f"{kind} {self._place.name}/{name_of(item)}" for kind, item in there]

    def _clean(self, patient: bool) -> list[str]:
        """Remove all of this run and of dead ones, and wait until it is gone. Returns what is left in the end.

        ``patient``: also wait until it is known of each other run whether it is alive.
        """
        deadline = time.monotonic() + CLEANING
        while True:
            view = self._look(following=False)
            left = self._sweep(view, self._dead() | {self._settings.run})
            unknown = self._watch.undecided(time.monotonic()) if patient else set()
            if time.monotonic() > deadline or not (left or unknown):
                break
            time.sleep(POLL)
        if self._has_secret:
            self._api.delete(f"{self._place.core}/secrets/{self._settings.name}")
        self._lease.drop()
        return left


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A signal ends the block by an exception, so that it can tidy up."""

    def end(number: int, _frame: object) -> None:
        raise Interrupted(signal.Signals(number).name)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
