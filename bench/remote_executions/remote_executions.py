# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback plugin that writes down every module and every command that really goes to a node.

It wraps the two methods of ``ActionBase`` through which each action plugin reaches its host (ansible-core 2.19 to
2.21), before the workers are forked, so that they inherit the wrapping. Tasks that run on the controller only (debug,
assert, set_fact, include) never get there.

The environment variable ``REMOTE_EXECUTIONS`` names the file; one JSON object a line:
``{"host": …, "kind": "module" | "command", "name": …, "task": …}``. A command that is part of a module's transport is
not counted again.
"""

from __future__ import annotations

import functools
import json
import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: remote_executions
type: aggregate
short_description: Write down every remote execution
description:
  - Counts what really goes to a node, for the benchmark of this repository.
"""


def _write_down(action: ActionBase, kind: str, name: str) -> None:
    """Append one line. Opened for appending, one short write(2) is not mixed up with those of other workers."""
    connection = action._connection
    if connection.transport == "local":
        return
    line = {"host": action._play_context.remote_addr, "kind": kind, "name": name, "task": action._task.get_name()}
    with open(os.environ["REMOTE_EXECUTIONS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _count_modules(original: Any) -> Any:
    @functools.wraps(original)
    def execute_module(self: ActionBase, module_name: str | None = None, **kwargs: Any) -> Any:
        _write_down(self, "module", module_name or self._task.action)
        self._qatvirt_depth = getattr(self, "_qatvirt_depth", 0) + 1
        try:
            return original(self, module_name=module_name, **kwargs)
        finally:
            self._qatvirt_depth -= 1

    return execute_module


def _count_commands(original: Any) -> Any:
    @functools.wraps(original)
    def execute_command(self: ActionBase, cmd: str, *args: Any, **kwargs: Any) -> Any:
        if not getattr(self, "_qatvirt_depth", 0):
            _write_down(self, "command", cmd)
        return original(self, cmd, *args, **kwargs)

    return execute_command


class CallbackModule(CallbackBase):
    """Nothing is printed; the wrapping is all there is."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "remote_executions"

    def __init__(self) -> None:
        super().__init__()
        ActionBase._execute_module = _count_modules(ActionBase._execute_module)
        ActionBase._low_level_execute_command = _count_commands(ActionBase._low_level_execute_command)
