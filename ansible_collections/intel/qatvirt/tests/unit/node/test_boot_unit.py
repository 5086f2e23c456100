# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot program and its unit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node import boot_unit
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.boot_unit import build_program, policy_text, unit_text
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.paths import POLICY, STATUS
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel

RUN = """
import sys
program, root = sys.argv[1:]
sys.path.insert(0, program)
from qatvirt_boot.node import boot_unit, files, sysfs
boot_unit.System = lambda: sysfs.System(root)
boot_unit.Files = lambda: files.Files(root)
sys.exit(boot_unit.main())
"""
"""Runs the program of the file argv[1] as the unit does, on the files below argv[2]."""


def run_program(tmp_path: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """The program by itself: outside of the checkout, with a Python that knows no collection."""
    program = tmp_path / "qatvirt-node.pyz"
    program.write_bytes(build_program())
    command = [sys.executable, "-I", "-c", RUN, str(program), str(root)]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def saved_node(root: Path, node: SimKernel, policy: list[dict[str, object]]) -> None:
    """A node on disk with a policy that needs no module to be loaded."""
    root.mkdir()
    node.save(root)
    document = json.loads(policy_text(policy, parse_policy(policy), observe(node)[0]))
    Files(str(root)).replace(POLICY, json.dumps({**document, "modules": []}))


def test_build_program_gives_the_same_bytes() -> None:
    assert build_program() == build_program()


def test_program_runs_by_itself_and_reports_a_converged_node(tmp_path: Path) -> None:
    node = SimKernel((PfSpec(totalvfs=2),))
    converge(node, parse_policy([{}]))
    saved_node(tmp_path / "root", node, [{}])
    done = run_program(tmp_path, tmp_path / "root")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0000:6b:00.0: follows the policy\n", "")
    status = Files(str(tmp_path / "root")).read(STATUS)
    assert json.loads(status or "") == {
        "ok": True,
        "messages": ["0000:6b:00.0: follows the policy"],
        "failures": [],
    }


def test_program_refuses_what_the_module_would_refuse(tmp_path: Path) -> None:
    node = SimKernel((PfSpec(totalvfs=2),))
    converge(node, parse_policy([{}]))
    node.hold("0000:6b:00.1", pid=4711, command="qemu-kvm")
    saved_node(tmp_path / "root", node, [{"services": ["dc"]}])
    done = run_program(tmp_path, tmp_path / "root")
    assert (done.returncode, done.stdout) == (1, "VF 0000:6b:00.1 is held by qemu-kvm (pid 4711)\n")


@pytest.mark.parametrize(
    "text", [None, "{", "[]", "{}", '{"policy": []}', '{"policy": [{}]}', '{"policy": [{"vfs": "x"}]}']
)
def test_program_says_when_its_policy_is_damaged(tmp_path: Path, text: str | None) -> None:
    root = tmp_path / "root"
    root.mkdir()
    if text is not None:
        Files(str(root)).replace(POLICY, text)
    done = run_program(tmp_path, root)
    assert done.returncode == 1
    assert f"{POLICY} is missing or damaged" in done.stdout
    assert "Traceback" not in done.stderr


def test_policy_text_names_the_pfs_and_modules_to_wait_for() -> None:
    raw = [{"match": {"family": "c62x"}}]
    pfs = observe(SimKernel((PfSpec("0000:6b:00.0", "4940"), PfSpec("0000:b3:00.0", "37c8"))))[0]
    assert json.loads(policy_text(raw, parse_policy(raw), pfs)) == {
        "policy": raw,
        "pfs": ["0000:b3:00.0"],
        "modules": ["qat_c62x", "vfio-pci"],
    }


def test_unit_runs_before_kubelet_and_sshd() -> None:
    lines = unit_text("/usr/bin/python3").splitlines()
    assert any(line.startswith("Before=") and "kubelet.service" in line for line in lines)
    assert any(line.startswith("Before=") and "ssh.service" in line for line in lines)
    assert "ExecStart=/usr/bin/python3 /usr/local/lib/qatvirt/qatvirt-node.pyz" in lines


def status_of(node: SimKernel, root: Path, monkeypatch: pytest.MonkeyPatch, policy: list[dict[str, object]]) -> dict:
    """What the boot unit writes for programs after it has run on a node."""
    files = Files(str(root))
    files.replace(POLICY, policy_text(policy, parse_policy(policy), observe(node)[0]))
    monkeypatch.setattr(boot_unit, "System", lambda: node)
    monkeypatch.setattr(boot_unit, "Files", lambda: files)
    assert boot_unit.main() == 1
    status: dict = json.loads(files.read(STATUS) or "")
    assert status["messages"] == [failure["message"] for failure in status["failures"]]
    return status


def test_status_has_the_kernels_answer_as_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = SimKernel((PfSpec(totalvfs=2),))
    node.busy.add("0000:6b:00.0")
    (failure,) = status_of(node, tmp_path, monkeypatch, [{}])["failures"]
    assert (failure["code"], failure["pf"]) == ("EBUSY", "0000:6b:00.0")


def test_status_has_held_vfs_by_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = SimKernel((PfSpec("0000:6b:00.0", totalvfs=2), PfSpec("0000:f3:00.0", totalvfs=2)))
    converge(node, parse_policy([{}]))
    node.hold("0000:f3:00.1", pid=4711, command="qemu-kvm")
    (failure,) = status_of(node, tmp_path, monkeypatch, [{"services": ["asym"]}])["failures"]
    assert (failure["code"], failure["pf"]) == ("IN_USE", "0000:f3:00.0")


def test_status_has_what_is_missing_by_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = SimKernel((PfSpec(totalvfs=2),), iommu=False)
    assert {failure["code"] for failure in status_of(node, tmp_path, monkeypatch, [{}])["failures"]} == {"IOMMU"}


def test_status_has_a_policy_that_does_not_fit_by_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = status_of(SimKernel(), tmp_path, monkeypatch, [{"vfs": 8}])["failures"]
    assert [failure["code"] for failure in failures] == ["POLICY"]


def test_unit_loads_the_modules_of_its_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = SimKernel((PfSpec(totalvfs=2),), modules=("qat_4xxx",))
    loaded: list[str] = []
    monkeypatch.setattr(node, "load_module", loaded.append)
    status_of(node, tmp_path, monkeypatch, [{}])
    assert loaded == ["qat_4xxx", "vfio-pci"]
