# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages with which a node module fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.module import run_module

CHECKPOINT = "/var/lib/qatvirt/checkpoint.json"
ROOT = "Expected to run as root on the node itself, with /sys and /proc."


class Exit(Exception):
    """What an AnsibleModule does instead of returning."""


class Module:
    """Remembers what it was told to say."""

    def fail_json(self, msg: str, **_more: Any) -> None:
        raise Exit(msg)


def said(error: OSError) -> str:
    """What a module says of an error."""

    def work(_module: Any) -> dict[str, Any]:
        raise error

    with pytest.raises(Exit) as failure:
        run_module(Module(), work)
    return str(failure.value)


def os_error(code: int, path: str) -> OSError:
    return OSError(code, os.strerror(code), path)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.ENOENT, errno.EROFS])
@pytest.mark.parametrize("path", ["/sys/bus/pci/devices", "/proc/cmdline"])
def test_files_of_the_kernel_that_are_not_there_take_root_and_the_node(code: int, path: str) -> None:
    assert said(os_error(code, path)) == f"{path}: {os.strerror(code)}. {ROOT}"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_file_system_is_named(code: int) -> None:
    text = said(os_error(code, CHECKPOINT))
    assert text.startswith(f"{CHECKPOINT}: {os.strerror(code)}. The file system of /var/lib/qatvirt is full")
    assert "free space there and run again" in text
    assert ROOT not in text


def test_a_read_only_file_system_is_named() -> None:
    assert "The file system of /var/lib/qatvirt is mounted read-only" in said(os_error(errno.EROFS, CHECKPOINT))


def test_an_own_file_that_must_not_be_read_takes_root() -> None:
    text = said(os_error(errno.EACCES, CHECKPOINT))
    assert text.startswith(f"{CHECKPOINT}: Permission denied. Expected to run as root (become: true)")
    assert "/sys" not in text


@pytest.mark.parametrize(
    ("code", "path"), [(errno.EIO, CHECKPOINT), (errno.EIO, "/sys/bus/pci/devices"), (errno.ENOENT, "/etc/x")]
)
def test_any_other_error_gets_no_false_remedy(code: int, path: str) -> None:
    assert said(os_error(code, path)) == f"{path}: {os.strerror(code)}."


def test_a_write_that_fails_names_the_file_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """write(2) itself names no file, and Python's temporary file is no file a person knows."""
    files = Files(str(tmp_path))
    files.replace(CHECKPOINT, "old")

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        files.replace(CHECKPOINT, "new")
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, CHECKPOINT)
    assert files.read(CHECKPOINT) == "old"
    assert [path.name for path in (tmp_path / "var/lib/qatvirt").iterdir()] == ["checkpoint.json"]
