# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab node against the facts about real QAT hardware: those it shows, and those it does not.

Sources: "kernel" is the QAT drivers, their ABI text and the PCI core of Linux 6.12; "pci.ids" and "Debian" say
themselves. Both lists are checked: what the lab is said to show must be there, what it is said not to show must be
missing, or this list and lab/README.md would be wrong. How writes are answered is tests/contract's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import Lab, Node, NodeSpec

README = Path(__file__).parents[2] / "lab" / "README.md"
PREPARE = """
cd /sys/bus/pci/devices
modprobe vfio-pci
for pf in 0000:01:00.0 0000:02:00.0 0000:03:00.0; do
    echo 0 > $pf/sriov_drivers_autoprobe
    echo 8 > $pf/sriov_numvfs
done
for vf in 0000:01:10.0 0000:03:10.0; do
    echo vfio-pci > $vf/driver_override
    echo $vf > /sys/bus/pci/drivers_probe || true
done
"""


@dataclass(frozen=True)
class Fact:
    """What real hardware shows: a shell command in /sys/bus/pci/devices, and a pattern for all it prints."""

    name: str
    source: str
    command: str
    pattern: str


def gen4(pf: str, *names: str) -> str:
    return f"cd {pf} && cat {' '.join(names)} | paste -sd' '"


SHOWN = (
    Fact("PF ids and class", "pci.ids", "lspci -nns 01:00.0", r".*\[0b40\]: Intel .*QAT \[8086:4940\].*"),
    Fact("VF ids are the PF's plus one", "kernel", "lspci -nns 01:10.0", r".*\[0b40\]: .*\[8086:4941\].*"),
    Fact(
        "PF knows its VFs' id", "kernel", "cat 0000:01:00.0/sriov_vf_device 0000:03:00.0/sriov_vf_device", "4941\n37c9"
    ),
    Fact("modalias of a PF", "kernel", "cat 0000:01:00.0/modalias", r"pci:v00008086d00004940sv\w+bc0Bsc40i00"),
    Fact("modalias of a VF", "kernel", "cat 0000:01:10.0/modalias", r"pci:v00008086d00004941sv\w+bc0Bsc40i00"),
    Fact("modalias loads the driver", "kernel", "modinfo -F alias qat_4xxx | grep -c 00004940", "1"),
    Fact("driver 4xxx of module qat_4xxx", "kernel", "readlink -f 0000:01:00.0/driver/module", "/sys/module/qat_4xxx"),
    Fact("driver c6xx of module qat_c62x", "kernel", "readlink 0000:03:00.0/driver", r".*/c6xx"),
    Fact("default services by turns", "kernel", "cat 0000:0[12]:00.0/qat/cfg_services", "sym;asym\ndc"),
    Fact(
        "state, idle power, ring pairs",
        "kernel",
        gen4("0000:01:00.0/qat", "state", "pm_idle_enabled", "num_rps"),
        "up 1 64",
    ),
    Fact("no qat group before generation 4", "kernel", "ls -d 0000:03:00.0/qat 2>/dev/null | wc -l", "0"),
    Fact("all VFs or none", "kernel", "cat 0000:01:00.0/sriov_numvfs 0000:01:00.0/sriov_totalvfs | uniq | wc -l", "1"),
    Fact(
        "VFs link to their PF",
        "kernel",
        "readlink 0000:01:00.0/virtfn0 0000:01:10.0/physfn",
        "../0000:01:10.0\n../0000:01:00.0",
    ),
    Fact("an IOMMU group a VF", "kernel", "readlink 0000:0?:??.?/virtfn*/iommu_group | sort | uniq -d | wc -l", "0"),
    Fact("vfio node by group", "kernel", "ls /dev/vfio/$(basename $(readlink 0000:01:10.0/iommu_group)) | wc -l", "1"),
    Fact("heartbeat in debugfs", "kernel", "cat '/sys/kernel/debug/qat_4xxx_0000:01:00.0/heartbeat/status'", "0"),
    Fact(
        "generation 2 is on vfio-pci's deny list",
        "kernel",
        "dmesg | grep -c '8086:37c9 exists in vfio-pci device denylist'",
        "[1-9]",
    ),
    Fact("no VFIO character devices", "Debian", "ls 0000:01:10.0/vfio-dev/*/dev 2>/dev/null | wc -l", "0"),
    Fact(
        "no driver of generation 4 with the kernel",
        "Debian",
        "find /lib/modules -path '*kernel*' -name 'qat_4xxx*' | wc -l",
        "0",
    ),
)

NOT_SHOWN = (
    Fact("error counters (qat_ras)", "kernel", "ls -d 0000:01:00.0/qat_ras 2>/dev/null | wc -l", "0"),
    Fact("rate limits (qat_rl)", "kernel", "ls -d 0000:01:00.0/qat_rl 2>/dev/null | wc -l", "0"),
    Fact("telemetry", "kernel", "ls -d /sys/kernel/debug/qat_4xxx*/telemetry 2>/dev/null | wc -l", "0"),
    Fact("firmware", "kernel", "wc -c < /lib/firmware/qat_4xxx.bin", "[0-9]{2}"),
    Fact("BARs and capabilities", "kernel", "lspci -vs 01:00.0 | grep -c 'Virtual Channel\\|Intel Scalable'", "0"),
    Fact("NUMA nodes", "kernel", "cat 0000:01:00.0/numa_node", "-1"),
    Fact("16 VFs a PF, right behind it (igb nodes)", "kernel", "ls -d 0000:01:00.1 2>/dev/null | wc -l", "0"),
    Fact("kernel crypto by the PF", "kernel", "grep -c qat_ /proc/crypto", "0"),
)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Lab("lab-conformance") as lab:
        lab.down()
        node = lab.start(NodeSpec("qat1", ids=("4940", "4940", "37c8"), driver=True))
        node.run(PREPARE)
        yield node


def answer(node: Node, fact: Fact) -> str:
    return node.run(f"cd /sys/bus/pci/devices; {fact.command}", check=False).stdout.strip()


@pytest.mark.parametrize("fact", SHOWN, ids=lambda fact: fact.name)
def test_the_lab_shows(node: Node, fact: Fact) -> None:
    assert re.fullmatch(fact.pattern, answer(node, fact))


@pytest.mark.parametrize("fact", NOT_SHOWN, ids=lambda fact: fact.name)
def test_the_lab_does_not_show_and_says_so(node: Node, fact: Fact) -> None:
    assert re.fullmatch(fact.pattern, answer(node, fact))
    _before, _heading, admitted = README.read_text(encoding="utf-8").partition("## What it cannot show")
    assert fact.name in admitted.partition("\n## ")[0]
