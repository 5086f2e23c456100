# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support bundle: what is in it, and that nothing gets in with its secrets."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.support.bundle import README, Files, contents, pack, unread
from ansible_collections.intel.qatvirt.plugins.module_utils.support.redact import redact_text

MADE = "2026-11-25T04:00:00Z"
SECRET = "Zq7hunter2"
NODE = {
    "support": {
        "facts": {"kernel": {"args": ["ro", f"x.password={SECRET}"]}},
        "files": {"/etc/qatvirt/policy.json": "{}", "/etc/qatvirt/notes": f"token: {SECRET}"},
        "logs": {"kernel": f"4xxx 0000:6b:00.0: started\nfoo.secret={SECRET}\n", "kubelet": None},
        "unreadable": {"the journal of kubelet": "this node has no journalctl"},
    }
}
GONE = {"unreachable": True, "msg": f"ssh -o password={SECRET}: no route to host"}
CLUSTER = {
    "support": {
        **{key: [] for key in ("nodes", "kubevirts", "hyperconvergeds", "daemonsets", "pods", "events")},
        "server": "https://10.0.0.1:6443",
        "kubernetes": "v1.35.4",
        "resources": ["intel.com/qat"],
        "machines": [{"spec": {"volumes": [{"cloudInitNoCloud": {"userData": f"#cloud-config\n{SECRET}"}}]}}],
        "logs": {"kubevirt/virt-handler-x/virt-handler.previous": f"Authorization: Bearer {SECRET}\n"},
        "left_out": {"pods": 7},
        "unreadable": {"events of other namespaces": "events is forbidden"},
    }
}


def archive(files: Files) -> dict[str, str]:
    """The files of an archive, by path."""
    with tarfile.open(fileobj=io.BytesIO(pack("bundle", files, 1.0)), mode="r:gz") as packed:
        return {entry.name: packed.extractfile(entry).read().decode() for entry in packed}  # type: ignore[union-attr]


def bundle(**changed: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "node_results": {"qat1": NODE, "qat2": GONE},
        "cluster_result": CLUSTER,
        "report": {"schema": 2},
        **changed,
    }
    found = archive(contents(versions={"ansible-core": "2.19"}, made=MADE, **given))
    return {path.removeprefix("bundle/"): text for path, text in found.items()}


def test_everything_is_in_it_but_the_secrets() -> None:
    found = bundle()
    assert sorted(found) == [
        "README.txt",
        "cluster/cluster.json",
        "cluster/daemonsets.json",
        "cluster/events.json",
        "cluster/hyperconvergeds.json",
        "cluster/kubevirts.json",
        "cluster/logs/kubevirt_virt-handler-x_virt-handler.previous.log",
        "cluster/machines.json",
        "cluster/nodes.json",
        "cluster/pods.json",
        "nodes/qat1.json",
        "nodes/qat1.kernel.log",
        "not-readable.txt",
        "report.json",
        "versions.json",
    ]
    assert [path for path, text in found.items() if SECRET in text] == []
    assert "4xxx 0000:6b:00.0: started\n" in found["nodes/qat1.kernel.log"]
    assert json.loads(found["nodes/qat1.json"])["facts"]["kernel"]["args"] == ["ro", "x.password=<removed: password>"]
    assert "<removed: cloud-init data>" in found["cluster/machines.json"]
    assert json.loads(found["report.json"]) == {"schema": 2}


def test_what_is_missing_is_told() -> None:
    found = bundle()
    assert "node qat2: unreachable: ssh -o password=<removed: password>" in found["README.txt"]
    lines = found["not-readable.txt"].splitlines()
    assert "not readable: node qat1: the journal of kubelet: this node has no journalctl" in lines
    assert "not readable: cluster: events of other namespaces: events is forbidden" in lines
    assert "not readable: cluster: 7 more pods" in lines
    alone = bundle(cluster_result=None, report="report x: no JSON")
    assert "cluster: none was named" in alone["README.txt"]
    assert "not readable: report x: no JSON\n" in alone["not-readable.txt"]
    assert "report.json" not in alone
    assert unread({}, {"msg": "the API server\ncannot be reached"}) == {"cluster": "the API server cannot be reached"}
    assert unread({"qat1": {}}, CLUSTER) == {"node qat1": "it was not asked"}


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "nodes/../../x", "nodes/a b;c", "a//b"])
def test_no_file_leads_out_of_its_directory(path: str) -> None:
    (name,) = archive({path: "x"})
    assert name.startswith("bundle/")
    assert ".." not in name
    assert "//" not in name


@pytest.mark.parametrize(
    "content", [f"password: {SECRET}", {"password": SECRET}, [{"a": json.dumps({"token": SECRET})}]]
)
def test_nothing_gets_in_with_its_secrets(content: Any) -> None:
    found = archive({f"https://u:{SECRET}@host": content})
    assert SECRET not in json.dumps(found)


def test_its_own_words_are_no_secrets() -> None:
    assert redact_text(README) == README
