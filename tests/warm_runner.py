# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers calls of Ansible modules from one Python process: python3 warm_runner.py PORT MODULE...

Runs on a lab node or on this host (tests/warm.py starts it). What Ansible pays for with each call, the start of an
interpreter and all imports, is paid once: the process imports the modules, listens at a port of the loopback address
and forks for each call. A call is a JSON object (name, arguments) up to the end of the stream. The answer is a JSON
object too: what the module wrote to stdout and to stderr. Only the standard library and what modules import anyway.

It ends with its standard input, if that is a pipe.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import select
import signal
import socket
import stat
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from types import ModuleType

from ansible.module_utils.testing import patch_module_args

PACKAGE = "ansible_collections.intel.qatvirt.plugins.modules"


def main() -> None:
    """Import the modules and answer calls until standard input ends."""
    port, names = int(sys.argv[1]), sys.argv[2:]
    modules = {name: importlib.import_module(f"{PACKAGE}.{name}") for name in names}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the exit codes of the forks
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(listener.getsockname()[1], flush=True)
        with suppress(BrokenPipeError):
            serve(listener, modules)


def serve(listener: socket.socket, modules: dict[str, ModuleType]) -> None:
    """Fork for each connection, until standard input ends."""
    piped = [sys.stdin] if stat.S_ISFIFO(os.fstat(0).st_mode) else []
    while True:
        ready, _writable, _exceptional = select.select([listener, *piped], [], [])
        if sys.stdin in ready:
            return
        connection, _address = listener.accept()
        with connection:
            if os.fork() == 0:
                listener.close()
                answer(connection, modules)


def answer(connection: socket.socket, modules: dict[str, ModuleType]) -> None:
    """Run the module that is called, say what it wrote, and end this process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    call = json.loads(connection.makefile().read())
    connection.sendall(json.dumps(run(modules[call["name"]], call["arguments"])).encode())
    connection.close()
    os._exit(0)


def run(module: ModuleType, arguments: dict[str, object]) -> dict[str, str]:
    """What a module writes when Ansible calls it with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patch_module_args(arguments):
        try:
            module.main()
        except SystemExit:
            pass
        except BaseException:  # noqa: BLE001  a traceback is what the caller has to see
            traceback.print_exc()
    return {"stdout": out.getvalue(), "stderr": err.getvalue()}


if __name__ == "__main__":
    main()
