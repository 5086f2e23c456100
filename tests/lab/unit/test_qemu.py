# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/qemu.py: the command line of a node's virtual machine."""

from __future__ import annotations

from pathlib import Path

from lab import NodeSpec, qemu
from lab.image import DiskImage
from lab.network import Network

IMAGE = DiskImage(Path("/cache/image/0123"))


class TestMachine:
    def test_each_pf_is_alone_below_its_own_port(self) -> None:
        words = qemu.hardware(NodeSpec("n", ids=("4940", "37c8", "4944")))
        ports = [word for word in words if word.startswith("pcie-root-port")]
        pfs = [word for word in words if word.startswith("igb")]
        assert len(ports) == len(set(ports)) == 3
        assert [pf.split(",")[1] for pf in pfs] == ["bus=rp0", "bus=rp1", "bus=rp2"]
        assert "type=11,value=qatlab.pf=4940+37c8+4944" in words

    def test_never_more_than_one_processor_and_never_kvm(self) -> None:
        words = qemu.command(NodeSpec("n"), IMAGE, Network(3), 0, restore=False)
        assert words[words.index("-smp") + 1] == "1"
        assert words[words.index("-accel") + 1].startswith("tcg")
        assert not any("kvm" in word for word in words)

    def test_iommu_off_is_a_kernel_argument_and_on_is_the_kernels_default(self) -> None:
        on, off = (
            qemu.command(NodeSpec("n", iommu=iommu), IMAGE, Network(3), 0, restore=False) for iommu in (True, False)
        )
        assert "intel_iommu" not in on[on.index("-append") + 1]
        assert off[off.index("-append") + 1].endswith(" intel_iommu=off")

    def test_grub_decides_on_kernel_arguments_itself(self) -> None:
        words = qemu.command(NodeSpec("n", boot="grub"), IMAGE, Network(3), 0, restore=False)
        assert words[words.index("-kernel") + 1] == str(IMAGE.grub)
        assert "-append" not in words

    def test_hardware_does_not_depend_on_the_name_or_the_lab(self) -> None:
        assert qemu.hardware(NodeSpec("a")) == qemu.hardware(NodeSpec("b", boot="cold", driver=True))
