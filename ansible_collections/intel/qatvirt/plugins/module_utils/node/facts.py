# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a node in one structure: what ``qat_info`` returns and every later step of a play works from. Reads
only, through the System and the Files it is given."""

from __future__ import annotations

import json
from typing import Any

from .checkpoint import Checkpoint
from .files import Files
from .holders import KVM, find_holders
from .host import observe_host
from .model import SCHEMA
from .observe import observe_pfs
from .paths import POLICY, STATUS, UNIT, WANTED
from .sysfs import System


def collect(system: System, files: Files) -> dict[str, Any]:
    """Facts of the node as plain data, as the module qat_info documents them."""
    holders = find_holders(system)
    pfs = observe_pfs(system, holders)
    facts = observe_host(system, files, {pf.kind for pf in pfs}, holders.get(KVM, ()))
    return {
        "schema": SCHEMA,
        **facts,
        "pfs": [pf.as_data() for pf in pfs],
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
