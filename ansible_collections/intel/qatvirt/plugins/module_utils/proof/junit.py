# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML, for CI systems: a suite for the checks of each layer, and one for the tests. Pure."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .check import FAIL, SKIPPED, WARN

TESTS = "tests"
"""Name of the suite of the tests; the checks about tests are in the suite of their layer, ``vm``."""
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow in a document, not even escaped (section 2.2)."""


def junit(report: dict[str, Any]) -> str:
    """The XML document for a report of the schema that :data:`.report.SCHEMA` names."""
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
    # The schema that CI systems use has no time zones; the time is in UTC.
    suite = SubElement(root, "testsuite", name=_clean(name), timestamp=_clean(report["made"].rstrip("Z")))
    properties = SubElement(suite, "properties")
    values = {
        "collection": report["collection"],
        "emulated hardware": "yes" if report["emulated"] else "no",
        **(report["cluster"] or {}),
    }
    for key, value in values.items():
        if value is not None:
            SubElement(properties, "property", name=key, value=_clean(value))
    return suite


def _check_case(suite: Element, check: dict[str, Any]) -> None:
    case = _case(suite, f"{check['id']}: {check['question']}", 0.0)
    findings = check["findings"]
    text = "\n".join([check["cause"], *map(_finding_text, findings), f"Documented in {check['doc']}"])
    if check["verdict"] == FAIL:
        message = findings[0]["message"] if findings else check["cause"]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        _add(case, "failure", text, message=message + more, type=check["id"])
    elif check["verdict"] == SKIPPED:
        _add(case, "skipped", message=check["reason"])
    elif check["verdict"] == WARN:
        _add(case, "system-out", text)


def _finding_text(finding: dict[str, Any]) -> str:
    place = ", ".join(part for part in (finding["node"], finding["object"]) if part)
    return f"{finding['severity']}: {place + ': ' if place else ''}{_with_remedy(finding)}"


def _with_remedy(item: dict[str, Any]) -> str:
    """Message, remedy and evidence of a finding or a diagnosis."""
    evidence = f"\n    Evidence: {item['evidence']}" if item["evidence"] else ""
    return f"{item['message']}\n    To do: {item['fix']}{evidence}"


def _test_case(suite: Element, test: dict[str, Any]) -> None:
    seconds = test["phases"][-1]["seconds"] if test["phases"] else 0.0
    case = _case(suite, f"{test['node']}: {test['object']}", seconds)
    diagnosis = test["diagnosis"]
    if test["verdict"] == FAIL:
        text = _with_remedy(diagnosis) if diagnosis else test["reason"] or ""
        message = diagnosis["message"] if diagnosis else test["reason"] or "the test failed"
        _add(case, "failure", text, message=message, type=diagnosis["id"] if diagnosis else "test")
    elif test["verdict"] == SKIPPED:
        _add(case, "skipped", message=test["reason"])
    _add(case, "system-out", _answer_text(test))


def _answer_text(test: dict[str, Any]) -> str:
    """What the test was given, expected, saw and did, a line each."""
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


def _add(case: Element, tag: str, text: str | None = None, **attributes: str | None) -> None:
    element = SubElement(case, tag, {key: _clean(value or "") for key, value in attributes.items()})
    element.text = None if text is None else _clean(text)


def _count(suite: Element) -> None:
    """Set the totals of a suite. JUnit tells errors from failures; a report has no errors."""
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
