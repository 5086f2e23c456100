# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of running nodes: a disk with the machine's state in it, and what it takes to load it."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import qemu
from lab.errors import LabError
from lab.paths import cache_root, digest, remove_tree
from lab.spec import NodeSpec


@dataclass(frozen=True)
class Snapshot:
    """A saved machine in a directory. ticket: what must be the same when it is loaded (see ticket())."""

    directory: Path
    machine: dict[str, Any]
    ticket: str

    @property
    def disk(self) -> Path:
        return self.directory / "disk.qcow2"

    def spec(self, name: str) -> NodeSpec:
        """The node that this snapshot starts as, under another name."""
        return NodeSpec(name=name, **{**self.machine, "ids": tuple(self.machine["ids"])})


def ticket(spec: NodeSpec, image_key: str) -> str:
    """What a snapshot is bound to: QEMU loads it only into the same hardware, with the same image behind its disk."""
    return digest(qemu.version(), image_key, *qemu.hardware(spec), json.dumps(spec.machine()))


def load(directory: Path) -> Snapshot:
    """Read what write() wrote."""
    fields = json.loads((directory / "snapshot.json").read_text())
    return Snapshot(directory, fields["machine"], fields["ticket"])


def write(directory: Path, spec: NodeSpec, image_key: str) -> Snapshot:
    """Describe the snapshot whose disk is (or will be) in directory."""
    snapshot = Snapshot(directory, spec.machine(), ticket(spec, image_key))
    fields = dataclasses.asdict(snapshot)
    del fields["directory"]
    (directory / "snapshot.json").write_text(json.dumps(fields, indent=1))
    return snapshot


def is_snapshot(disk: Path) -> bool:
    """Whether a disk comes with a saved machine in it."""
    return (disk.parent / "snapshot.json").exists()


def named(name: str) -> Path:
    """Where the snapshot that a person called so is, or would be. Raises LabError for a name that is none."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,60}", name):
        raise LabError(f"snapshot name '{name}': expected at most 61 letters, digits, '.', '_' and '-'.")
    return cache_root() / "snapshots" / name


def find(name: str, image_key: str) -> Snapshot:
    """A snapshot by its name. Raises LabError where there is none, or one that cannot be loaded any more."""
    directory = named(name)
    if not (directory / "snapshot.json").exists():
        known = sorted(path.parent.name for path in directory.parent.glob("*/snapshot.json"))
        raise LabError(f"no snapshot '{name}'. There are: {', '.join(known) or 'none'}.")
    snapshot = load(directory)
    if snapshot.ticket != ticket(snapshot.spec("x"), image_key):
        raise LabError(
            f"snapshot '{name}' was made with another QEMU or another node image and cannot be loaded: "
            f"make it again (and remove {directory})."
        )
    return snapshot


def replace(new: Path, name: str) -> None:
    """Put a finished snapshot directory where find() looks, in place of an older one of that name."""
    final = named(name)
    remove_tree(final)
    new.rename(final)
