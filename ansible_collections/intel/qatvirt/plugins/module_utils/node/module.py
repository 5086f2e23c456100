# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a node module: it exits with its result, or fails with a message for a person."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable
from typing import Any

from ..errors import CheckpointError, PolicyError, Unmet

_NO_KERNEL_FILES = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.EROFS)
"""Answers below /sys and /proc of a node to a process that is not root, or that is in a container."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def run_module(module: Any, work: Callable[[Any], dict[str, Any]]) -> None:
    """Exit ``module`` (an AnsibleModule) with what ``work`` returns, or fail it with what ``work`` raised."""
    try:
        result = work(module)
    except PolicyError as error:
        module.fail_json(msg=f"the policy cannot be carried out, nothing was changed: {error}", problems=error.messages)
    except (Unmet, CheckpointError) as error:
        module.fail_json(msg=f"nothing was changed: {error}")
    except OSError as error:
        module.fail_json(msg=os_error_text(error))
    module.exit_json(**result)


def os_error_text(error: OSError) -> str:
    """The file, the kernel's words, and what to do where that is certain."""
    path = str(error.filename)
    text = f"{path}: {error.strerror}."
    if error.errno in _NO_KERNEL_FILES and path.startswith(("/sys/", "/proc/")):
        return f"{text} Expected to run as root on the node itself, with /sys and /proc."
    if error.errno in _FULL:
        directory = posixpath.dirname(path)
        return f"{text} The file system of {directory} is full (df -h {directory}): free space there and run again."
    if error.errno == errno.EROFS:
        return f"{text} The file system of {posixpath.dirname(path)} is mounted read-only: mount it writable."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{text} Expected to run as root (become: true) and to be allowed to use this file."
    return text


def run_command(module: Any, command: list[str]) -> str:
    """Output of a command. Fails ``module`` with the command's own words where the command fails."""
    code, out, err = module.run_command(command)
    if code:
        module.fail_json(
            msg="{0} failed with exit code {1}: {2}".format(" ".join(command), code, err.strip() or out.strip())
        )
    return str(out)
