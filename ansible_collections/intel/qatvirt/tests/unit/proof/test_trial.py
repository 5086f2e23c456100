# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials: which are made, of what, and what their answers are worth."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import SiteNode
from ansible_collections.intel.qatvirt.plugins.module_utils.proof import trial
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.trial import (
    Case,
    Given,
    KernelBoot,
    Settings,
    answer,
    given_to_launcher,
    judge,
    manifest,
    plan,
    secret,
    trial_name,
    user_data,
)

REPORT_SH = Path(__file__).resolve().parents[3] / "roles/qat_test_vm/files/report.sh"
SETTINGS = Settings(
    run="3f2a91c4",
    namespace="qatvirt-test",
    count=1,
    container_disk="quay.io/containerdisks/fedora:42",
    kernel_boot=None,
    pod_image="docker.io/library/busybox:1.37",
    memory="1Gi",
    cpu=1,
    tolerations=(),
    report_script="#!/bin/sh\necho '{\"pci\":[]}'\n",
)
BOOT = KernelBoot("guest:1", "/boot/vmlinuz", "/boot/initrd", "console=ttyS0")
MACHINE = Case("qat1", "qat1.example.net", "vm", "qat-test-3f2a91c4-qat1", "intel.com/qat", ("8086:4941",))
POD = Case("qat2", "qat2", "pod", "qat-test-3f2a91c4-qat2", "qat.intel.com/cy", ("8086:4941",))
GIVEN = (Given("0000:01:10.1", "8086:4941"),)


def node(name: str, *, cordoned: bool = False, **allocatable: int) -> dict[str, Any]:
    """A Node object. allocatable: cy=8 is qat.intel.com/cy, qat=16 is intel.com/qat."""
    names = {"qat": "intel.com/qat", "c62x": "intel.com/qat-c62x"}
    offered = {names.get(key, f"qat.intel.com/{key}"): str(count) for key, count in allocatable.items()}
    spec = {"unschedulable": True} if cordoned else {}
    labels = {"kubernetes.io/hostname": f"{name}.example.net"}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": offered}}


def user(on: str, resource: str, count: int, phase: str = "Running") -> dict[str, Any]:
    """A pod that has VFs."""
    container = {"name": "main", "resources": {"limits": {resource: str(count)}}}
    return {
        "metadata": {"name": "user", "namespace": "default"},
        "spec": {"nodeName": on, "containers": [container]},
        "status": {"phase": phase},
    }


def device(slot: str = "0000:06:00.0", vendor: str = "0x8086", number: str = "0x4941", **more: Any) -> dict[str, Any]:
    return {"slot": slot, "vendor": vendor, "device": number, "class": "0x0b4000", "driver": None, **more}


def line(*devices: dict[str, Any], **more: Any) -> str:
    return f"QATVIRT-RESULT {json.dumps({'pci': list(devices), **more})}"


RESOURCES = {"8086:4941": "intel.com/qat", "8086:37c9": "intel.com/qat-c62x"}


