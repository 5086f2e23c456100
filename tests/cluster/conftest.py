# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster with KubeVirt for the session: emulated nodes take many minutes to deploy it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Lab
from lab.cluster.profiles import DEFAULT, PROFILES


@pytest.fixture(scope="session")
def big_lab() -> Iterator[Lab]:
    """The lab of the walk in lab/cluster/README.md, not started: who needs it starts it."""
    with Lab("walk", PROFILES[DEFAULT]) as lab:
        lab.down()
        yield lab
