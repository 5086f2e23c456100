# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background processes that outlive the command that started them; their working directories identify them."""

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
    """A program that runs in the background, in a directory of its own.

    directory: the program's working directory. The file log in it has the program's output, the file rc its exit code
    when it has ended. program: the name that the program is started by.
    """

    directory: Path
    program: str

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def start(self, argv: list[str], *, executable: Path | None = None) -> None:
        """Start the program in the background. Returns when it runs or has failed.

        executable: the program's file when it is not on the PATH; the file must have the program's name.
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
        """The program's process id, None when it does not run."""
        return self._running().get(self.program[:15])

    def failure(self) -> str | None:
        """The exit code and the last lines of output when the program has ended by itself, else None."""
        rc = self.directory / "rc"
        if not rc.exists():
            return None
        output = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) or "no message"
        return f"{self.program} ended with exit code {rc.read_text().strip()}: {output}"

    def kill(self) -> None:
        """End the program at once with SIGKILL."""
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Wait until the program has ended, and so has the shell that writes its exit code."""
        while {self.program[:15], "sh"} & self._running().keys():
            time.sleep(0.05)

    def _running(self) -> dict[str, int]:
        """Ids by name of the processes whose working directory this is: the program and the shell that waits for it."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.directory:
                    found[(process / "comm").read_text().strip()] = int(process.name)
            except OSError:
                continue  # the process has ended meanwhile
        return found
