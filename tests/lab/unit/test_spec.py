# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/spec.py: what a person writes about a node, and what the lab makes of it."""

from __future__ import annotations

import pytest

from lab import LabError, NodeSpec


class TestSpec:
    def test_a_name_is_enough(self) -> None:
        assert NodeSpec.parse("qat1") == NodeSpec("qat1", "igb", ("4940", "4940"), 0, True, False, 1024, "snapshot")

    def test_all_words(self) -> None:
        text = "n:donor=nvme,ids=4940+37c8+4946,iommu=off,driver=on,memory=1536,boot=grub"
        assert NodeSpec.parse(text) == NodeSpec("n", "nvme", ("4940", "37c8", "4946"), 0, False, True, 1536, "grub")

    @pytest.mark.parametrize(
        ("text", "ids"),
        [
            ("n:pfs=4", ("4940",) * 4),
            ("n:ids=4944", ("4944",) * 2),
            ("n:ids=37C8,pfs=1", ("37c8",)),
            ("n:ids=4940+4942", ("4940", "4942")),
        ],
    )
    def test_ids_and_number_of_pfs(self, text: str, ids: tuple[str, ...]) -> None:
        assert NodeSpec.parse(text).ids == ids

    def test_nvme_is_booted_since_it_cannot_be_snapshot(self) -> None:
        assert NodeSpec.parse("n:donor=nvme").boot == "cold"
        assert NodeSpec.parse("n", boot="grub").boot == "grub"
        assert NodeSpec.parse("n:boot=cold", boot="grub").boot == "cold"

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("Qat_1", "Qat_1"),
            ("n:donor=e1000", "e1000"),
            ("n:ids=1234", "1234"),
            ("n:ids=4940+4942,pfs=3", "pfs=3"),
            ("n:pfs=0", "0 PFs"),
            ("n:pfs=13", "13 PFs"),
            ("n:pfs=two", "pfs=two"),
            ("n:iommu=maybe", "iommu=maybe"),
            ("n:memory=64", "memory=64"),
            ("n:domain=65536", "domain=65536"),
            ("n:domain=1,boot=grub", "PCI domain"),
            ("n:color=red", "color"),
            ("n:iommu", "iommu"),
            ("n:donor=nvme,boot=snapshot", "nvme"),
        ],
    )
    def test_what_it_does_not_understand_is_named(self, text: str, named: str) -> None:
        with pytest.raises(LabError, match=named):
            NodeSpec.parse(text)
