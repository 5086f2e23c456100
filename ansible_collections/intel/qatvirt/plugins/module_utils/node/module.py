# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way in and out of every node module: what it returns, or the error as a person reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import CheckpointError, PolicyError, Unmet


def run_module(module: Any, work: Callable[[Any], dict[str, Any]]) -> None:
    """Exit ``module`` (an AnsibleModule) with what ``work`` returns, or fail it with what ``work`` raised."""
    try:
        result = work(module)
    except PolicyError as error:
        module.fail_json(msg=f"the policy cannot be carried out, nothing was changed: {error}", problems=error.messages)
    except (Unmet, CheckpointError) as error:
        module.fail_json(msg=f"nothing was changed: {error}")
    except OSError as error:
        module.fail_json(
            msg=f"{error.filename}: {error.strerror}. Expected to run as root on the node itself, with /sys and /proc."
        )
    module.exit_json(**result)


def run_command(module: Any, command: list[str]) -> str:
    """Output of a command that has to succeed; fails ``module`` with what the command said when it does not."""
    code, out, err = module.run_command(command)
    if code:
        module.fail_json(
            msg="{0} failed with exit code {1}: {2}".format(" ".join(command), code, err.strip() or out.strip())
        )
    return str(out)
