# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shells in which the scripts of virtual machines and pods have to run, as parameters of a test."""

from __future__ import annotations

import shutil
from typing import Any

import pytest


def shell(*command: str) -> Any:
    """A shell as a parameter. A machine that does not have it skips the test with the reason."""
    program = command[0]
    missing = pytest.mark.skipif(not shutil.which(program), reason=f"no {program} on this machine; make deps has it")
    return pytest.param([*command], id=program, marks=missing)


SHELLS = (shell("busybox", "sh"), shell("dash"), shell("bash"))
