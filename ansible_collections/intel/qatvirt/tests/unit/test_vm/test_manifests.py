# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a test, and the scripts in them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.answer import answer, given_to_launcher, judge
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.manifests import (
    TELL_GIVEN,
    manifest,
    secret,
    user_data,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import (
    RUN_LABEL,
    GivenVf,
    NodeTest,
)
from ansible_collections.intel.qatvirt.tests.unit.test_vm.examples import (
    BOOT,
    MACHINE,
    POD,
    REPORT_SH,
    SETTINGS,
)
from ansible_collections.intel.qatvirt.tests.unit.test_vm.shells import SHELLS


class TestManifests:
    def test_a_machine_asks_for_its_vfs_on_its_node_and_for_no_network(self) -> None:
        made = manifest(MACHINE, replace(SETTINGS, count=2))
        spec = made["spec"]
        assert spec["nodeSelector"] == {"kubernetes.io/hostname": "qat1.example.net"}
        assert spec["domain"]["devices"]["hostDevices"] == [
            {"name": "qat0", "deviceName": "intel.com/qat"},
            {"name": "qat1", "deviceName": "intel.com/qat"},
        ]
        assert spec["domain"]["devices"]["autoattachPodInterface"] is False
        assert spec["domain"]["devices"]["autoattachSerialConsole"] is True
        assert spec["terminationGracePeriodSeconds"] == 0
        # What is locked is limited by the request, so the guest's memory must be the request.
        assert spec["domain"]["resources"]["requests"]["memory"] == "1Gi"
        assert "memory" not in spec["domain"]

    def test_user_data_are_in_a_secret_of_any_length(self) -> None:
        made = manifest(MACHINE, SETTINGS)
        (volume,) = [item for item in made["spec"]["volumes"] if "cloudInitNoCloud" in item]
        kept = secret(replace(SETTINGS, report_script=REPORT_SH.read_text()))
        assert volume["cloudInitNoCloud"] == {"secretRef": {"name": kept["metadata"]["name"]}}
        assert len(kept["stringData"]["userdata"]) > 2048

    def test_kernel_boot_takes_the_place_of_the_disk(self) -> None:
        spec = manifest(MACHINE, replace(SETTINGS, kernel_boot=BOOT))["spec"]
        assert spec["domain"]["firmware"]["kernelBoot"]["container"]["image"] == "guest:1"
        assert spec["domain"]["firmware"]["kernelBoot"]["kernelArgs"] == "console=ttyS0"
        assert "volumes" not in spec and "disks" not in spec["domain"]["devices"]

    def test_a_pod_has_no_privileges_and_no_token(self) -> None:
        spec = manifest(POD, SETTINGS)["spec"]
        (container,) = spec["containers"]
        security = container["securityContext"]
        assert container["resources"]["limits"] == {"qat.intel.com/cy": "1"}
        assert (security["allowPrivilegeEscalation"], security["readOnlyRootFilesystem"]) == (False, True)
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert spec["automountServiceAccountToken"] is False
        assert not any("hostPath" in volume for volume in spec.get("volumes", ()))

    @pytest.mark.parametrize("test", [MACHINE, POD], ids=["machine", "pod"])
    def test_everything_carries_the_run(self, test: NodeTest) -> None:
        tolerations = ({"key": "dedicated", "operator": "Exists"},)
        made = manifest(test, replace(SETTINGS, tolerations=tolerations))
        assert made["metadata"]["labels"] == {RUN_LABEL: "3f2a91c4"}
        assert secret(SETTINGS)["metadata"]["labels"] == {RUN_LABEL: "3f2a91c4"}
        assert made["spec"]["tolerations"] == list(tolerations)


@pytest.mark.parametrize("shell", SHELLS)
def test_user_data_write_the_report_to_the_console_again_and_again(tmp_path: Path, shell: list[str]) -> None:
    console = tmp_path / "console"
    script = user_data('echo "{\\"pci\\":[],\\"said\\":\\"it\'s here\\"}"', str(console))
    script = script.replace("/run/", f"{tmp_path}/").replace("sleep 10", "cat console >>all; sleep 0.05")
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([*shell, "-c", script], cwd=tmp_path, timeout=1, check=False)
    text = (tmp_path / "all").read_text()
    assert text.count("QATVIRT-RESULT") > 1
    assert answer(text) == {"pci": [], "said": "it's here"}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_launcher_was_given_is_read_from_its_environment(tmp_path: Path, shell: list[str]) -> None:
    for address, number in (("0000:01:10.1", "0x4941"), ("0000:02:10.3", "0x4943")):
        directory = tmp_path / address
        directory.mkdir()
        (directory / "vendor").write_text("0x8086\n")
        (directory / "device").write_text(f"{number}\n")
    script = TELL_GIVEN.replace("/sys/bus/pci/devices", str(tmp_path))
    env = {"PATH": os.environ["PATH"], "PCI_RESOURCE_INTEL_COM_QAT": "0000:01:10.1,0000:02:10.3", "OTHER": "a=b"}
    said = subprocess.run([*shell, "-c", script], env=env, check=True, capture_output=True, text=True)
    assert said.stderr == ""
    assert given_to_launcher(said.stdout) == (
        GivenVf("0000:01:10.1", "8086:4941"),
        GivenVf("0000:02:10.3", "8086:4943"),
    )


class TestPodScript:
    """What the pod runs, with files in the place of sysfs and devices."""

    def run(self, root: Path, env: dict[str, str], shell: list[str]) -> dict[str, Any]:
        (container,) = manifest(POD, SETTINGS)["spec"]["containers"]
        script = container["command"][2].replace("/sys/bus", f"{root}/sys/bus").replace("/dev/vfio", f"{root}/vfio")
        done = subprocess.run(
            [*shell, "-c", script], env={"PATH": os.environ["PATH"], **env}, check=True, capture_output=True, text=True
        )
        report = answer(done.stdout)
        assert report is not None, done
        return report

    def vf(self, root: Path, address: str, group: str) -> None:
        directory = root / "sys/bus/pci/devices" / address
        directory.mkdir(parents=True)
        for name, text in (("vendor", "0x8086"), ("device", "0x4941"), ("class", "0x0b4000")):
            (directory / name).write_text(f"{text}\n")
        (directory / "iommu_group").symlink_to(f"../../groups/{group}")
        (directory / "driver").symlink_to("../../drivers/vfio-pci")

    @pytest.mark.parametrize("shell", SHELLS)
    def test_it_opens_what_it_was_given_and_says_why_not(self, tmp_path: Path, shell: list[str]) -> None:
        (tmp_path / "vfio").mkdir()
        self.vf(tmp_path, "0000:01:10.1", "13")
        self.vf(tmp_path, "0000:01:10.2", "14")
        (tmp_path / "vfio/13").symlink_to("/dev/null")
        report = self.run(tmp_path, {"QAT0": "0000:01:10.1", "QAT1": "0000:01:10.2", "QATAR": "x"}, shell)
        assert report["given"] == ["0000:01:10.1", "0000:01:10.2"]
        first, second = report["pci"]
        assert (first["driver"], first["open"], first["error"]) == ("vfio-pci", True, "")
        assert second["open"] is False
        assert second["error"] == f"there is no device {tmp_path}/vfio/14"
        judged = judge(replace(POD, kind="pod"), 2, report, ())
        assert judged.verdict == "fail" and "0000:01:10.2 cannot be opened" in str(judged.reason)

    @pytest.mark.parametrize("shell", SHELLS)
    def test_an_error_of_the_kernel_is_told(self, tmp_path: Path, shell: list[str]) -> None:
        (tmp_path / "vfio").mkdir()
        self.vf(tmp_path, "0000:01:10.1", "13")
        # Opening it needs a controlling terminal, which nobody has here.
        (tmp_path / "vfio/13").symlink_to("/dev/tty")
        (function,) = self.run(tmp_path, {"QAT0": "0000:01:10.1"}, ["setsid", "-w", *shell])["pci"]
        assert function["open"] is False
        assert "No such device or address" in function["error"]

    @pytest.mark.parametrize("shell", SHELLS)
    def test_without_a_vf_it_still_answers(self, tmp_path: Path, shell: list[str]) -> None:
        assert self.run(tmp_path, {}, shell) == {"given": [], "pci": []}
