# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare node gets its driver by DKMS from kernel source, and is bare again after the teardown."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import Lab, NodeSpec
from tests.plays import files, look, play

pytestmark = pytest.mark.long

PF = "0000:01:00.0"


def test_driver_comes_and_goes(tmp_path: Path) -> None:
    with Lab("tests-driver") as lab:
        node = lab.start(NodeSpec("qat1", ids=("4946",)))
        inventory = lab.inventory(tmp_path)
        bare, before = look(node), files(node)
        assert bare[f"{PF}/driver"] == ""

        preview = play(inventory, "nodes", "--check")
        assert preview.code == 0, preview.text
        assert preview.says("would get and load qat_420xx", PF), preview.text
        assert (look(node), files(node)) == (bare, before)

        done = play(inventory, "nodes")
        assert done.code == 0, done.text
        assert look(node)[f"{PF}/driver"] == "420xx"
        assert "updates/dkms/qat_420xx.ko" in node.run("modinfo --field filename qat_420xx").stdout
        assert "qatvirt-qat_420xx/" in node.run("dkms status").stdout
        assert 'AUTOINSTALL="yes"' in node.run("cat /usr/src/qatvirt-qat_420xx-*/dkms.conf").stdout  # kernels to come

        gone = play(inventory, "teardown")
        assert gone.code == 0, gone.text
        assert (look(node), files(node)) == (bare, before)
