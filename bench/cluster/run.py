# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time the lab's cluster from up to a guest's report, and measure its memory and disk: python -m bench.cluster.run"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab import Lab, NodeSpec
from lab.cluster import manifests, profiles
from lab.paths import cache_root, labs_root
from tests.plays import play

RESULT = Path(__file__).with_name("result.md")
READY_LIMIT = 180.0
"""Seconds from up until all nodes are Ready, with everything cached."""
MEMORY_LIMIT, DISK_LIMIT = 14.0, 20.0
"""GB: memory of the cluster with two nodes, and disk of cache and state together."""
ALLOCATABLE = "jsonpath={{.status.allocatable.{}}}={}"
"""Condition for kubectl wait: a node's number of an extended resource."""


@dataclass
class Measurements:
    """What was measured.

    seconds: by stage, in the order of the stages. memory: GB (proportional set size) by program. disk: GB by directory.
    load: load average of the host over 15 minutes.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    disk: dict[str, float] = field(default_factory=dict)
    load: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the seconds of a block and print them."""
        start = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - start
        print(f"{self.seconds[name]:7.1f} s  {name}", flush=True)


def measure() -> Measurements:
    """Go the whole way once: from a new lab to the guest's report."""
    measured = Measurements()
    profile = profiles.profile(profiles.DEFAULT)
    with Lab("bench-cluster", profile) as lab, tempfile.TemporaryDirectory() as name:
        lab.down()
        directory = Path(name)
        manifests.write(directory, profile)
        specs = [NodeSpec(node, driver=True, memory=profile.memory) for node in ("qat1", "qat2")]
        with measured.stage("up: two nodes Ready"):
            lab.start_all(specs)
        with measured.stage("nodes.yml: VFs on vfio-pci"):
            done = play(lab.inventory(directory / "inventory"), "nodes")
            if done.code:
                sys.exit(done.text)
        walk(lab, directory, measured)
        measured.load = os.getloadavg()[2]
        measured.memory = memory_gb(labs_root() / lab.name)
        measured.disk = {"cache": disk_gb(cache_root()), "state": disk_gb(labs_root())}
    return measured


def walk(lab: Lab, directory: Path, measured: Measurements) -> None:
    """Measure the stages from Intel's plugin to the guest's report. directory: has the manifests."""
    kubectl = lab.control_plane.kubectl

    def wait(what: str, condition: str) -> None:
        kubectl("wait", *what.split(), f"--for={condition}", "--timeout=1800s")

    for node, workload in (("qat1", "container"), ("qat2", "vm")):
        kubectl("label", "node", node, f"{manifests.WORKLOAD_LABEL}={workload}")
    with measured.stage("Intel's plugin: cy and dc allocatable"):
        kubectl("apply", "-f", str(directory / "intel-qat-plugin.yaml"))
        for service in ("cy", "dc"):
            wait("node/qat1", ALLOCATABLE.format(rf"qat\.intel\.com/{service}", 8))
    with measured.stage("KubeVirt: operator ready"):
        kubectl("apply", "--server-side", "-f", str(directory / "kubevirt-operator.yaml"))
        wait("-n kubevirt deployment/virt-operator", "condition=Available")
    with measured.stage("KubeVirt: virt-api ready"):
        kubectl("apply", "-f", str(directory / "kubevirt-cr.yaml"))
        wait("-n kubevirt deployment/virt-api", "create")
        wait("-n kubevirt deployment/virt-api", "condition=Available")
    with measured.stage("KubeVirt: virt-controller ready"):
        wait("-n kubevirt deployment/virt-controller", "create")
        wait("-n kubevirt deployment/virt-controller", "condition=Available")
    with measured.stage("KubeVirt: virt-handler ready"):
        wait("-n kubevirt daemonset/virt-handler", "create")
        wait("-n kubevirt daemonset/virt-handler", "jsonpath={.status.numberReady}=1")
    with measured.stage("KubeVirt: Available"):
        wait("-n kubevirt kubevirt/kubevirt", "condition=Available")
    with measured.stage("VFs allocatable to virtual machines"):
        wait("node/qat2", ALLOCATABLE.format(r"intel\.com/qat", 16))
    with measured.stage("virtual machine Running"):
        kubectl("apply", "-f", str(directory / "qat-vm.yaml"))
        wait("vmi/qat-vm", "jsonpath={.status.phase}=Running")
    with measured.stage("guest reports its VF"):
        pod = kubectl("get", "pod", "-l", "vm.kubevirt.io/name=qat-vm", "-o", "name").strip()
        while "0x4941" not in kubectl("logs", pod, "-c", "guest-console-log"):
            time.sleep(1)


def memory_gb(directory: Path) -> dict[str, float]:
    """GB of memory, by program, of the processes whose working directories are below a directory."""
    found: dict[str, float] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(directory):
                name = (process / "comm").read_text().strip()
                (pss,) = (
                    line for line in (process / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:")
                )
                found[name] = found.get(name, 0.0) + int(pss.split()[1]) / 1e6
        except OSError:
            continue  # the process has ended meanwhile
    return found


def disk_gb(directory: Path) -> float:
    """GB that the blocks of a directory take on the disk."""
    used = subprocess.run(["du", "-s", "--block-size=1", directory], capture_output=True, text=True, check=True).stdout
    return int(used.split()[0]) / 1e9


def complaints(measured: Measurements) -> list[str]:
    """The limits that were passed."""
    found = []
    if measured.seconds["up: two nodes Ready"] > READY_LIMIT:
        found.append(f"up took {measured.seconds['up: two nodes Ready']:.0f} s, expected at most {READY_LIMIT:.0f} s")
    if sum(measured.memory.values()) > MEMORY_LIMIT:
        found.append(f"{sum(measured.memory.values()):.1f} GB of memory, expected at most {MEMORY_LIMIT} GB")
    if measured.disk["cache"] + measured.disk["state"] > DISK_LIMIT:
        found.append(f"{measured.disk} GB of disk, expected at most {DISK_LIMIT} GB of cache and state together")
    return found


def table(measured: Measurements) -> str:
    """The result as Markdown."""
    lines = [
        "# The lab's cluster: two nodes, default profile, everything cached",
        "",
        f"Written by `python -m bench.cluster.run` on {os.cpu_count()} processors, load {measured.load:.1f} (15 min).",
        "",
        "| stage | seconds |",
        "|---|---|",
        *(f"| {name} | {seconds:.0f} |" for name, seconds in measured.seconds.items()),
        f"| together | {sum(measured.seconds.values()):.0f} |",
        "",
        "| memory of | GB |",
        "|---|---|",
        *(f"| {name} | {size:.2f} |" for name, size in sorted(measured.memory.items())),
        f"| together | {sum(measured.memory.values()):.2f} |",
        "",
        "| disk | GB |",
        "|---|---|",
        *(f"| {name} | {size:.1f} |" for name, size in measured.disk.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write the table, fail when a limit is passed."""
    measured = measure()
    RESULT.write_text(table(measured))
    print(RESULT.read_text())
    sys.exit("\n".join(complaints(measured)) or None)


if __name__ == "__main__":
    main()
