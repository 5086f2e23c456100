# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the collection writes on a node, and their originals."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.checkpoint import Checkpoint
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.managed_files import ManagedFiles
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import ManagedFile

PATH = "/etc/modprobe.d/qatvirt.conf"
OURS = ManagedFile(PATH, "options vfio-pci disable_denylist=1\n")
GONE = ManagedFile(PATH, None)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(str(tmp_path))


def managed(files: Files) -> ManagedFiles:
    return ManagedFiles(files, Checkpoint(files), "host_files")


def test_put_writes_once(files: Files) -> None:
    assert managed(files).differing([OURS]) == [OURS]
    managed(files).put(OURS)
    assert files.read(PATH) == OURS.content
    assert managed(files).differing([OURS]) == []


def test_put_repairs_content_and_mode(files: Files) -> None:
    managed(files).put(OURS)
    files.replace(PATH, str(OURS.content), 0o600)
    assert managed(files).differing([OURS]) == [OURS]


@pytest.mark.parametrize("original", [None, "options vfio-pci ids=8086:4941\n"])
def test_put_gone_brings_back_what_was_there(files: Files, original: str | None) -> None:
    if original is not None:
        files.replace(PATH, original)
    managed(files).put(OURS)
    files.replace(PATH, "changed by somebody\n")
    managed(files).put(OURS)
    assert managed(files).differing([GONE]) == [GONE]
    managed(files).put(GONE)
    assert files.read(PATH) == original
    assert managed(files).differing([GONE]) == []


def test_diff_shows_both_sides(files: Files) -> None:
    (entry,) = managed(files).diff([OURS])
    assert (entry["before"], entry["after"], entry["after_header"]) == ("", OURS.content, PATH)


def test_diff_names_a_program_instead_of_showing_it(files: Files) -> None:
    (entry,) = managed(files).diff([ManagedFile("/usr/local/lib/x", b"PK\x03\x04\xff\xfe")])
    assert entry["after"] == "(program, 6 bytes)\n"


def test_remove_takes_our_directory_along_and_no_other(files: Files, tmp_path: Path) -> None:
    files.replace("/etc/qatvirt/policy.json", "{}")
    files.replace(PATH, "x")
    files.remove("/etc/qatvirt/policy.json")
    files.remove(PATH)
    files.remove("/etc/never/there")
    assert not (tmp_path / "etc/qatvirt").exists()
    assert (tmp_path / "etc/modprobe.d").exists()
