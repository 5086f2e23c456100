# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real API server that knows KubeVirt's CR, without nodes: what a test says about objects there is what they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from lab import Lab
from lab.cluster import manifests, programs
from lab.cluster.control_plane import ControlPlane
from lab.cluster.profiles import PROFILES

PROFILE = PROFILES["kubevirt-1.8"]


@pytest.fixture(scope="session")
def server() -> Iterator[ControlPlane]:
    """The control plane, for the session. Tests leave it as they found it."""
    assert PROFILE.kubevirt
    with Lab("tests-api", PROFILE) as lab:
        lab.down()
        lab.start_all([])
        operator = manifests.kubevirt_operator(PROFILE.kubevirt, programs.build(PROFILE.kubevirt))
        wanted = [
            item for item in yaml.safe_load_all(operator) if item["kind"] in ("CustomResourceDefinition", "Namespace")
        ]
        lab.control_plane.kubectl("apply", "--server-side", "-f", "-", text=yaml.safe_dump_all(wanted))
        # Not by the condition: of a definition without a status yet, kubectl wait makes an error.
        served = "--for=jsonpath={.status.acceptedNames.kind}=KubeVirt"
        lab.control_plane.kubectl("wait", "crd/kubevirts.kubevirt.io", served, "--timeout=60s")
        yield lab.control_plane
