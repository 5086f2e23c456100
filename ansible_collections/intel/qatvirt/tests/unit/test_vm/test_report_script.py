# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of the role qat_test_vm that a guest runs to report what it sees."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.tests.unit.test_vm.examples import REPORT_SH
from ansible_collections.intel.qatvirt.tests.unit.test_vm.shells import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
class TestGuestReport:
    """report.sh, with files in the place of sysfs and proc."""

    CRYPTO = "name         : cbc(aes)\ndriver       : qat_aes_cbc\nmodule       : intel_qat\n\n"

    def guest(self, root: Path, *devices: tuple[str, str | None], crypto: str = "driver : aes-generic\n") -> None:
        for number, (identity, driver) in enumerate(devices):
            directory = root / f"sys/bus/pci/devices/0000:0{number}:00.0"
            directory.mkdir(parents=True)
            for name, text in (("vendor", "0x8086"), ("device", f"0x{identity}"), ("class", "0x0b4000")):
                (directory / name).write_text(f"{text}\n")
            if driver:
                (directory / "driver").symlink_to(f"../../drivers/{driver}")
        (root / "proc/sys/kernel").mkdir(parents=True)
        (root / "proc/sys/kernel/osrelease").write_text("6.12.0-test\n")
        (root / "proc/uptime").write_text("12.5 3.0\n")
        (root / "proc/crypto").write_text(crypto)

    def sample(self, root: Path, script: str) -> None:
        (root / "bin").mkdir()
        (root / "bin/cpa_sample_code").write_text(f"#!/bin/sh\n{script}\n")
        (root / "bin/cpa_sample_code").chmod(0o755)

    def report(self, root: Path, shell: list[str]) -> dict[str, Any]:
        env = {
            "PATH": f"{root}/bin:{os.environ['PATH']}",
            "QATVIRT_SYSFS": f"{root}/sys",
            "QATVIRT_PROC": f"{root}/proc",
        }
        done = subprocess.run([*shell, REPORT_SH], env=env, check=True, capture_output=True, text=True)
        assert done.stderr == ""
        assert done.stdout.count("\n") == 1
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def test_it_tells_devices_and_kernel(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("1041", "virtio-pci"), ("4941", None))
        report = self.report(tmp_path, shell)
        assert (report["kernel"], report["uptime"]) == ("6.12.0-test", 12.5)
        assert [(item["slot"], item["driver"]) for item in report["pci"]] == [
            ("0000:00:00.0", "virtio-pci"),
            ("0000:01:00.0", None),
        ]

    def test_a_kernel_driver_that_offers_crypto_passes(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("37c9", "c6xxvf"), crypto=self.CRYPTO)
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "pass"
        assert "c6xxvf" in functional["reason"] and "qat_aes_cbc" in functional["reason"]

    def test_a_kernel_driver_that_offers_nothing_fails(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("37c9", "c6xxvf"))
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "fail"
        assert "/proc/crypto lists nothing of QAT" in functional["reason"]

    def test_crypto_of_qat_without_a_bound_function_is_no_proof(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("37c9", None), crypto=self.CRYPTO)
        assert self.report(tmp_path, shell)["functional"]["verdict"] == "impossible"

    def test_a_build_that_serves_only_user_space_is_no_failure(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("4941", "4xxxvf"))
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "impossible"
        assert "4xxxvf" in functional["reason"] and "cpa_sample_code" in functional["reason"]

    def test_the_sample_passes(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("4941", "vfio-pci"))
        self.sample(tmp_path, 'test "$1" = signOfLife=1 && echo "Sample code completed successfully."')
        assert self.report(tmp_path, shell)["functional"]["verdict"] == "pass"

    def test_the_sample_fails_with_its_last_words(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("4941", "vfio-pci"))
        self.sample(tmp_path, 'echo "icp_sal_userStart failed: \\"no\\tdevice\\""; exit 3')
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "fail"
        assert "exit code 3" in functional["reason"] and "icp_sal_userStart failed" in functional["reason"]

    def test_the_sample_is_not_run_on_functions_it_cannot_have(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path, ("4941", None))
        self.sample(tmp_path, "exit 3")
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "impossible"
        assert "8086:4941" in functional["reason"]

    def test_a_guest_without_a_function_says_so(self, tmp_path: Path, shell: list[str]) -> None:
        self.guest(tmp_path)
        report = self.report(tmp_path, shell)
        assert report["pci"] == []
        assert report["functional"] == {"verdict": "impossible", "reason": "the guest has no QAT function"}
