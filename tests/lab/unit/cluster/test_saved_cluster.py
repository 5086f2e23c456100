# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/cluster/saved_cluster.py: what is kept of a control plane."""

from __future__ import annotations

import json
from pathlib import Path

from lab.cluster import saved_cluster


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_keys_and_data_come_back_and_what_a_start_makes_anew_is_left_out(tmp_path: Path) -> None:
    kept = {"control-plane/pki/ca.key", "control-plane/etcd/data/member/wal/0.wal", "lab.json", "qatvirt.kubeconfig"}
    anew = {"control-plane/etcd/log", "control-plane/registry/blob", "kubeconfig", "ssh_config", "nodes/qat1/node.json"}
    saved, lab = tmp_path / "saved", tmp_path / "lab"
    for name in kept | anew:
        file = saved / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    lab.mkdir()
    saved_cluster.restore_servers(saved, lab)
    assert files(lab) == kept


def test_a_cluster_that_no_play_has_seen_has_no_kubeconfig_of_the_plays(tmp_path: Path) -> None:
    saved, lab = tmp_path / "saved", tmp_path / "lab"
    saved.mkdir()
    lab.mkdir()
    (saved / "lab.json").write_text("{}")
    saved_cluster.restore_servers(saved, lab)
    assert files(lab) == {"lab.json"}


def test_the_network_of_a_saved_cluster_is_the_one_it_had(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text(json.dumps({"network": 240, "profile": "kubernetes"}))
    assert list(saved_cluster.network_numbers(tmp_path)) == [240]


def test_nodes_have_directories_of_their_own(tmp_path: Path) -> None:
    for name in ("qat2", "qat1"):
        saved_cluster.node_directory(tmp_path, name).mkdir(parents=True)
    assert [path.name for path in saved_cluster.node_directories(tmp_path)] == ["qat1", "qat2"]
