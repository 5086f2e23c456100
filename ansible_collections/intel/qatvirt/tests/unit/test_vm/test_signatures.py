# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of known causes. That each is met by a real text: test_diagnosis.py."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.signatures import (
    API,
    CAUSES,
    CONSOLE,
    EVENT,
    LOG,
    MACHINE,
    NODE,
    POD,
    OwnCause,
    Signature,
)

WORDS = {"what", "namespace", "node", "resource"}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
def test_placeholders_are_known_words_or_groups_of_the_regex(cause: OwnCause | Signature) -> None:
    groups = set(re.compile(cause.regex).groupindex) if isinstance(cause, Signature) else set()
    for text in (cause.cause, cause.fix, cause.command):
        assert {name for _text, name, _format, _conversion in Formatter().parse(text) if name} <= WORDS | groups


@pytest.mark.parametrize("cause", [cause for cause in CAUSES if isinstance(cause, Signature)], ids=lambda one: one.id)
def test_sources_are_those_of_statements(cause: Signature) -> None:
    assert set(cause.sources) <= {API, NODE, POD, MACHINE, EVENT, LOG, CONSOLE}


def test_no_cause_is_listed_twice() -> None:
    assert len({(cause.id, cause.cause) for cause in CAUSES}) == len(CAUSES)
