# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The warm interpreter (tests/warm.py) answers as Ansible would, call by call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import warm


def test_arguments_are_checked_by_the_modules_own_argument_spec() -> None:
    refused = warm.here("qat_validate", hosts=[], cluster=False, nodez=[])
    assert refused["failed"]
    assert "Unsupported parameters" in refused["msg"] and "nodez" in refused["msg"]
    missing = warm.here("qat_validate", cluster=False)
    assert missing["msg"] == "missing required arguments: hosts"


def test_a_call_knows_nothing_of_the_calls_before_and_beside_it() -> None:
    def unread(name: str) -> str:
        report = warm.here("qat_validate", hosts=[], cluster=False, unread=[name])["report"]
        return str([finding["message"] for check in report["checks"] for finding in check["findings"]])

    with ThreadPoolExecutor() as pool:
        said = list(pool.map(unread, ("one", "two", "three")))
    for text, name in zip(said, ("one", "two", "three"), strict=True):
        assert [other for other in ("one", "two", "three") if other in text] == [name]


def test_a_traceback_is_never_a_result() -> None:
    """qat_support_bundle runs as an action plugin: its module has nothing to call."""
    with pytest.raises(AssertionError, match="Traceback"):
        warm.here("qat_support_bundle")