class TestPlan:
    def plan(self, *nodes: tuple[SiteNode, dict[str, Any]], pods: Any = (), kubevirt: bool = True) -> Any:
        return plan(list(nodes), list(pods), RESOURCES, SETTINGS, kubevirt)

    def test_a_node_is_tried_as_its_workload_is(self) -> None:
        machines = SiteNode("qat1", vfs={"8086:4941": 16})
        containers = SiteNode("qat2", "container", vfs={"8086:4941": 16})
        cases, results = self.plan((machines, node("qat1", qat=16)), (containers, node("qat2", cy=8, dc=8)))
        assert results == []
        assert [(case.kind, case.resource, case.selectors) for case in cases] == [
            ("vm", "intel.com/qat", ("8086:4941",)),
            ("pod", "qat.intel.com/cy", ("8086:4941",)),
        ]
        # The scheduler knows a node by the value of this label, which need not be its name.
        assert cases[0].hostname == "qat1.example.net"

    def test_where_there_is_a_choice_the_resource_with_the_most_free_vfs_is_tried(self) -> None:
        containers = SiteNode("qat2", "container", vfs={"8086:4941": 16})
        item = node("qat2", cy=8, dc=8)
        (case,), _results = self.plan((containers, item), pods=[user("qat2", "qat.intel.com/cy", 8)])
        assert case.resource == "qat.intel.com/dc"
        (case,), _results = self.plan((containers, item), pods=[user("qat2", "qat.intel.com/cy", 8, "Succeeded")])
        assert case.resource == "qat.intel.com/cy"

    def test_only_the_kinds_of_a_resource_are_expected(self) -> None:
        machines = SiteNode("qat1", vfs={"8086:37c9": 16, "8086:4941": 16})
        (case,), _results = self.plan((machines, node("qat1", c62x=16, qat=0)))
        assert (case.resource, case.selectors) == ("intel.com/qat-c62x", ("8086:37c9",))

    def test_a_cordoned_node_is_skipped_with_a_reason(self) -> None:
        cases, (result,) = self.plan((SiteNode("qat1", vfs={"8086:4941": 16}), node("qat1", cordoned=True, qat=16)))
        assert cases == []
        assert result["verdict"] == "skipped"
        assert "cordoned" in result["reason"]

    def test_a_node_that_advertises_nothing_fails_and_says_what_it_has(self) -> None:
        _cases, (result,) = self.plan((SiteNode("qat1", vfs={"8086:4941": 16}), node("qat1", qat=0)))
        assert (result["verdict"], result["diagnosis"]["id"]) == ("fail", "NOVF")
        words = "node qat1 advertises 0 x intel.com/qat, and 1 of one are asked for; it has 16 x 8086:4941"
        assert result["reason"] == words
        assert "get node qat1" in result["diagnosis"]["evidence"]

    def test_a_node_that_cannot_have_as_many_as_are_asked_for_fails_at_once(self) -> None:
        machines = SiteNode("qat1", vfs={"8086:4941": 16})
        settings = replace(SETTINGS, count=17)
        cases, (result,) = plan([(machines, node("qat1", qat=16))], [], RESOURCES, settings, True)
        assert (cases, result["diagnosis"]["id"]) == ([], "NOVF")
        assert "advertises 16 x intel.com/qat, and 17" in result["reason"]

    def test_without_kubevirt_only_pods_are_tried(self) -> None:
        machines = (SiteNode("qat1", vfs={"8086:4941": 16}), node("qat1", qat=16))
        containers = (SiteNode("qat2", "container", vfs={"8086:4941": 16}), node("qat2", cy=16))
        (case,), (result,) = self.plan(machines, containers, kubevirt=False)
        assert case.kind == "pod"
        assert (result["verdict"], result["diagnosis"]["id"]) == ("fail", "NOKUBEVIRT")


