# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole cluster in a directory: what its control plane knows, and its nodes as snapshots of the same moment.

A cluster that was saved with KubeVirt in it starts in less than a minute; installing KubeVirt under emulation takes
many. Certificates and what etcd has name addresses of the lab's network, so that a saved cluster takes that network
again or does not start. KubeVirt renews its certificates once a day: a saved cluster should be younger.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.processes import Process

_SERVERS = "control-plane"
_KEPT = (f"{_SERVERS}/pki", f"{_SERVERS}/etcd/data", "lab.json", "qatvirt.kubeconfig")
"""Of a lab's directory: all else is made anew by a start of the control plane."""


def copy_servers(lab: Path, directory: Path) -> None:
    """Copy what the control plane of a lab knows; etcd stands still meanwhile."""
    with _still(Process(lab / _SERVERS / "etcd", "etcd")):
        _copy(lab, directory)


def restore_servers(directory: Path, lab: Path) -> None:
    """Give a lab what copy_servers() copied."""
    _copy(directory, lab)


def network_numbers(directory: Path) -> range:
    """The number of the network that the cluster had."""
    number = json.loads((directory / "lab.json").read_text())["network"]
    return range(number, number + 1)


def node_directory(directory: Path, node: str) -> Path:
    """Where the snapshot of a node is, and what the lab remembered of the node."""
    return directory / "nodes" / node


def node_directories(directory: Path) -> list[Path]:
    """The directories of all nodes."""
    return sorted((directory / "nodes").iterdir())


def _copy(source: Path, target: Path) -> None:
    for name in _KEPT:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        elif (source / name).exists():  # the kubeconfig of the plays is there when a play has written it
            shutil.copy(source / name, target / name)


@contextmanager
def _still(process: Process) -> Iterator[None]:
    """A process stands still for the block."""
    pid = process.pid()
    assert pid, f"{process.program} does not run"
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
