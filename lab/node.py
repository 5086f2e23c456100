# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running node, as tests and people use it."""

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
"""Lines of a node's console that an error shows."""


@dataclass(frozen=True)
class Node:
    """A node of a lab.

    address: IPv4. ssh_config: file for "ssh -F" and for programs that call ssh. source: name of the snapshot that the
    node was started from, if any.
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

        Raises LabError with the command's output when check is set and the command fails.
        """
        done = subprocess.run(
            ["ssh", "-F", self.ssh_config, self.address, command],
            input=stdin or "",  # without input of its own, ssh would read that of the calling script
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            output = f"{done.stdout}{done.stderr}".rstrip()
            raise LabError(f"{self.name}: '{command}' failed with exit code {done.returncode}:\n{output}")
        return done

    def read(self, path: str) -> str:
        """The content of a file on the node."""
        return self.run(f"cat {quote(path)}").stdout

    def write(self, path: str, text: str) -> None:
        """Write a file on the node, to sysfs in one write(2). Raises LabError with the kernel's error."""
        self.run(f"cat > {quote(path)}", stdin=text)

    def boot_id(self) -> str:
        """The kernel's id of the current boot."""
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def reboot(self) -> None:
        """Reboot the node through its own init and wait until its sshd answers again."""
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
        raise self.unreachable("does not answer after a reboot")

    def wait_for_ssh(self) -> None:
        """Wait until the node's sshd lets the lab in. Raises LabError when the machine ends or stays silent."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if failure := self.machine.failure():
                raise self.unreachable(failure)
            if _greets(self.address) and self.run("true", check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise self.unreachable(f"does not answer ssh at {self.address}")

    def forget_connection(self) -> None:
        """End the shared ssh connection to the node, which does not survive a reboot."""
        subprocess.run(["ssh", "-F", self.ssh_config, "-O", "exit", self.address], capture_output=True, check=False)

    def end_connections(self) -> None:
        """End all ssh connections to the node before it is saved.

        A saved connection hangs in each copy of the node, and so do, for minutes, all commands that share it.
        """
        self.run("pkill -x sshd-session", check=False)  # ends the connection of this command, too

    def unreachable(self, what: str) -> LabError:
        """The error for a node that does not answer: what happened, and the last lines of the node's console."""
        log = self.machine.console
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-CONSOLE_LINES:]) if log.exists() else ""
        return LabError(f"{self.name}: {what}. The end of its console, {log}:\n{tail}")


def _greets(address: str) -> bool:
    """Whether an ssh server greets at this address."""
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
