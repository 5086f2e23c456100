# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the API server and their remedies."""

from __future__ import annotations

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.remedies import remedy_for


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('failed calling webhook "a.kubevirt.io": no endpoints', "See whether the pods behind that webhook"),
        ('Apply failed with 1 conflict: conflict with "site"', "owned by the manager named there"),
        ('kubevirts is forbidden: User "x" cannot patch', "playbooks/rbac.yml"),
    ],
)
def test_answers_of_the_api_have_a_remedy_for(said: str, words: str) -> None:
    assert words in remedy_for(said)
    assert remedy_for("the disk is full") == ""


def test_a_message_that_has_its_remedy_gets_no_second_one() -> None:
    message = 'Apply failed with 1 conflict: conflict with "site"'
    assert remedy_for(f"{message}. {remedy_for(message)}") == ""
