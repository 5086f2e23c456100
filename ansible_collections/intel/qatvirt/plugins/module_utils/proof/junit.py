# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML, for what a CI system shows: a suite for each layer's checks, and one for the tests."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

TESTS = "tests"
"""Suite of the test virtual machines and pods; ``vm`` is the layer of the checks about virtual machines."""
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow in a document, not even escaped (section 2.2)."""


def junit(report: dict[str, Any]) -> str:
    """The XML document for a report of schema 1."""
    root = Element("testsuites", name="intel.qatvirt")
    layers: dict[str, list[dict[str, Any]]] = {}
    for check in report["checks"]:
        layers.setdefault(check["layer"], []).append(check)
    for layer, checks in layers.items():
        suite = _suite(root, report, layer)
        for check in checks:
            _check_case(suite, check)
    if report["tests"]:
        suite = _suite(root, report, TESTS)
        for test in report["tests"]:
            _test_case(suite, test)
    for suite in [*root, root]:
        _count(suite)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: dict[str, Any], name: str) -> Element:
    # Time zones are unknown to the schema that CI systems read by; it is UTC.
    suite = SubElement(root, "testsuite", name=_clean(name), timestamp=_clean(report["made"].rstrip("Z")))
    properties = SubElement(suite, "properties")
    told = {
        "collection": report["collection"],
        "emulated hardware": "yes" if report["emulated"] else "no",
        **(report["cluster"] or {}),
    }
    for key, value in told.items():
        if value is not None:
            SubElement(properties, "property", name=key, value=_clean(value))
    return suite


def _check_case(suite: Element, check: dict[str, Any]) -> None:
    case = _case(suite, f"{check['id']}: {check['question']}", 0.0)
    findings = check["findings"]
    text = "\n".join([check["cause"], *map(_finding, findings), f"Documented in {check['doc']}"])
    if check["verdict"] == "fail":
        message = findings[0]["message"] if findings else check["cause"]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        _say(case, "failure", text, message=message + more, type=check["id"])
    elif check["verdict"] == "skipped":
        _say(case, "skipped", message=check["reason"])
    elif check["verdict"] == "warn":
        _say(case, "system-out", text)


def _finding(finding: dict[str, Any]) -> str:
    place = ", ".join(part for part in (finding["node"], finding["object"]) if part)
    return f"{finding['severity']}: {place + ': ' if place else ''}{_remedied(finding)}"


def _remedied(item: dict[str, Any]) -> str:
    """Message, remedy and evidence of a finding or a diagnosis."""
    evidence = f"\n    Evidence: {item['evidence']}" if item["evidence"] else ""
    return f"{item['message']}\n    To do: {item['fix']}{evidence}"


def _test_case(suite: Element, test: dict[str, Any]) -> None:
    seconds = test["phases"][-1]["seconds"] if test["phases"] else 0.0
    case = _case(suite, f"{test['node']}: {test['object']}", seconds)
    diagnosis = test["diagnosis"]
    if test["verdict"] == "fail":
        text = _remedied(diagnosis) if diagnosis else test["reason"] or ""
        message = diagnosis["message"] if diagnosis else test["reason"] or "the test failed"
        _say(case, "failure", text, message=message, type=diagnosis["id"] if diagnosis else "test")
    elif test["verdict"] == "skipped":
        _say(case, "skipped", message=test["reason"])
    _say(case, "system-out", _answer(test))


def _answer(test: dict[str, Any]) -> str:
    """What the guest was given, saw and did, a line each."""
    seen = [
        f"{item['vendor']}:{item['device']} at {item['slot']}, {item['driver'] or 'no driver'}" for item in test["seen"]
    ]
    functional = test["functional"]
    lines = [
        f"given: {', '.join(test['given']) or 'nothing'}",
        f"expected: {', '.join(f'{number} x {name}' for name, number in test['expected'].items()) or 'nothing'}",
        f"seen: {'; '.join(seen) or 'nothing'}",
        f"functional test: {functional['verdict'] + ': ' + functional['reason'] if functional else 'not run'}",
        *(f"{phase['seconds']:.1f} s {phase['name']}" for phase in test["phases"]),
    ]
    return "\n".join(lines)


def _case(suite: Element, name: str, seconds: float) -> Element:
    return SubElement(
        suite,
        "testcase",
        classname=f"intel.qatvirt.{_clean(suite.attrib['name'])}",
        name=_clean(name),
        time=f"{seconds:.1f}",
    )


def _say(case: Element, tag: str, text: str | None = None, **attributes: str | None) -> None:
    said = SubElement(case, tag, {key: _clean(value or "") for key, value in attributes.items()})
    said.text = None if text is None else _clean(text)


def _count(suite: Element) -> None:
    """Sum up what lies in a suite; nothing here ends in an error, which JUnit tells from a failure."""
    cases = list(suite.iter("testcase"))
    for key, number in {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": 0,
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }.items():
        suite.set(key, str(number))
    suite.set("time", f"{sum(float(case.attrib['time']) for case in cases):.1f}")


def _clean(text: object) -> str:
    return FORBIDDEN.sub("", str(text))
