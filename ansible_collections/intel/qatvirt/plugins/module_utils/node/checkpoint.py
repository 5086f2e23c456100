# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkpoint: what the node was before the first change, so that ``state: absent`` can put it back.

One JSON file, ``/var/lib/qatvirt/checkpoint.json``, in sections: ``pfs``, ``host_files`` (of qat_host), ``boot_files``
(of qat_boot), ``kernel_args`` and ``modules``. An entry is recorded once, before the first change, and dropped once the
node is back to it.
"""

from __future__ import annotations

import json
from typing import Any

from ..errors import CheckpointError
from .files import Files
from .model import Pf
from .plan import PfTarget, VfTarget, target_of

CHECKPOINT = "/var/lib/qatvirt/checkpoint.json"
_VERSION = 1


class Checkpoint:
    """Content of the file. Every change is written at once."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._data: dict[str, Any] = {"version": _VERSION}
        text = files.read(CHECKPOINT)
        if text is not None:
            self._data = _parse(text)

    def section(self, name: str) -> dict[str, Any]:
        """Entries of a section, by key."""
        return dict(self._data.get(name, {}))

    def record(self, section: str, key: str, value: object) -> None:
        """Record what something was. An entry that exists already stays as it is."""
        if key not in self._data.get(section, {}):
            self._data.setdefault(section, {})[key] = value
            self._save()

    def forget(self, section: str, key: str) -> None:
        """Drop an entry that the node is back to. The file goes with its last entry."""
        entries = self._data.get(section, {})
        if key in entries:
            del entries[key]
            if not entries:
                del self._data[section]
            self._save()

    def _save(self) -> None:
        if set(self._data) == {"version"}:
            self._files.remove(CHECKPOINT)
        else:
            self._files.replace(CHECKPOINT, json.dumps(self._data, indent=2, sort_keys=True) + "\n", 0o600)


def _parse(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
        version = data["version"]
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{CHECKPOINT} is damaged ({error!r}); it records what this node was before the first change. Restore the "
            "file from a backup, or move it away: state absent then cannot put the node back"
        ) from error
    if version != _VERSION:
        raise CheckpointError(
            f"{CHECKPOINT} has version {version!r}, expected {_VERSION}; use the collection version that wrote it"
        )
    return dict(data)


def record_pf(checkpoint: Checkpoint, pf: Pf) -> None:
    """Record a PF as it is."""
    target = target_of(pf)
    checkpoint.record(
        "pfs",
        pf.address,
        {
            "services": None if target.services is None else sorted(target.services),
            "state": target.state,
            "autoprobe": target.autoprobe,
            "vfs": [[vf.driver, vf.override] for vf in target.vf_targets],
            "attached": target.attached,
        },
    )


def recorded_pfs(checkpoint: Checkpoint) -> dict[str, PfTarget]:
    """The recorded PFs as targets to go back to, by address."""
    return {
        address: PfTarget(
            services=None if entry["services"] is None else frozenset(entry["services"]),
            state=entry["state"],
            autoprobe=entry["autoprobe"],
            vf_targets=tuple(VfTarget(driver, override) for driver, override in entry["vfs"]),
            attached=entry["attached"],
        )
        for address, entry in checkpoint.section("pfs").items()
    }