class TestNames:
    def test_a_name_is_a_label_whatever_the_node_is_called(self) -> None:
        for called in ("qat1", "Worker_1.EXAMPLE.net", "w" * 200, f"{'a' * 32}.{'b' * 100}"):
            name = trial_name("3f2a91c4", called, set())
            assert re.fullmatch(r"qat-test-3f2a91c4-[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
            assert len(name) <= 50

    def test_nodes_that_differ_only_at_their_ends_get_different_names(self) -> None:
        names: set[str] = set()
        for number in range(12):
            names.add(trial_name("3f2a91c4", f"{'w' * 60}{number}", names))
        assert len(names) == 12
        assert max(len(name) for name in names) <= 50


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

    @pytest.mark.parametrize("case", [MACHINE, POD], ids=["machine", "pod"])
    def test_everything_carries_the_run(self, case: Case) -> None:
        tolerations = ({"key": "dedicated", "operator": "Exists"},)
        made = manifest(case, replace(SETTINGS, tolerations=tolerations))
        assert made["metadata"]["labels"] == {trial.RUN_LABEL: "3f2a91c4"}
        assert secret(SETTINGS)["metadata"]["labels"] == {trial.RUN_LABEL: "3f2a91c4"}
        assert made["spec"]["tolerations"] == list(tolerations)


@pytest.mark.parametrize("shell", [["busybox", "sh"], ["sh"]], ids=["busybox", "sh"])
def test_user_data_write_the_report_to_the_console_again_and_again(tmp_path: Path, shell: list[str]) -> None:
    console = tmp_path / "console"
    script = user_data('echo "{\\"pci\\":[],\\"said\\":\\"it\'s here\\"}"', str(console))
    script = script.replace("/run/", f"{tmp_path}/").replace("sleep 10", "cat console >>all; sleep 0.05")
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([*shell, "-c", script], cwd=tmp_path, timeout=1, check=False)
    text = (tmp_path / "all").read_text()
    assert text.count("QATVIRT-RESULT") > 1
    assert answer(text) == {"pci": [], "said": "it's here"}


class TestAnswer:
    def test_the_last_whole_report_counts(self) -> None:
        text = f'[    0.1] Linux\r\n{line()}\r\nlogin: \r\n{line(device())}\r\nQATVIRT-RESULT {{"pci": [{{"slo'
        report = answer(text)
        assert report is not None
        assert len(report["pci"]) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "QATVIRT-RESULT",
            "QATVIRT-RESULT nothing",
            'QATVIRT-RESULT {"pci": "none"}',
            'QATVIRT-RESULT {"pci": [{"slot": "0000:06:00.0"}]}',
            "QATVIRT-RESULT [1]",
            'echo "QATVIRT-RESULT $(report)"; {"pci": []}',
        ],
    )
    def test_what_is_no_report_is_none(self, text: str) -> None:
        assert answer(text) is None

    def test_escape_sequences_do_not_hide_a_report(self) -> None:
        text = f"\x1b[2J\x1b[1;1H\x1b[0m{line(device())}\x1b[0m\x1b]0;title\x07\r\n"
        assert answer(text.replace("pci", "p\x1b[7mci")) is not None

    def test_a_message_in_the_middle_of_one_report_leaves_the_others(self) -> None:
        whole = line(device())
        broken = f"{whole[:30]}[   12.3] random: crng init done\r\n{whole[30:]}"
        assert answer(broken) is None
        assert answer(f"{whole}\r\n{broken}") is not None

    def test_the_report_of_an_older_guest_has_no_more_than_devices(self) -> None:
        report = answer(f'QATVIRT-RESULT {{"uptime":3.4,"pci":[{json.dumps(device())}]}}')
        assert report is not None
        judged = judge(MACHINE, 1, report, GIVEN)
        assert (judged.verdict, judged.functional) == ("pass", None)


