# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkpoint: entries are recorded once, put back and dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import CheckpointError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import carry_out, converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.checkpoint import (
    CHECKPOINT,
    Checkpoint,
    record_pf,
    recorded_pfs,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.plan import plan_restore, target_of
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import SimKernel


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(str(tmp_path))


def test_record_keeps_the_first_value_over_runs(files: Files) -> None:
    Checkpoint(files).record("files", "/etc/x", "ours was not there")
    Checkpoint(files).record("files", "/etc/x", "ours")
    assert Checkpoint(files).section("files") == {"/etc/x": "ours was not there"}
    assert files.mode(CHECKPOINT) == 0o600


def test_forget_removes_the_file_with_its_last_entry(files: Files) -> None:
    checkpoint = Checkpoint(files)
    checkpoint.record("files", "/etc/x", None)
    checkpoint.record("modules", "vfio-pci", "not loaded")
    checkpoint.forget("files", "/etc/x")
    assert files.read(CHECKPOINT) is not None
    checkpoint.forget("modules", "vfio-pci")
    checkpoint.forget("modules", "never there")
    assert files.read(CHECKPOINT) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ('{"version": 99}', "has version 99, expected 1"),
    ],
)
def test_checkpoint_that_cannot_be_read_says_what_to_do(files: Files, text: str, words: str) -> None:
    files.replace(CHECKPOINT, text)
    with pytest.raises(CheckpointError, match=words):
        Checkpoint(files)


def test_recorded_pfs_lead_back_to_how_it_was(files: Files) -> None:
    node = SimKernel()
    before = observe(node)[0]
    converge(node, parse_policy([{"services": ["dc"]}]), first_touch=lambda pf: record_pf(Checkpoint(files), pf))
    recorded = recorded_pfs(Checkpoint(files))
    assert recorded == {pf.address: target_of(pf) for pf in before}
    now = observe(node)[0]
    carry_out(node, now, plan_restore(now, recorded))
    assert observe(node)[0] == before
