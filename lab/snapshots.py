# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of running nodes: a disk with the machine's state in it, and a file that says what can load the state."""

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
    """A saved machine in a directory.

    machine: the fields of NodeSpec.machine(). ticket: hash of what must be the same when the snapshot is loaded, see
    ticket().
    """

    directory: Path
    machine: dict[str, Any]
    ticket: str

    @property
    def disk(self) -> Path:
        return self.directory / "disk.qcow2"

    def spec(self, name: str) -> NodeSpec:
        """The spec of a node that starts from this snapshot. name: the node's name."""
        return NodeSpec(name=name, **{**self.machine, "ids": tuple(self.machine["ids"])})


def ticket(spec: NodeSpec, image_key: str) -> str:
    """Hash of what a snapshot is bound to: QEMU's version, the machine's hardware and the image behind its disk."""
    return digest(qemu.version(), image_key, *qemu.hardware(spec), json.dumps(spec.machine()))


def load(directory: Path) -> Snapshot:
    """Read the snapshot that write() described in a directory."""
    fields = json.loads((directory / "snapshot.json").read_text())
    return Snapshot(directory, fields["machine"], fields["ticket"])


def write(directory: Path, spec: NodeSpec, image_key: str) -> Snapshot:
    """Write the file that describes the snapshot whose disk is, or will be, in a directory."""
    snapshot = Snapshot(directory, spec.machine(), ticket(spec, image_key))
    fields = dataclasses.asdict(snapshot)
    del fields["directory"]
    (directory / "snapshot.json").write_text(json.dumps(fields, indent=1))
    return snapshot


def is_snapshot(disk: Path) -> bool:
    """Whether a disk belongs to a snapshot, so that it has the state of a machine in it."""
    return (disk.parent / "snapshot.json").exists()


def named(name: str) -> Path:
    """The directory of the snapshot of that name, whether it exists or not. Raises LabError for an invalid name."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,60}", name):
        raise LabError(f"snapshot name '{name}': expected at most 61 letters, digits, '.', '_' and '-'.")
    return cache_root() / "snapshots" / name


def find(name: str, image_key: str) -> Snapshot:
    """The snapshot of that name. Raises LabError when there is none, or when it cannot be loaded any more."""
    directory = named(name)
    if not (directory / "snapshot.json").exists():
        known = sorted(path.parent.name for path in directory.parent.glob("*/snapshot.json"))
        raise LabError(f"no snapshot '{name}'. Snapshots there are: {', '.join(known) or 'none'}.")
    snapshot = load(directory)
    if snapshot.ticket != ticket(snapshot.spec("x"), image_key):
        raise LabError(
            f"snapshot '{name}' was made with another QEMU or another node image and cannot be loaded: "
            f"remove {directory} and save the snapshot again."
        )
    return snapshot


def replace(new: Path, name: str) -> None:
    """Move a finished snapshot directory to where find() reads it, in place of an older snapshot of that name."""
    final = named(name)
    remove_tree(final)
    new.rename(final)
