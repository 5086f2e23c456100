# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/cluster/profiles.py: the releases that a cluster is made of."""

from __future__ import annotations

import pytest

from lab import LabError
from lab.cluster import profiles


class TestProfiles:
    def test_an_unknown_profile_is_said(self) -> None:
        with pytest.raises(LabError, match=r"no profile 'kubevirt-2': expected one of kubevirt-1\.8"):
            profiles.profile("kubevirt-2")

    @pytest.mark.parametrize("profile", profiles.PROFILES.values(), ids=lambda profile: profile.name)
    def test_a_profile_has_the_release_of_its_name(self, profile: profiles.Profile) -> None:
        if profile.kubevirt:
            assert profile.kubevirt.version.startswith(f"v{profile.name.removeprefix('kubevirt-')}.")
