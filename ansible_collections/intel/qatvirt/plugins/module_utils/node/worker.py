# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process for reads and writes that may wait inside the kernel, where nothing can interrupt them. Part of the
edge of the node layer, see ``sysfs.py``.

Requests and answers go through a socket, one JSON text a line. The parent gives up after a time and leaves the child
waiting in the kernel.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from typing import Any


class Worker:
    """One child process, which answers its requests in order."""

    def __init__(self) -> None:
        self._socket, child_end = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(child_end)
        child_end.close()
        self._rest = b""

    def ask(self, request: dict[str, str], timeout: float) -> dict[str, Any] | None:
        """The answer to ``{op: write, path, value}`` or ``{op: read, path}``: ``errno`` (0 for success) and, of a read,
        ``text``.

        None where no answer came within ``timeout`` seconds. Raises ChildProcessError where the child was killed. The
        worker cannot be used again after either.
        """
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(_line(request))
            while b"\n" not in self._rest:
                received = self._socket.recv(65536)
                if not received:
                    raise ConnectionResetError
                self._rest += received
        except socket.timeout:
            return None
        except ConnectionError as error:
            text = f"process {self.pid}, which was to {request['op']} this file, was killed by another process"
            raise ChildProcessError(errno.ECHILD, text, request["path"]) from error
        answer, self._rest = self._rest.split(b"\n", 1)
        return dict(json.loads(answer))


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _serve(connection: socket.socket) -> None:
    """Answer connection in the child until its parent ends. Never returns."""
    try:
        os.setsid()
        _drop_other_files(connection.fileno())
        for line in connection.makefile("rb"):
            connection.sendall(_line(_carry_out(**json.loads(line))))
    finally:
        os._exit(0)


def _carry_out(op: str, path: str, value: str = "") -> dict[str, Any]:
    try:
        fd = os.open(path, os.O_WRONLY if op == "write" else os.O_RDONLY)
        try:
            if op == "write":
                os.write(fd, value.encode())
                return {"errno": 0}
            return {"errno": 0, "text": os.read(fd, 65536).decode("utf-8", errors="replace")}
        finally:
            os.close(fd)
    except OSError as error:
        return {"errno": error.errno}


def _drop_other_files(keep: int) -> None:
    """A child that stays in the kernel must hold neither the pipes that Ansible or systemd read to their end nor a vfio
    group."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != keep:
            with contextlib.suppress(OSError):  # the descriptor of the listing is closed already
                os.close(int(name))
