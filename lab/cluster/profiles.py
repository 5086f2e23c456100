# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: the releases that a cluster of the lab can be made of."""

from __future__ import annotations

from dataclasses import dataclass

from lab.cluster import programs
from lab.cluster.programs import GoModule
from lab.errors import LabError


@dataclass(frozen=True)
class Profile:
    """A set of releases.

    kubevirt: KubeVirt's Go module, None for a cluster without KubeVirt. memory: default MiB of a node.
    """

    name: str
    kubevirt: GoModule | None
    memory: int


# Kubernetes 1.35 is the newest release that KubeVirt 1.8 and 1.9 both support.
# A node with KubeVirt's own pods and one test VM (which asks for 1.45 GB) uses 3.5 GB.
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("kubevirt-1.8", programs.KUBEVIRT_1_8, 5120),
        Profile("kubevirt-1.9", programs.KUBEVIRT_1_9, 5120),
        Profile("kubernetes", None, 2048),
    )
}
DEFAULT = "kubevirt-1.8"
"""Name of the profile when none is given."""


def profile(name: str) -> Profile:
    """The profile of that name. Raises LabError when there is none."""
    if name not in PROFILES:
        raise LabError(f"no profile '{name}': expected one of {', '.join(PROFILES)}.")
    return PROFILES[name]
