# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/cluster/images.py: names of the container images, and the user that virt-launcher runs as."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.cluster import images


class TestImages:
    @pytest.mark.parametrize(("version", "user"), [("v1.8.4", ""), ("v1.9.0", "107"), ("v1.10.1", "107")])
    def test_the_launcher_runs_as_the_node_labeller_of_its_release_needs(self, version: str, user: str) -> None:
        assert images.KubeVirtRelease(version, Path(), Path()).launcher_user == user

    def test_names_have_the_registry_of_every_lab(self) -> None:
        assert images.name("virt-api", "v1.8.4") == "registry.lab:5000/virt-api:v1.8.4"
        assert images.qat_plugin() == "registry.lab:5000/intel-qat-plugin:0.36.0"
