# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests answer, and what their answers are worth."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.answer import answer, judge
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import (
    GivenVf,
)
from ansible_collections.intel.qatvirt.tests.unit.test_vm.examples import (
    GIVEN,
    MACHINE,
    POD,
    device,
    line,
)


class TestAnswer:
    def test_the_last_whole_report_counts(self) -> None:
        text = f'[    0.1] Linux\r\n{line()}\r\nlogin: \r\n{line(device())}\r\nQATVIRT-RESULT {{"pci": [{{"slo'
        report = answer(text)
        assert report is not None
        assert len(report["pci"]) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "QATVIRT-RESULT",
            "QATVIRT-RESULT nothing",
            'QATVIRT-RESULT {"pci": "none"}',
            'QATVIRT-RESULT {"pci": [{"slot": "0000:06:00.0"}]}',
            "QATVIRT-RESULT [1]",
            'echo "QATVIRT-RESULT $(report)"; {"pci": []}',
        ],
    )
    def test_what_is_no_report_is_none(self, text: str) -> None:
        assert answer(text) is None

    def test_escape_sequences_do_not_hide_a_report(self) -> None:
        text = f"\x1b[2J\x1b[1;1H\x1b[0m{line(device())}\x1b[0m\x1b]0;title\x07\r\n"
        assert answer(text.replace("pci", "p\x1b[7mci")) is not None

    def test_a_message_in_the_middle_of_one_report_leaves_the_others(self) -> None:
        whole = line(device())
        broken = f"{whole[:30]}[   12.3] random: crng init done\r\n{whole[30:]}"
        assert answer(broken) is None
        assert answer(f"{whole}\r\n{broken}") is not None

    def test_the_report_of_an_older_guest_has_no_more_than_devices(self) -> None:
        report = answer(f'QATVIRT-RESULT {{"uptime":3.4,"pci":[{json.dumps(device())}]}}')
        assert report is not None
        judged = judge(MACHINE, 1, report, GIVEN)
        assert (judged.verdict, judged.functional) == ("pass", None)


class TestJudge:
    def test_a_machine_that_sees_what_it_was_given_passes(self) -> None:
        other = device("0000:01:00.0", "0x1af4", "0x1041", driver="virtio-pci")
        works = {"verdict": "impossible", "reason": "no driver"}
        judged = judge(MACHINE, 1, {"pci": [other, device()], "functional": works}, GIVEN)
        assert (judged.verdict, judged.reason) == ("pass", None)
        assert judged.expected == {"8086:4941": 1}
        assert judged.seen == [
            {"slot": "0000:06:00.0", "vendor": "8086", "device": "4941", "class": "0b4000", "driver": None}
        ]
        assert judged.functional == works

    @pytest.mark.parametrize(
        ("devices", "words"),
        [
            ([], "the guest sees nothing of QAT, expected 1 x 8086:4941"),
            ([device(number="0x37c9")], "the guest sees 1 x 8086:37c9 of QAT, expected 1 x 8086:4941"),
            ([device(), device("0000:07:00.0")], "the guest sees 2 x 8086:4941 of QAT, expected 1 x 8086:4941"),
        ],
        ids=["none", "another", "too many"],
    )
    def test_a_machine_that_sees_something_else_fails(self, devices: list[dict[str, Any]], words: str) -> None:
        judged = judge(MACHINE, 1, {"pci": devices}, GIVEN)
        assert (judged.verdict, judged.reason) == ("fail", words)

    def test_fewer_vfs_than_asked_for_fail_even_if_all_are_seen(self) -> None:
        judged = judge(MACHINE, 2, {"pci": [device()]}, GIVEN)
        assert judged.verdict == "fail"
        assert judged.reason == "it asked for 2 of intel.com/qat and was given 1: 0000:01:10.1"

    def test_a_vf_of_a_kind_that_the_resource_is_not_fails(self) -> None:
        judged = judge(MACHINE, 1, {"pci": [device(number="0x37c9")]}, (GivenVf("0000:04:01.0", "8086:37c9"),))
        assert judged.reason == "it was given 0000:04:01.0 (8086:37c9), and intel.com/qat is 8086:4941"

    def test_where_the_launcher_could_not_be_asked_the_resource_says_what_is_expected(self) -> None:
        assert judge(MACHINE, 1, {"pci": [device()]}, ()).verdict == "pass"
        assert judge(MACHINE, 1, {"pci": []}, ()).verdict == "fail"
        mixed = replace(MACHINE, selectors=("8086:4941", "8086:4943"))
        assert judge(mixed, 1, {"pci": [device(number="0x4943")]}, ()).verdict == "pass"
        judged = judge(mixed, 2, {"pci": [device()]}, ())
        assert judged.reason == "the guest sees 1 x 8086:4941 of QAT, expected 2"

    def test_whether_it_works_is_told_apart(self) -> None:
        broken = {"verdict": "fail", "reason": "driver c6xxvf has the function, but /proc/crypto lists nothing of QAT"}
        judged = judge(MACHINE, 1, {"pci": [device()], "functional": broken}, GIVEN)
        assert (judged.verdict, judged.functional) == ("pass", broken)

    def test_a_pod_passes_when_it_can_open_its_vfs(self) -> None:
        seen = device("0000:01:10.1", driver="vfio-pci", open=True, error="")
        judged = judge(POD, 1, {"given": ["0000:01:10.1"], "pci": [seen]}, ())
        assert (judged.verdict, judged.reason) == ("pass", None)
        assert judged.given == (GivenVf("0000:01:10.1", "8086:4941"),)

    def test_a_pod_that_cannot_open_its_vf_fails_with_what_the_kernel_said(self) -> None:
        error = "can't open /dev/vfio/13: Device or resource busy"
        seen = device("0000:01:10.1", driver="vfio-pci", open=False, error=error)
        judged = judge(POD, 1, {"given": ["0000:01:10.1"], "pci": [seen]}, ())
        assert (judged.verdict, judged.reason) == ("fail", f"VF 0000:01:10.1 cannot be opened: {error}")

    def test_a_pod_that_was_given_nothing_fails(self) -> None:
        judged = judge(POD, 1, {"given": [], "pci": []}, ())
        assert judged.verdict == "fail"
        assert "was given 0: it has no variable QAT0" in str(judged.reason)
