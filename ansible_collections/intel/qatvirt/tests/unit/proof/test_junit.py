# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CI system reads out of a report."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.junit import junit
from ansible_collections.intel.qatvirt.tests.unit.proof import reports

# Each kind of what XML forbids: C0 controls, a lone surrogate, a noncharacter; and what it only wants escaped.
WEIRD = "a\x00b\x0b\x1b[31mc\ud800\ufffe]]> <b> & \"'\té\U0001f512"
WEIRD_READ = "ab[31mc]]> <b> & \"'\té\U0001f512"


def parsed(report: dict[str, Any]) -> Element:
    """The document as a CI system reads it: from bytes."""
    return ElementTree.fromstring(junit(report).encode("utf-8"))


def suite(root: Element, name: str) -> Element:
    (found,) = [item for item in root if item.get("name") == name]
    return found


def case(root: Element, start: str) -> Element:
    (found,) = [item for item in root.iter("testcase") if item.attrib["name"].startswith(start)]
    return found


def said(element: Element, tag: str) -> str:
    found = element.find(tag)
    assert found is not None
    return found.text or ""


def test_each_layer_and_the_tests_are_a_suite_with_its_numbers() -> None:
    root = parsed(reports.broken_site())
    assert [item.get("name") for item in root] == ["node", "cluster", "vm", "tests"]
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("22", "4", "1")
    node = suite(root, "node")
    assert (node.get("tests"), node.get("failures"), node.get("errors")) == ("10", "2", "0")
    assert node.get("timestamp") == "2026-11-25T04:00:00"


def test_failed_check_tells_each_finding_with_its_remedy() -> None:
    report = reports.broken_site()
    failed = case(parsed(report), "VFDRV: ")
    (failure,) = failed
    assert failure.tag == "failure"
    assert failure.get("message") == "VF 0000:e8:01.0 is on qat_vfio_pci, expected vfio-pci (and 15 more)"
    assert failure.text
    for check in report["checks"]:
        for finding in check["findings"] if check["id"] == "VFDRV" else ():
            for key in ("node", "object", "message", "fix", "evidence"):
                assert finding[key] in failure.text


def test_warning_passes_and_is_told() -> None:
    warned = case(parsed(reports.broken_site()), "STALE: ")
    assert [item.tag for item in warned] == ["system-out"]
    assert "the node advertises 0 intel.com/qat, expected 15" in said(warned, "system-out")


def test_skipped_check_has_its_reason_and_a_passed_one_nothing() -> None:
    root = parsed(reports.broken_site())
    (skipped,) = case(root, "FUNC: ")
    assert (skipped.tag, skipped.get("message")) == ("skipped", "what it finds is a consequence of GUEST")
    assert not list(case(root, "IOMMU: "))


def test_test_machine_has_its_diagnosis_its_answer_and_its_time() -> None:
    root = parsed(reports.broken_site())
    failed = case(root, "worker-a2")
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("type") == "RESOURCE"
    assert "make the node advertise its VFs" in (failure.text or "")
    passed = case(root, "worker-a1")
    assert passed.find("failure") is None
    assert passed.get("time") == "41.3"
    assert "seen: 8086:4941 at 0000:06:00.0, no driver" in said(passed, "system-out")


def test_failure_without_a_diagnosis_has_its_reason() -> None:
    test = {**reports.failed_vm("qat1"), "diagnosis": None}
    failure = case(parsed(reports.report([], [], [test])), "qat1").find("failure")
    assert failure is not None
    assert failure.get("message") == "The virtual machine did not start within 300 seconds."


@pytest.mark.parametrize("emulated", [True, False])
def test_emulated_hardware_is_told_in_each_suite(emulated: bool) -> None:
    report = reports.healthy_lab() if emulated else reports.broken_site()
    for item in parsed(report):
        properties = {entry.get("name"): entry.get("value") for entry in item.iter("property")}
        assert properties["emulated hardware"] == ("yes" if emulated else "no")
        assert properties["kubevirt"] == "v1.8.4"


def test_document_is_valid_whatever_is_in_the_strings() -> None:
    weird = reports.finding("fail", WEIRD, WEIRD, WEIRD, WEIRD, WEIRD)
    checks = [
        reports.check("node", "VFDRV", "fail", [weird], question=WEIRD, cause=WEIRD),
        reports.check("cluster", "STALE", "warn", [weird]),
        reports.check("vm", "GUEST", "skipped", reason=WEIRD),
    ]
    test = {**reports.failed_vm(WEIRD), "reason": WEIRD, "object": WEIRD}
    root = parsed(reports.report([], checks, [test], cluster={"server": WEIRD, "kubevirt": None}))
    failure = case(root, "VFDRV: ").find("failure")
    assert failure is not None
    # A reader makes a space of a tab in an attribute, unless it is escaped.
    assert failure.get("message") == WEIRD_READ
    assert WEIRD_READ in (failure.text or "")


def test_report_without_cluster_and_tests_has_only_suites_with_cases() -> None:
    root = parsed(reports.report([], [reports.check("node", "IOMMU")], [], cluster=None))
    assert [item.get("name") for item in root] == ["node"]
