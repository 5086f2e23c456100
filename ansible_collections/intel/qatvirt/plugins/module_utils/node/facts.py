# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about a node in one structure: what ``qat_info`` returns and every later step of a play works from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from .boot import POLICY, STATUS, UNIT, WANTED
from .checkpoint import Checkpoint
from .files import Files
from .holders import KVM, find_holders
from .host import observe_host
from .plan import Vfio
from .state import Pf, observe_pfs, pf_from_dict
from .sysfs import System

SCHEMA = 2


def collect(system: System, files: Files) -> dict[str, Any]:
    """Facts of the running node as plain data (documented in the module qat_info)."""
    holders = find_holders(system)
    pfs = observe_pfs(system, holders)
    facts = observe_host(system, files, {pf.kind for pf in pfs}, holders.get(KVM, ()))
    return {
        "schema": SCHEMA,
        **facts,
        "pfs": [asdict(pf) for pf in pfs],
        "boot": {
            "installed": files.read(UNIT) is not None,
            "enabled": system.exists(WANTED),
            "policy": _json(files.read(POLICY)),
            "status": _json(files.read(STATUS)),
        },
        "kernel_args_set": sorted(Checkpoint(files).section("kernel_args")),
    }


def _json(text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None


def pfs_of(facts: dict[str, Any]) -> tuple[Pf, ...]:
    """The PFs of collected facts. Raises ValueError for facts that are missing or of another schema."""
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise ValueError(
            "these are no facts of intel.qatvirt.qat_info (schema {0!r}, expected {1}); run that module first".format(
                facts.get("schema") if isinstance(facts, dict) else facts, SCHEMA
            )
        )
    return tuple(pf_from_dict(pf) for pf in facts["pfs"])


def vfio_of(facts: dict[str, Any]) -> Vfio:
    return Vfio(facts["vfio"]["loaded"], facts["vfio"]["denylist_disabled"])
