# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support bundle of a real node: what it says is in it, without secrets, and the node is as it was."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from lab import Node
from tests.plays import PFS, POLICY, Site, files, look, play

SECRET = "Zq7hunter2hunter2"


def test_a_node_tells_all_but_secrets_and_one_that_is_gone_stops_nothing(
    site: Site, node: Node, tmp_path: Path
) -> None:
    node.write("/etc/qatvirt/notes", f"api-token: {SECRET}\n")
    node.run(f"echo 'qat: probing with foo.password={SECRET} now' > /dev/kmsg")
    node.run("systemctl restart qatvirt.service")
    inventory = site.with_hosts(tmp_path, {"qat1": {}, "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1}})
    before = look(node), files(node)
    done = play(inventory, "support_bundle", "-vvv", support_bundle_directory=str(tmp_path))
    assert done.code == 0, done.text
    assert SECRET not in done.text
    assert (look(node), files(node)) == before
    (archive,) = tmp_path.glob("qatvirt-support-*.tar.gz")
    with tarfile.open(archive) as packed:
        found = {
            entry.name.partition("/")[2]: packed.extractfile(entry).read().decode()  # type: ignore[union-attr]
            for entry in packed
        }
    assert [path for path, text in found.items() if SECRET in text] == []
    assert "node gone: unreachable" in found["README.txt"]
    told = json.loads(found["nodes/qat1.json"])
    assert told["files"]["/etc/qatvirt/notes"] == "api-token: <removed: token>\n"
    assert json.loads(told["files"]["/etc/qatvirt/policy.json"])["policy"] == POLICY
    assert set(PFS) <= set(told["devices"])
    assert told["devices"][PFS[0]]["qat/state"] == "up"
    assert len(told["devices"]) == len(PFS) + 8 * len(PFS)
    assert told["facts"]["emulated"] is True
    assert told["modules"]["qat_4xxx"]["refcnt"]
    kernel = found["nodes/qat1.kernel.log"]
    assert "probing with foo.password=<removed: password> now\n" in kernel
    assert "DMAR" in kernel
    assert "vfio" in kernel
    assert "qatvirt" in found["nodes/qat1.qatvirt.service.log"]
    for what in told["unreadable"]:
        assert f"not readable: node qat1: {what}: " in found["not-readable.txt"]
