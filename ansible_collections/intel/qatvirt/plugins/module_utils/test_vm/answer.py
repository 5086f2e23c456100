# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest or a pod reports, and whether it sees the VFs that it was given. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..cluster.objects import Object, Objects
from ..node.devices import VENDOR
from .model import FAIL, MARK, PASS, POD, VM, GivenVf, NodeTest

_CLASS = "0b40"
"""PCI class of QAT functions (co-processor)."""
_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Za-z0-9]|[=>78cDEHM])")
"""Sequences that move a terminal's cursor, or set its colours."""


@dataclass(frozen=True)
class Judgement:
    """A test's verdict on its report, and what the report was compared with.

    ``reason``: why the verdict is FAIL, else None. ``given``: VFs that kubelet gave to the test. ``expected``: number
    of functions that it has to see, by selector. ``seen``: QAT functions that it sees. ``functional``: whether these do
    their work, None where it was not tried.
    """

    verdict: str
    reason: str | None
    given: tuple[GivenVf, ...]
    expected: dict[str, int]
    seen: list[dict[str, Any]]
    functional: dict[str, str] | None


def given_to_launcher(text: str) -> tuple[GivenVf, ...]:
    """The VFs of a launcher, from what TELL_GIVEN (:mod:`.manifests`) printed."""
    lines = (line.split() for line in text.splitlines())
    return tuple(GivenVf(words[0], words[1]) for words in lines if len(words) == 2 and ":" in words[1])


def answer(text: str) -> Object | None:
    """The last whole report in the text of a console or a log, None where there is none yet.

    Guests repeat their report, because the kernel or a login prompt may write into the middle of one.
    """
    found = None
    for part in plain_text(text).split(MARK)[1:]:
        start = part.find("{")
        if start < 0 or part[:start].strip():
            continue
        try:
            report, _end = json.JSONDecoder().raw_decode(part, start)
        except ValueError:
            continue
        if _is_report(report):
            found = report
    return found


def _is_report(report: Object) -> bool:
    devices = report.get("pci")
    keys = {"slot", "vendor", "device", "class", "driver"}
    return isinstance(devices, list) and all(isinstance(device, dict) and keys <= set(device) for device in devices)


def plain_text(text: str) -> str:
    """The text of a console without the sequences for a terminal."""
    return _ESCAPE.sub("", text).replace("\r", "").replace("\0", "")


def judge(test: NodeTest, count: int, report: Object, given: tuple[GivenVf, ...]) -> Judgement:
    """Compare the VFs that a test was given with those that it sees.

    ``count``: number of VFs that it asked for. ``given``: of a virtual machine; empty where its launcher could not be
    asked. A pod's report tells them itself. Functions that are seen and do not do their work (``functional``) are no
    reason to fail: the check FUNC judges them.
    """
    seen = [_function(device) for device in report["pci"] if _is_qat(device)]
    if test.kind == POD:
        given = tuple(GivenVf(device["slot"], selector_of(_function(device))) for device in report["pci"])
    expected = expected_functions(test, count, given)
    reasons = [*_wrong_given(test, count, given), *_wrong_seen(test, expected, count, seen)]
    closed = [device for device in report["pci"] if not device.get("open", True)]
    reasons += [f"VF {device['slot']} cannot be opened: {device.get('error')}" for device in closed]
    return Judgement(FAIL if reasons else PASS, "; ".join(reasons) or None, given, expected, seen, _functional(report))


def selector_of(function: Object) -> str:
    """Vendor and device of a function, such as ``8086:4941``."""
    return f"{function['vendor']}:{function['device']}"


def _is_qat(device: Object) -> bool:
    return _hex(device["vendor"]) == VENDOR and _hex(device["class"]).startswith(_CLASS)


def _function(device: Object) -> Object:
    """A function of a report in the form of the result's ``seen``."""
    numbers = {key: _hex(device[key]) for key in ("vendor", "device", "class")}
    return {"slot": device["slot"], **numbers, "driver": device["driver"] or None}


def _hex(text: object) -> str:
    return str(text).lower().removeprefix("0x")


def _functional(report: Object) -> dict[str, str] | None:
    found = report.get("functional")
    if not isinstance(found, dict) or found.get("verdict") not in (PASS, FAIL, "impossible"):
        return None
    return {"verdict": found["verdict"], "reason": str(found.get("reason", ""))}


def expected_functions(test: NodeTest, count: int, given: tuple[GivenVf, ...]) -> dict[str, int]:
    """Number of functions that must be seen, by selector.

    Where the given VFs are not known, it is known only of a resource that stands for one kind of VFs; else empty.
    """
    if given:
        return dict(sorted(Counter(vf.selector for vf in given).items()))
    return {test.selectors[0]: count} if len(test.selectors) == 1 else {}


def _wrong_given(test: NodeTest, count: int, given: tuple[GivenVf, ...]) -> list[str]:
    if not given and test.kind == VM:
        return []
    wrong = []
    others = ", ".join(f"{vf.address} ({vf.selector})" for vf in given if vf.selector not in test.selectors)
    if others:
        wrong.append(f"it was given {others}, and {test.resource} is {' or '.join(test.selectors)}")
    if len(given) != count:
        addresses = ", ".join(vf.address for vf in given) or "it has no variable QAT0"
        wrong.append(f"it asked for {count} of {test.resource} and was given {len(given)}: {addresses}")
    return wrong


def _wrong_seen(test: NodeTest, expected: dict[str, int], count: int, seen: Objects) -> list[str]:
    found = dict(sorted(Counter(selector_of(function) for function in seen).items()))
    who = "the guest" if test.kind == VM else "the pod"
    if expected and found != expected:
        return [f"{who} sees {_numbers(found)} of QAT, expected {_numbers(expected)}"]
    if not expected and sum(found.values()) != count:
        return [f"{who} sees {_numbers(found)} of QAT, expected {count}"]
    return []


def _numbers(functions: dict[str, int]) -> str:
    return ", ".join(f"{count} x {selector}" for selector, count in functions.items()) or "nothing"
