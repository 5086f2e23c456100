# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk of lab/cluster/README.md, line by line as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "lab" / "cluster" / "README.md"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of a shell in the checkout whose labs nobody else knows."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    state = tmp_path_factory.mktemp("state")
    environment = {**os.environ, "PATH": path, "QATVIRT_STATE": str(state), "TMPDIR": str(state)}
    yield environment
    subprocess.run([sys.executable, "-m", "lab", "down", "--name", "walk"], cwd=ROOT, env=environment, check=True)


@pytest.fixture(scope="module")
def walked(environment: dict[str, str]) -> str:
    """All that the walk printed on standard output."""
    (walk,) = re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        ["bash", "-exuo", "pipefail", "-c", walk],
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{done.stdout}\nThe walk ended with exit code {done.returncode}.\n{state_of(environment)}")
    return done.stdout


def state_of(environment: dict[str, str]) -> str:
    """What the cluster has to say when the walk has failed."""
    questions = ("get nodes,pods -A -o wide", "get events -A --sort-by=.lastTimestamp", "describe kubevirt -A")
    return "\n".join(
        subprocess.run(
            [sys.executable, "-m", "lab", "kubectl", "--name", "walk", *question.split()],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout[-8000:]
        for question in questions
    )


def test_the_guest_of_a_virtual_machine_sees_its_vf(walked: str) -> None:
    (report, *_later) = re.findall(r"QATVIRT-RESULT (\{.*\})", walked)
    seen = [(device["vendor"], device["device"], device["class"]) for device in json.loads(report)["pci"]]
    assert seen.count(("0x8086", "0x4941", "0x0b4000")) == 1
