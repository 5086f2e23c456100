# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a test as the report has it."""

from __future__ import annotations

from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.answer import judge
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.diagnosis import NO_KUBEVIRT
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import GivenVf
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.result import not_started, result
from ansible_collections.intel.qatvirt.tests.unit.proof import reports
from ansible_collections.intel.qatvirt.tests.unit.test_vm.examples import GIVEN, MACHINE, POD, SETTINGS, device


def test_an_answer_is_shown_with_what_it_was_compared_with() -> None:
    judgement = judge(MACHINE, 1, {"pci": [device()]}, GIVEN)
    found = result(MACHINE, SETTINGS, "pass", None, judgement, phases={"Running": 12.34, "Reported": 41.0})
    assert found["object"] == "virtual machine qatvirt-test/qat-test-3f2a91c4-qat1"
    assert (found["resource"], found["count"], found["given"]) == ("intel.com/qat", 1, ["0000:01:10.1"])
    assert found["expected"] == {"8086:4941": 1}
    assert [item["slot"] for item in found["seen"]] == ["0000:06:00.0"]
    assert found["phases"] == [{"name": "Running", "seconds": 12.3}, {"name": "Reported", "seconds": 41.0}]
    assert found["diagnosis"] is None


def test_without_an_answer_the_given_vfs_say_what_was_expected() -> None:
    given = (GivenVf("0000:01:10.1", "8086:4941"), GivenVf("0000:01:10.2", "8086:37c9"))
    found = result(MACHINE, SETTINGS, "fail", "no answer", given=given)
    assert found["given"] == ["0000:01:10.1", "0000:01:10.2"]
    assert found["expected"] == {"8086:37c9": 1, "8086:4941": 1}
    assert (found["seen"], found["functional"], found["phases"]) == ([], None, [])


def test_a_test_that_cannot_be_started_fails_with_its_diagnosis() -> None:
    found = not_started(POD, SETTINGS, NO_KUBEVIRT)
    assert found["object"] == "pod qatvirt-test/qat-test-3f2a91c4-qat2"
    assert (found["verdict"], found["reason"]) == ("fail", NO_KUBEVIRT.message)
    assert found["diagnosis"]["id"] == "NOKUBEVIRT"


def test_results_have_the_keys_of_the_reports_that_the_page_is_tested_with() -> None:
    assert result(MACHINE, SETTINGS, "pass", None).keys() == reports.passed_vm("qat1").keys()
    assert NO_KUBEVIRT.as_data().keys() == reports.failed_vm("qat1")["diagnosis"].keys()
