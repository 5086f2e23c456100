# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running lab node, as tests and people use it."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from lab.errors import LabError
from lab.qemu import Machine
from lab.spec import NodeSpec

PATIENCE = 600.0
"""Seconds until a node that does not answer is given up: a cold boot takes 30 on two idle cores, 200 on busy ones."""

CONSOLE_LINES = 10


@dataclass(frozen=True)
class Node:
    """A node of a lab.

    address: IPv4. ssh_config: for "ssh -F" and all that is built on it. source: the named snapshot it started from.
    """

    spec: NodeSpec
    address: str
    machine: Machine
    ssh_config: Path
    source: str | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    def run(self, command: str, *, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root on the node.

        Raises LabError when check is set and the command fails; the text has its output.
        """
        done = subprocess.run(
            ["ssh", "-F", self.ssh_config, self.address, command],
            input=stdin or "",  # ssh would eat that of a script
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            output = f"{done.stdout}{done.stderr}".rstrip()
            raise LabError(f"{self.name}: '{command}' failed with exit code {done.returncode}:\n{output}")
        return done

    def read(self, path: str) -> str:
        """Content of a file on the node."""
        return self.run(f"cat {quote(path)}").stdout

    def write(self, path: str, text: str) -> None:
        """Write a file on the node; for sysfs, one write(2). Raises LabError with what the kernel answered."""
        self.run(f"cat > {quote(path)}", stdin=text)

    def boot_id(self) -> str:
        """The kernel's id of the present boot."""
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def reboot(self) -> None:
        """Reboot through the node's own init and wait until it answers again."""
        before = self.boot_id()
        self.run("systemctl reboot", check=False)
        self.forget_connection()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.wait_for_ssh()
            after = self.run("cat /proc/sys/kernel/random/boot_id", check=False)
            if after.returncode == 0 and after.stdout.strip() != before:
                return
            self.forget_connection()
            time.sleep(0.5)
        raise self.silence("did not come back from a reboot")

    def wait_for_ssh(self) -> None:
        """Wait until sshd lets us in. Raises LabError when the machine ends or stays silent."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if failure := self.machine.failure():
                raise self.silence(failure)
            if _greets(self.address) and self.run("true", check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise self.silence(f"does not answer ssh at {self.address}")

    def forget_connection(self) -> None:
        """Drop the shared ssh connection: it does not survive the end of a boot."""
        subprocess.run(["ssh", "-F", self.ssh_config, "-O", "exit", self.address], capture_output=True, check=False)

    def end_connections(self) -> None:
        """End all ssh connections to the node: one that is saved hangs in each copy, and who shares it for minutes."""
        self.run("pkill -x sshd-session", check=False)  # this one, too

    def silence(self, what: str) -> LabError:
        """The error that says why a node does not answer and where to look."""
        log = self.machine.console
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-CONSOLE_LINES:]) if log.exists() else ""
        return LabError(f"{self.name}: {what}. The end of its console, {log}:\n{tail}")


def _greets(address: str) -> bool:
    """Whether an ssh server says hello there."""
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