class TestJudge:
    def test_a_machine_that_sees_what_it_was_given_passes(self) -> None:
        other = device("0000:01:00.0", "0x1af4", "0x1041", driver="virtio-pci")
        works = {"verdict": "impossible", "reason": "no driver"}
        judged = judge(MACHINE, 1, {"pci": [other, device()], "functional": works}, GIVEN)
        assert (judged.verdict, judged.reason) == ("pass", None)
        assert judged.expected == {"8086:4941": 1}
        assert judged.seen == [
            {"slot": "0000:06:00.0", "vendor": "8086", "device": "4941", "class": "0b4000", "driver": None}
        ]
        assert judged.functional == works

    @pytest.mark.parametrize(
        ("devices", "words"),
        [
            ([], "the guest sees nothing of QAT, expected 1 x 8086:4941"),
            ([device(number="0x37c9")], "the guest sees 1 x 8086:37c9 of QAT, expected 1 x 8086:4941"),
            ([device(), device("0000:07:00.0")], "the guest sees 2 x 8086:4941 of QAT, expected 1 x 8086:4941"),
        ],
        ids=["none", "another", "too many"],
    )
    def test_a_machine_that_sees_something_else_fails(self, devices: list[dict[str, Any]], words: str) -> None:
        judged = judge(MACHINE, 1, {"pci": devices}, GIVEN)
        assert (judged.verdict, judged.reason) == ("fail", words)

    def test_fewer_vfs_than_asked_for_fail_even_if_all_are_seen(self) -> None:
        judged = judge(MACHINE, 2, {"pci": [device()]}, GIVEN)
        assert judged.verdict == "fail"
        assert judged.reason == "it asked for 2 of intel.com/qat and was given 1: 0000:01:10.1"

    def test_a_vf_of_a_kind_that_the_resource_is_not_fails(self) -> None:
        judged = judge(MACHINE, 1, {"pci": [device(number="0x37c9")]}, (Given("0000:04:01.0", "8086:37c9"),))
        assert judged.reason == "it was given 0000:04:01.0 (8086:37c9), and intel.com/qat is 8086:4941"

    def test_where_the_launcher_could_not_be_asked_the_resource_says_what_is_expected(self) -> None:
        assert judge(MACHINE, 1, {"pci": [device()]}, ()).verdict == "pass"
        assert judge(MACHINE, 1, {"pci": []}, ()).verdict == "fail"
        mixed = replace(MACHINE, selectors=("8086:4941", "8086:4943"))
        assert judge(mixed, 1, {"pci": [device(number="0x4943")]}, ()).verdict == "pass"
        judged = judge(mixed, 2, {"pci": [device()]}, ())
        assert judged.reason == "the guest sees 1 x 8086:4941 of QAT, expected 2"

    def test_whether_it_works_is_told_apart(self) -> None:
        broken = {"verdict": "fail", "reason": "driver c6xxvf has the function, but /proc/crypto lists nothing of QAT"}
        judged = judge(MACHINE, 1, {"pci": [device()], "functional": broken}, GIVEN)
        assert (judged.verdict, judged.functional) == ("pass", broken)

    def test_a_pod_passes_when_it_can_open_its_vfs(self) -> None:
        seen = device("0000:01:10.1", driver="vfio-pci", open=True, error="")
        judged = judge(POD, 1, {"given": ["0000:01:10.1"], "pci": [seen]}, ())
        assert (judged.verdict, judged.reason) == ("pass", None)
        assert judged.given == (Given("0000:01:10.1", "8086:4941"),)

    def test_a_pod_that_cannot_open_its_vf_fails_with_what_the_kernel_said(self) -> None:
        error = "can't open /dev/vfio/13: Device or resource busy"
        seen = device("0000:01:10.1", driver="vfio-pci", open=False, error=error)
        judged = judge(POD, 1, {"given": ["0000:01:10.1"], "pci": [seen]}, ())
        assert (judged.verdict, judged.reason) == ("fail", f"VF 0000:01:10.1 cannot be opened: {error}")

    def test_a_pod_that_was_given_nothing_fails(self) -> None:
        judged = judge(POD, 1, {"given": [], "pci": []}, ())
        assert judged.verdict == "fail"
        assert "was given 0: it has no variable QAT0" in str(judged.reason)


