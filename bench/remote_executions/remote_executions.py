# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback plugin that records every remote execution: each module and each command that goes to a node.

The plugin wraps the two methods of ``ActionBase`` through which each action plugin reaches its host (ansible-core 2.19
to 2.21), before the workers are forked, so that they inherit the wrapping. Tasks that run on the controller only
(debug, assert, set_fact, include) never call these methods.

The environment variable ``REMOTE_EXECUTIONS`` names the file of the records, one JSON object a line:
``{"host": …, "kind": "module" | "command", "name": …, "task": …}``. A command that is part of a module's transport has
no record of its own.
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
short_description: Record every remote execution
description:
  - Records each module and command that goes to a node, for the benchmark of this repository.
"""


def _record(action: ActionBase, kind: str, name: str) -> None:
    """Append one record. In append mode, one short write(2) does not mix with the writes of other workers."""
    connection = action._connection
    if connection.transport == "local":
        return
    line = {"host": action._play_context.remote_addr, "kind": kind, "name": name, "task": action._task.get_name()}
    with open(os.environ["REMOTE_EXECUTIONS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _recording_modules(original: Any) -> Any:
    @functools.wraps(original)
    def execute_module(self: ActionBase, module_name: str | None = None, **kwargs: Any) -> Any:
        _record(self, "module", module_name or self._task.action)
        self._qatvirt_depth = getattr(self, "_qatvirt_depth", 0) + 1
        try:
            return original(self, module_name=module_name, **kwargs)
        finally:
            self._qatvirt_depth -= 1

    return execute_module


def _recording_commands(original: Any) -> Any:
    @functools.wraps(original)
    def execute_command(self: ActionBase, cmd: str, *args: Any, **kwargs: Any) -> Any:
        if not getattr(self, "_qatvirt_depth", 0):
            _record(self, "command", cmd)
        return original(self, cmd, *args, **kwargs)

    return execute_command


class CallbackModule(CallbackBase):
    """The plugin, which wraps the methods when it is loaded and prints nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "remote_executions"

    def __init__(self) -> None:
        super().__init__()
        ActionBase._execute_module = _recording_modules(ActionBase._execute_module)
        ActionBase._low_level_execute_command = _recording_commands(ActionBase._low_level_execute_command)
