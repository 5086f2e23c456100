# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that go on when the command that started them has ended, found again by the directory that they live in."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A program that runs in a directory of its own.

    directory: its working directory; its output is in the file log there, its exit code in rc when it has ended.
    program: the name it is started by.
    """

    directory: Path
    program: str

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def start(self, argv: list[str], *, executable: Path | None = None) -> None:
        """Start it in the background. Returns when it runs or has failed.

        executable: the program's file, when it is not on the PATH; it must have the program's name.
        """
        (self.directory / "rc").unlink(missing_ok=True)
        subprocess.Popen(
            ["sh", "-c", '"$@" >log 2>&1; echo $? >rc', "sh", str(executable or self.program), *argv],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while self.pid() is None and self.failure() is None:
            time.sleep(0.02)

    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._living().get(self.program[:15])

    def failure(self) -> str | None:
        """Its exit code and last words when it has ended by itself."""
        rc = self.directory / "rc"
        if not rc.exists():
            return None
        words = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) or "no message"
        return f"{self.program} ended with exit code {rc.read_text().strip()}: {words}"

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Wait until it has ended, and the shell that then writes its exit code."""
        while {self.program[:15], "sh"} & self._living().keys():
            time.sleep(0.05)

    def _living(self) -> dict[str, int]:
        """Id by name of the processes in our directory: the program and the shell that waits for it."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.directory:
                    found[(process / "comm").read_text().strip()] = int(process.name)
            except OSError:
                continue  # ended meanwhile
        return found
