# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the collection called through a warm interpreter (tests/warm_runner.py), on a lab node or on this host.

For tests of what a module does. What a play does with modules is tested by plays: tests/plays.py.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import ansible

from lab import Node

ROOT = Path(__file__).resolve().parents[1]
RUNNER = Path(__file__).with_name("warm_runner.py")
ON_NODE = "/run/qatvirt-warm"
"""In memory: nothing of the runner is on the node's disk."""
PORT = 4747
NODE_MODULES = ("qat_boot", "qat_host", "qat_info", "qat_support_node", "qat_vf")
PLUGINS = "ansible_collections/intel/qatvirt/plugins"


def start_on(node: Node) -> None:
    """Start the runner on a node, of which snapshots have it too."""
    node.run(f"mkdir {ON_NODE} && base64 -d | tar -C {ON_NODE} -xz", stdin=_archive())
    serve = f"PYTHONPATH={ON_NODE} python3 {ON_NODE}/{RUNNER.name} {PORT} {' '.join(NODE_MODULES)}"
    node.run(f"({serve}) </dev/null >{ON_NODE}/log 2>&1 & until [ -s {ON_NODE}/log ]; do sleep 0.1; done")
    said = node.read(f"{ON_NODE}/log")
    assert said.split() == [str(PORT)], said


def on_node(node: Node, name: str, check: bool = False, **parameters: Any) -> dict[str, Any]:
    """What intel.qatvirt.<name> returns on a node where the runner was started."""
    done = subprocess.run(
        ["ssh", "-F", node.ssh_config, "-W", f"127.0.0.1:{PORT}", node.address],
        input=_call(name, check, parameters),
        capture_output=True,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    return _result(done.stdout)


def here(name: str, check: bool = False, **parameters: Any) -> dict[str, Any]:
    """What intel.qatvirt.<name> returns on this host."""
    with socket.create_connection(("127.0.0.1", _port_here())) as connection:
        connection.sendall(_call(name, check, parameters))
        connection.shutdown(socket.SHUT_WR)
        return _result(connection.makefile("rb").read())


def _call(name: str, check: bool, parameters: dict[str, Any]) -> bytes:
    return json.dumps({"name": name, "arguments": {**parameters, "_ansible_check_mode": check}}).encode()


def _result(answer: bytes) -> dict[str, Any]:
    """The result in an answer of the runner. A module never says a traceback, nor anything beside its result."""
    wrote = json.loads(answer)
    assert "Traceback" not in wrote["stdout"] + wrote["stderr"], wrote["stdout"] + wrote["stderr"]
    result: dict[str, Any] = json.loads(wrote["stdout"])
    return result


@functools.cache
def _port_here() -> int:
    """Port of the runner on this host, for all modules. It ends with this process, at the end of its standard input."""
    names = sorted(file.stem for file in (ROOT / PLUGINS / "modules").glob("*.py"))
    process = subprocess.Popen(
        [sys.executable, RUNNER, "0", *names],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / ".collections")))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _KEPT.append(process)
    assert process.stdout
    return int(process.stdout.readline())


_KEPT: list[subprocess.Popen[str]] = []
"""The runner on this host: forgotten, its standard input would be closed."""


def _archive() -> str:
    """The runner and all it imports, as a compressed archive in base64."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        archive.add(RUNNER, RUNNER.name)
        for directory in (f"{PLUGINS}/modules", f"{PLUGINS}/module_utils"):
            archive.add(ROOT / directory, directory, filter=_source)
        library = Path(ansible.__file__).parent
        archive.addfile(tarfile.TarInfo("ansible/__init__.py"))  # empty, as Ansible sends it
        archive.add(library / "module_utils", "ansible/module_utils", filter=_source)
    return base64.b64encode(packed.getvalue()).decode()


def _source(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.endswith("__pycache__") else entry
