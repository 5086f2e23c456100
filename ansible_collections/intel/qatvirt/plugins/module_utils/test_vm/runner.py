# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a run: starts all its tests together, follows them in one loop, and removes everything it made.

Each round of the loop reads five lists, whatever the number of nodes. Every object of a run has the run's id in a
label, and a Lease says that the run is alive; so each run also removes what killed runs have left (:mod:`.lease`).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..cluster.objects import EVENTS, MACHINES, NODES, PODS, Object, Objects, in_namespace, labels_of, name_of
from ..cluster.pods import ENDED_PHASES, is_launcher, machine_of
from ..errors import ApiError, Forbidden, Refused
from .answer import answer, given_to_launcher, judge, plain_text
from .console import Console
from .diagnosis import Diagnosis, Evidence, Observation, diagnose, evidence_of
from .lease import RunLease, Watch, leases_url
from .manifests import TELL_GIVEN, manifest, secret
from .model import FAIL, NODE_CORDONED, POD, RUN_LABEL, SKIPPED, VM, GivenVf, NodeTest, RunSettings, run_name
from .result import result

if TYPE_CHECKING:
    from ..cluster.api import Api

POLL = 2.0
"""Seconds between two rounds."""
CLEANING = 300
"""Seconds that virtual machines and pods may take to go."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOG_LINES = 200
"""Lines at the end of a log that are read."""
_QUESTIONS = 6
"""How often a launcher is asked for its VFs: starting a command on a busy node may take longer than one answer may."""


class Interrupted(Exception):
    """A signal ends the run; the message is the signal's name."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    ``tests``: the results, in the order of the tests. ``not_removed``: objects that were still there in the end.
    ``swept``: ids of dead runs whose objects were removed.
    """

    tests: list[dict[str, Any]]
    not_removed: list[str]
    swept: list[str]


@dataclass(frozen=True)
class ClusterView:
    """What one round has read of the cluster.

    ``machines``, ``pods``: virtual machines and pods of all runs, also of other ones. ``events``: of the namespace.
    ``nodes``: all Node objects by name. ``at``: when, in seconds of the monotonic clock.
    """

    machines: Objects
    pods: Objects
    events: Objects
    nodes: dict[str, Object]
    at: float

    def objects_of(self, runs: set[str]) -> list[tuple[str, Object]]:
        """The virtual machines and pods of some runs, each with its kind."""
        kinds = ((VM, self.machines), (POD, self.pods))
        return [(kind, item) for kind, items in kinds for item in items if _run_of(item) in runs]


class Namespace:
    """The namespace of the tests, and the calls that make, delete and list virtual machines and pods in it."""

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self.name = name
        self.pods = in_namespace(PODS, name)
        self.events = in_namespace(EVENTS, name)
        self.secrets = f"/api/v1/namespaces/{name}/secrets"
        self.leases = leases_url(name)
        self._urls = {VM: in_namespace(MACHINES, name), POD: self.pods}

    def create(self, kind: str, definition: Object) -> None:
        self._api.create(self._urls[kind], definition)

    def delete(self, kind: str, name: str) -> None:
        self._api.delete(f"{self._urls[kind]}/{name}")

    def find(self, kind: str) -> Objects:
        """All objects of a kind that belong to a run."""
        return self._api.find_all(self._urls[kind], labelSelector=RUN_LABEL)


@dataclass
class RunningTest:
    """A test of the run, from its start to its result.

    ``planned``: what is to be tested. ``result``: None while the test goes on. ``error``: why the API refused to
    create it, None where it did not. ``subject``: its virtual machine or pod as last seen, ``pod``: the pod in which
    that runs; None where there is none. ``was_there``: whether the subject was ever seen. ``phases``: seconds since the
    start, by the phase that was first seen then. ``suspect``: the id of the last round's diagnosis.

    ``given``: VFs that its launcher was given. ``given_unknown``: why these are not known, None where they are or where
    the launcher was not asked. ``questions``: how often the launcher was asked.
    """

    planned: NodeTest
    console: Console | None = None
    phases: dict[str, float] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    error: ApiError | None = None
    suspect: str = ""
    subject: Object | None = None
    pod: Object | None = None
    was_there: bool = False
    given: tuple[GivenVf, ...] = ()
    given_unknown: str | None = None
    questions: int = 0

    def observe(self, view: ClusterView, start: float) -> None:
        """Take its objects from what a round has read. ``start``: of the run, in seconds of the monotonic clock."""
        name = self.planned.name
        if self.planned.kind == POD:
            self.subject = self.pod = next((pod for pod in view.pods if name_of(pod) == name), None)
        else:
            self.subject = next((item for item in view.machines if name_of(item) == name), None)
            self.pod = next((pod for pod in view.pods if machine_of(pod) == name), None)
        self.was_there = self.was_there or self.subject is not None
        if self.phase:
            self.reach(self.phase, view.at - start)

    def reach(self, phase: str, seconds: float) -> None:
        """Note when a phase was first seen."""
        self.phases.setdefault(phase, seconds)

    @property
    def phase(self) -> str | None:
        """The phase of its virtual machine or pod."""
        found = (self.subject or {}).get("status", {}).get("phase")
        return str(found) if found else None


class Runner:
    """A run: starts the tests of ``tests``, follows them, removes them. ``wait``: seconds that a test may take."""

    def __init__(self, api: Api, tests: list[NodeTest], settings: RunSettings, wait: float) -> None:
        self._api = api
        self._settings = settings
        self._wait = wait
        self._namespace = Namespace(api, settings.namespace)
        self._tests = [RunningTest(test) for test in tests]
        self._lease = RunLease(api, settings.namespace, settings.name, (RUN_LABEL, settings.run))
        self._watch = Watch(settings.run, RUN_LABEL)
        self._orphans: set[str] = set()
        self._has_secret = False
        self._swept: set[str] = set()
        self._start = time.monotonic()

    def run(self) -> Outcome:
        """Make the whole run. Where that fails, everything it made is removed before Refused or ApiError is raised."""
        with _ended_by_signals():
            try:
                if self._tests:
                    self._lease.take()
                self._start_all()
                self._follow()
            except (ApiError, Refused, Interrupted) as error:
                _ignore_signals()
                raise self._given_up(error) from None
            except BaseException:
                _ignore_signals()
                self._clean_up(patient=False)
                raise
            _ignore_signals()
            not_removed = self._clean_up(patient=True)
        return Outcome([test.result for test in self._tests if test.result], not_removed, sorted(self._swept))

    def _given_up(self, error: Exception) -> Exception:
        """Clean up after an error; returns the error with what became of the objects."""
        if not self._lease.taken:
            return error
        try:
            remains = ", ".join(self._clean_up(patient=False))
        except ApiError as other:
            remains = f"what the run had made ({other})"
        end = f"still there: {remains}; the next run removes it" if remains else "everything it had made is removed"
        if isinstance(error, Interrupted):
            return Refused(f"the run was ended by {error}; {end}")
        return type(error)(f"{error}; {end}")

    def _start_all(self) -> None:
        """Create the objects of all tests. Where the API refuses one, that is the test's result, except for rights."""
        self._start = time.monotonic()
        if self._settings.kernel_boot is None and any(test.planned.kind == VM for test in self._tests):
            self._create_secret()
        for test in self._tests:
            self._lease.renew()
            try:
                self._namespace.create(test.planned.kind, manifest(test.planned, self._settings))
            except ApiError as error:
                test.error = error
                found = diagnose(self._evidence(test, None))
                if found.id == "RBAC":
                    raise
                self._fail(test, found)

    def _create_secret(self) -> None:
        # The Secret may exist also where the API's answer is lost.
        self._has_secret = True
        try:
            self._api.create(self._namespace.secrets, secret(self._settings))
        except Forbidden:
            self._has_secret = False
            raise

    def _follow(self) -> None:
        """Look at all tests, round by round, until each has its result."""
        while self._goes_on:
            view = self._look(following=True)
            self._sweep(view, self._dead_runs())
            late = view.at - self._start > self._wait
            for test in self._tests:
                self._lease.renew()
                if test.result is None:
                    test.observe(view, self._start)
                    self._conclude(test, view, late)
            if self._goes_on:
                time.sleep(POLL)

    @property
    def _goes_on(self) -> bool:
        """Whether some test has no result yet."""
        return any(test.result is None for test in self._tests)

    def _look(self, following: bool) -> ClusterView:
        """Read the objects of all runs. ``following``: with events and nodes, which only tests that go on need.

        Leases are read last: a run creates its Lease before all other objects and deletes it after them, so objects
        whose run has no Lease then are orphans.
        """
        self._lease.renew()
        machines, pods = self._namespace.find(VM), self._namespace.find(POD)
        events = self._api.list(self._namespace.events) if following else []
        nodes = self._api.list(NODES) if following else []
        leases = self._api.list(self._namespace.leases, labelSelector=RUN_LABEL)
        now = time.monotonic()
        self._watch.look(leases, now)
        runs = {_run_of(item) for item in [*machines, *pods]}
        self._orphans = runs - self._watch.known() - {self._settings.run}
        return ClusterView(machines, pods, events, {name_of(item): item for item in nodes}, now)

    # ------------------------------------------------------------ one test

    def _conclude(self, test: RunningTest, view: ClusterView, late: bool) -> None:
        """Note the result of a test, where it has one now. ``late``: whether its time is over."""
        output = self._output(test)
        report = answer(output)
        if report is not None:
            test.reach("Reported", time.monotonic() - self._start)
            if self._ask_launcher(test):
                judgement = judge(test.planned, self._settings.count, report, test.given)
                reason = judgement.reason or test.given_unknown
                self._finish(test, self._result(test, judgement.verdict, reason, judgement=judgement))
            return
        found = diagnose(self._evidence(test, view, output))
        # A final diagnosis counts when the next round confirms it.
        if late or (found.final and test.suspect == found.id):
            self._ask_launcher(test)
            found = diagnose(self._evidence(test, view, output, launcher_log=self._launcher_log(test)))
            self._fail(test, found)
        test.suspect = found.id

    def _output(self, test: RunningTest) -> str:
        """What the guest said on its console, or the pod in its log when it has ended."""
        if test.planned.kind == POD:
            return self._log(test, "main") if test.phase in ENDED_PHASES else ""
        if test.phase == "Running":
            test.console = test.console or Console(self._api, self._namespace.name, test.planned.name)
            test.console.read()
        return test.console.text if test.console else ""

    def _ask_launcher(self, test: RunningTest) -> bool:
        """Ask a virtual machine's launcher which VFs it was given. Returns whether asking again is of no use."""
        if test.planned.kind == POD:
            return True
        unknown = "which VFs it was given is not known"
        if not test.pod or test.pod.get("status", {}).get("phase") != "Running":
            test.given_unknown = f"{unknown}: it has no launcher that runs"
            return True
        test.questions += 1
        try:
            printed = self._api.execute(self._namespace.name, name_of(test.pod), "compute", ("sh", "-c", TELL_GIVEN))
        except ApiError as error:
            test.given_unknown = f"{unknown}: {error}"
            return isinstance(error, Forbidden) or test.questions == _QUESTIONS
        test.given = given_to_launcher(printed)
        test.given_unknown = None if test.given else f"{unknown}: its launcher has no variable PCI_RESOURCE_*"
        return True

    def _launcher_log(self, test: RunningTest) -> str:
        return self._log(test, "compute") if test.planned.kind == VM and test.phase != "Running" else ""

    def _log(self, test: RunningTest, container: str) -> str:
        """The end of a container's log, empty where it has none (yet)."""
        if test.pod is None:
            return ""
        path = f"{self._namespace.pods}/{name_of(test.pod)}/log"
        try:
            return self._api.text(path, container=container, tailLines=_LOG_LINES)
        except ApiError:
            return ""

    def _evidence(
        self, test: RunningTest, view: ClusterView | None, output: str = "", launcher_log: str = ""
    ) -> Evidence:
        """What is known of a test. ``view``: None before the first round. ``output``: of :meth:`_output`."""
        is_machine = test.planned.kind == VM
        return evidence_of(
            Observation(
                namespace=self._namespace.name,
                name=test.planned.name,
                is_machine=is_machine,
                resource=test.planned.resource,
                node=view.nodes.get(test.planned.node) if view else None,
                tolerations=self._settings.tolerations,
                subject=test.subject,
                pod=test.pod,
                deleted=test.was_there and test.subject is None,
                events=view.events if view else [],
                error=test.error,
                log=launcher_log if is_machine else output,
                console=plain_text(output) if is_machine else "",
                console_error=test.console.error if test.console else "",
                waited=time.monotonic() - self._start,
            )
        )

    def _fail(self, test: RunningTest, found: Diagnosis) -> None:
        """Note that a test gave no answer; on a node that was cordoned meanwhile it counts as skipped."""
        verdict, reason = (SKIPPED, NODE_CORDONED) if found.id == "CORDON" else (FAIL, found.message)
        self._finish(test, self._result(test, verdict, reason, given=test.given, diagnosis=found))

    def _result(self, test: RunningTest, verdict: str, reason: str | None, **more: Any) -> dict[str, Any]:
        return result(test.planned, self._settings, verdict, reason, phases=test.phases, **more)

    def _finish(self, test: RunningTest, result: dict[str, Any]) -> None:
        """Note the result of a test, and delete its virtual machine or pod, so that its VFs are free."""
        test.result = result
        if test.console:
            test.console.close()
        if test.subject is not None:
            self._namespace.delete(test.planned.kind, test.planned.name)

    # ------------------------------------------------------------ removing everything

    def _dead_runs(self) -> set[str]:
        """Other runs that are dead, by their Lease or because they have none."""
        return self._watch.dead(time.monotonic()) | self._orphans

    def _sweep(self, view: ClusterView, runs: set[str]) -> list[str]:
        """Delete the objects of runs, and the Lease of each other run whose objects are gone. Returns what remains."""
        others = runs - {self._settings.run}
        remaining = view.objects_of(runs)
        for kind, item in remaining:
            # Launchers go with their virtual machines.
            if "deletionTimestamp" not in item["metadata"] and not is_launcher(item):
                self._namespace.delete(kind, name_of(item))
        for run in others - self._swept:
            self._api.delete(f"{self._namespace.secrets}/{run_name(run)}")
        for run in others - {_run_of(item) for _kind, item in remaining}:
            self._api.delete(f"{self._namespace.leases}/{run_name(run)}")
        self._swept |= others
        return [f"{kind} {self._namespace.name}/{name_of(item)}" for kind, item in remaining]

    def _clean_up(self, patient: bool) -> list[str]:
        """Remove everything of this run and of dead runs, and wait until it is gone. Returns what is not gone then.

        ``patient``: also wait until each other run has shown that it is alive, or is dead.
        """
        deadline = time.monotonic() + CLEANING
        while True:
            view = self._look(following=False)
            remaining = self._sweep(view, self._dead_runs() | {self._settings.run})
            undecided = self._watch.undecided(time.monotonic()) if patient else set()
            if time.monotonic() > deadline or not (remaining or undecided):
                break
            time.sleep(POLL)
        if self._has_secret:
            self._api.delete(f"{self._namespace.secrets}/{self._settings.name}")
        self._lease.drop()
        return remaining


def _run_of(item: Object) -> str:
    """The id of the run that an object belongs to."""
    return labels_of(item)[RUN_LABEL]


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have a signal end the block by Interrupted, so that the block can clean up."""

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
