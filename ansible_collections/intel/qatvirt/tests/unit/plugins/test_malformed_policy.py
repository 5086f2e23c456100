# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A malformed policy: every module and filter that takes one answers in the words of the check POLICY, and changes
nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.intel.qatvirt.plugins.filter.qatvirt import qat_plan, qat_problems
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import PolicyError
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.modules import qat_boot, qat_host, qat_vf
from ansible_collections.intel.qatvirt.tests.unit.node.policies import MALFORMED
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import SimKernel

malformed = pytest.mark.parametrize(
    ("policy", "words"), MALFORMED, ids=[ascii(policy).replace("\\", "")[:60] for policy, _words in MALFORMED]
)
RUN_VALIDATE = """
import sys
from ansible.module_utils import basic
from ansible_collections.intel.qatvirt.plugins.modules import qat_validate
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.read().encode(), "legacy"
qat_validate.main()
"""
Answer = dict[str, Any]
Run = Callable[[ModuleType, Answer], Answer]


@pytest.fixture
def node() -> SimKernel:
    return with_host(SimKernel())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], node: SimKernel, tmp_path: Path) -> Run:
    """Runs a module as Ansible does, with its own argument specification, on a simulated node."""

    def run_main(module: ModuleType, options: Answer) -> Answer:
        for name, stand_in in (("System", lambda: node), ("Files", lambda: Files(str(tmp_path)))):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, stand_in)
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit):
            module.main()
        answer: Answer = json.loads(capsys.readouterr().out)
        return answer

    return run_main


def sentences(policy: object) -> list[str]:
    """What the check POLICY says."""
    with pytest.raises(PolicyError) as error:
        parse_policy(policy)
    return error.value.messages


@malformed
@pytest.mark.parametrize("module", [qat_vf, qat_host, qat_boot], ids=["qat_vf", "qat_host", "qat_boot"])
def test_node_modules_name_what_is_wrong(
    run: Run, node: SimKernel, tmp_path: Path, module: ModuleType, policy: object, words: str
) -> None:
    answer = run(module, {"policy": policy})
    assert answer["failed"]
    assert answer["problems"] == sentences(policy)
    assert words in answer["msg"]
    assert node.writes == []
    assert list(tmp_path.iterdir()) == []


@malformed
def test_preflight_filter_names_what_is_wrong(node: SimKernel, tmp_path: Path, policy: Any, words: str) -> None:
    problems = qat_problems(facts_of(node, tmp_path), policy)
    assert [problem["message"] for problem in problems if problem["id"] == "POLICY"] == sentences(policy)
    assert words in "; ".join(problem["message"] for problem in problems)


@malformed
def test_plan_filter_names_what_is_wrong(node: SimKernel, tmp_path: Path, policy: Any, words: str) -> None:
    plan = qat_plan(facts_of(node, tmp_path), policy)
    assert (plan["problems"], plan["drivers"], plan["pfs"]) == (sentences(policy), [], [])
    assert words in "; ".join(plan["problems"])


def test_qat_validate_names_what_is_wrong(node: SimKernel, tmp_path: Path) -> None:
    """One run for all of them: a node for each policy. The module needs kubernetes.core, which pytest's namespace
    package of this collection does not see."""
    facts = facts_of(node, tmp_path)
    nodes = [
        {"name": f"node{number}", "facts": facts, "policy": policy} for number, (policy, _words) in enumerate(MALFORMED)
    ]
    options = json.dumps({"ANSIBLE_MODULE_ARGS": {"cluster": False, "hosts": nodes}})
    command = [sys.executable, "-c", RUN_VALIDATE]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        command, input=options, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert (done.returncode, done.stderr) == (0, "")
    (check,) = (check for check in json.loads(done.stdout)["report"]["checks"] if check["id"] == "POLICY")
    found: dict[str, list[str]] = {}
    for finding in check["findings"]:
        found.setdefault(finding["node"], []).append(finding["message"])
    assert found == {f"node{number}": sentences(policy) for number, (policy, _words) in enumerate(MALFORMED)}
