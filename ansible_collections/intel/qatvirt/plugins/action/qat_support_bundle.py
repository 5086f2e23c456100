# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the support bundle on the controller, so that no secret of a node or the cluster reaches a disk."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import COLLECTION
from ansible_collections.intel.qatvirt.plugins.module_utils.support.bundle import contents, pack, unread

_OPTIONS = {
    "directory": {"type": "path", "required": True},
    "node_results": {"type": "dict", "required": True},
    "cluster_result": {"type": "dict"},
    "report": {"type": "path"},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action that the module ``qat_support_bundle`` documents."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compose the archive and, unless in check mode, write it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(argument_spec=_OPTIONS)
        now = datetime.now(timezone.utc)
        name = f"qatvirt-support-{now:%Y%m%dT%H%M%SZ}"
        report = _report(given["report"])
        results = given["node_results"], given["cluster_result"]
        files = contents(*results, report, _versions(), f"{now:%Y-%m-%dT%H:%M:%SZ}")
        data = pack(name, files, now.timestamp())
        path = os.path.join(os.path.abspath(given["directory"]), f"{name}.tar.gz")
        if not self._task.check_mode:
            _write(path, data)
        result.update(changed=True, path=path, size=len(data), files=sorted(files), unread=unread(*results))
        return result


def _report(path: str | None) -> Any:
    """The report's data, None where the file does not exist, or a sentence why it cannot be read."""
    if not path or not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError) as error:
        return f"report {path}: {error}"
    return data if isinstance(data, dict) else f"report {path}: found a {type(data).__name__}, expected an object"


def _versions() -> dict[str, Any]:
    """Versions of the programs that the bundle is made with."""
    found = {"intel.qatvirt": COLLECTION, "ansible-core": ansible_version, "python": platform.python_version()}
    for package in ("kubernetes", "Jinja2"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return {**found, "controller": platform.platform()}


def _write(path: str, data: bytes) -> None:
    """Write the whole file for its owner only. Raises AnsibleActionFail."""
    directory = os.path.dirname(path)
    try:
        fd, temporary = tempfile.mkstemp(dir=directory, prefix=".qatvirt-support-")  # mode 0600
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise AnsibleActionFail(
            f"the support bundle cannot be written: {directory}: {error.strerror}. Expected a directory on this "
            "controller that is there and can be written to; name another with support_bundle_directory"
        ) from error
