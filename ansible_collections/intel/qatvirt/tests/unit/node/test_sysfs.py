# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real System on real files. A fifo that no process opens at the other end blocks as the kernel does."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import ReadBlocked, System, WriteBlocked

RUN_ON = """
import os, sys
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System, WriteBlocked
try:
    System(sys.argv[1]).write("/fifo", "0", timeout=0.2)
except WriteBlocked as blocked:
    child = blocked.pid
except BaseException as error:
    print("a second process runs on after", error, flush=True)
    os._exit(1)
open(sys.argv[1] + "/fifo").read()
print("exit status", os.waitpid(child, 0)[1])
"""
"""Gives up a write, lets the kernel go on, and prints what became of the process that was in the write."""


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(str(tmp_path))


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[str]:
    """A fifo; a process left waiting in it goes on when the test ends."""
    os.mkfifo(tmp_path / "fifo")
    yield "/fifo"
    os.close(os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK))


def test_read_strips_and_raises_what_the_kernel_says(system: System, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("up \n")
    assert system.read("/file") == "up"
    with pytest.raises(FileNotFoundError):
        system.read("/missing")


def test_get_is_none_for_what_cannot_be_read(system: System, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    assert system.get("/missing") is None
    assert system.get("/directory") is None


def test_get_bounded_reads_several_files(system: System, tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1\n")
    assert system.get_bounded(["/one", "/missing"]) == {"/one": "1", "/missing": None}


def test_get_bounded_gives_up_on_a_read_that_hangs(system: System, tmp_path: Path, fifo: str) -> None:
    (tmp_path / "one").write_text("1\n")
    with pytest.raises(ReadBlocked, match="another process changes this device") as error:
        system.get_bounded(["/one", fifo], timeout=0.2)
    assert error.value.filename == fifo


def test_link_is_the_last_component_and_target_the_whole(system: System, tmp_path: Path) -> None:
    (tmp_path / "driver").symlink_to("../../bus/pci/drivers/4xxx")
    assert system.link("/driver") == "4xxx"
    assert system.target("/driver") == "../../bus/pci/drivers/4xxx"
    assert system.link("/missing") is None


def test_names_are_sorted_and_empty_for_no_directory(system: System, tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).touch()
    assert system.names("/") == ["a", "b"]
    assert system.names("/missing") == []


def test_write_writes(system: System, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    system.write("/file", "vfio-pci")
    assert (tmp_path / "file").read_text() == "vfio-pci"


def test_write_makes_no_file_and_raises_the_errno(system: System, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        system.write("/missing", "1")
    assert error.value.filename == "/missing"
    with pytest.raises(IsADirectoryError):
        system.write("/", "1")


def test_write_that_blocks_is_given_up_on(system: System, fifo: str) -> None:
    with pytest.raises(WriteBlocked, match=r"has not returned after 0.2 s") as error:
        system.write(fifo, "0", timeout=0.2)
    os.kill(error.value.pid, signal.SIGKILL)
    os.waitpid(error.value.pid, 0)
    assert error.value.errno == errno.ETIMEDOUT


def test_write_says_when_its_process_was_ended(system: System, tmp_path: Path, fifo: str) -> None:
    with pytest.raises(WriteBlocked) as blocked:
        system.write(fifo, "0", timeout=0.2)
    os.kill(blocked.value.pid, signal.SIGKILL)
    os.waitpid(blocked.value.pid, 0)
    (tmp_path / "file").touch()
    system.write("/file", "1")
    assert system._worker is not None
    os.kill(system._worker.pid, signal.SIGKILL)
    with pytest.raises(ChildProcessError, match="was killed by another process"):
        system.write("/file", "2")
    system.write("/file", "3")
    assert (tmp_path / "file").read_text() == "3"


def test_write_that_blocks_keeps_no_file_of_ours_open(system: System, tmp_path: Path, fifo: str) -> None:
    """Ansible and systemd wait for the end of their pipes; a lock is free once the parent releases it."""
    held = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(WriteBlocked) as error:
        system.write(fifo, "0", timeout=0.2)
    os.close(held)
    again = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)
    os.kill(error.value.pid, signal.SIGKILL)
    os.waitpid(error.value.pid, 0)


def test_write_that_blocked_ends_quietly_once_the_kernel_goes_on(tmp_path: Path) -> None:
    """No process listens to the child that stayed in the kernel; it must not go on as a copy of the module."""
    os.mkfifo(tmp_path / "fifo")
    done = subprocess.run(
        [sys.executable, "-c", RUN_ON, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "exit status 0\n"


def test_claim_opens_and_lets_go(system: System, tmp_path: Path) -> None:
    (tmp_path / "group").touch()
    before = len(os.listdir("/proc/self/fd"))
    claim = system.claim("/group")
    assert len(os.listdir("/proc/self/fd")) == before + 1
    claim.release()
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(FileNotFoundError):
        system.claim("/missing")
