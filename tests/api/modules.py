# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the cluster layer, run against an API server as a play runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ANSIBLE = Path(sys.executable).with_name("ansible")


def module(name: str, *options: str, **parameters: Any) -> dict[str, Any]:
    """What intel.qatvirt.<name> returns on this host. options: of the command line, such as --check."""
    given = {key: str(value) if isinstance(value, Path) else value for key, value in parameters.items()}
    local = ["-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        [ANSIBLE, *local, "localhost", *options, "-m", f"intel.qatvirt.{name}", "-a", json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout[done.stdout.index("=> ") + 3 :])
    return result