def test_what_a_launcher_was_given_is_read_from_its_environment(tmp_path: Path) -> None:
    for address, number in (("0000:01:10.1", "0x4941"), ("0000:02:10.3", "0x4943")):
        directory = tmp_path / address
        directory.mkdir()
        (directory / "vendor").write_text("0x8086\n")
        (directory / "device").write_text(f"{number}\n")
    script = trial.TELL_GIVEN.replace("/sys/bus/pci/devices", str(tmp_path))
    env = {"PATH": os.environ["PATH"], "PCI_RESOURCE_INTEL_COM_QAT": "0000:01:10.1,0000:02:10.3", "OTHER": "a=b"}
    for shell in (["busybox", "sh"], ["bash"]):
        said = subprocess.run([*shell, "-c", script], env=env, check=True, capture_output=True, text=True)
        assert said.stderr == ""
        assert given_to_launcher(said.stdout) == (
            Given("0000:01:10.1", "8086:4941"),
            Given("0000:02:10.3", "8086:4943"),
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

    @pytest.mark.parametrize("shell", [["busybox", "sh"], ["sh"]], ids=["busybox", "sh"])
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

    @pytest.mark.parametrize("shell", [["busybox", "sh"], ["sh"]], ids=["busybox", "sh"])
    def test_an_error_of_the_kernel_is_told(self, tmp_path: Path, shell: list[str]) -> None:
        (tmp_path / "vfio").mkdir()
        self.vf(tmp_path, "0000:01:10.1", "13")
        # Opening it needs a controlling terminal, which nobody has here.
        (tmp_path / "vfio/13").symlink_to("/dev/tty")
        (function,) = self.run(tmp_path, {"QAT0": "0000:01:10.1"}, ["setsid", "-w", *shell])["pci"]
        assert function["open"] is False
        assert "No such device or address" in function["error"]

    def test_without_a_vf_it_still_answers(self, tmp_path: Path) -> None:
        assert self.run(tmp_path, {}, ["busybox", "sh"]) == {"given": [], "pci": []}


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

    def report(self, root: Path, shell: str) -> dict[str, Any]:
        env = {
            "PATH": f"{root}/bin:{os.environ['PATH']}",
            "QATVIRT_SYSFS": f"{root}/sys",
            "QATVIRT_PROC": f"{root}/proc",
        }
        command = ["busybox", "sh", REPORT_SH] if shell == "busybox" else [shell, REPORT_SH]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        assert done.stderr == ""
        assert done.stdout.count("\n") == 1
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @pytest.fixture(params=["busybox", "dash", "bash"])
    def shell(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_it_tells_devices_and_kernel(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("1041", "virtio-pci"), ("4941", None))
        report = self.report(tmp_path, shell)
        assert (report["kernel"], report["uptime"]) == ("6.12.0-test", 12.5)
        assert [(item["slot"], item["driver"]) for item in report["pci"]] == [
            ("0000:00:00.0", "virtio-pci"),
            ("0000:01:00.0", None),
        ]

    def test_a_kernel_driver_that_offers_crypto_passes(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("37c9", "c6xxvf"), crypto=self.CRYPTO)
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "pass"
        assert "c6xxvf" in functional["reason"] and "qat_aes_cbc" in functional["reason"]

    def test_a_kernel_driver_that_offers_nothing_fails(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("37c9", "c6xxvf"))
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "fail"
        assert "/proc/crypto lists nothing of QAT" in functional["reason"]

    def test_crypto_of_qat_without_a_bound_function_is_no_proof(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("37c9", None), crypto=self.CRYPTO)
        assert self.report(tmp_path, shell)["functional"]["verdict"] == "impossible"

    def test_a_build_that_serves_only_user_space_is_no_failure(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("4941", "4xxxvf"))
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "impossible"
        assert "4xxxvf" in functional["reason"] and "cpa_sample_code" in functional["reason"]

    def test_the_sample_passes(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("4941", "vfio-pci"))
        self.sample(tmp_path, 'test "$1" = signOfLife=1 && echo "Sample code completed successfully."')
        assert self.report(tmp_path, shell)["functional"]["verdict"] == "pass"

    def test_the_sample_fails_with_its_last_words(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("4941", "vfio-pci"))
        self.sample(tmp_path, 'echo "icp_sal_userStart failed: \\"no\\tdevice\\""; exit 3')
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "fail"
        assert "exit code 3" in functional["reason"] and "icp_sal_userStart failed" in functional["reason"]

    def test_the_sample_is_not_run_on_functions_it_cannot_have(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path, ("4941", None))
        self.sample(tmp_path, "exit 3")
        functional = self.report(tmp_path, shell)["functional"]
        assert functional["verdict"] == "impossible"
        assert "8086:4941" in functional["reason"]

    def test_a_guest_without_a_function_says_so(self, tmp_path: Path, shell: str) -> None:
        self.guest(tmp_path)
        report = self.report(tmp_path, shell)
        assert report["pci"] == []
        assert report["functional"] == {"verdict": "impossible", "reason": "the guest has no QAT function"}
