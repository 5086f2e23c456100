# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the cluster layer, run against an API server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import find_config_owner
from ansible_collections.intel.qatvirt.plugins.modules import kubevirt_host_devices, kubevirt_placement
from lab.cluster.control_plane import ControlPlane
from tests import warm

ROOT = Path(__file__).resolve().parents[2]


def module(name: str, *options: str, **parameters: Any) -> dict[str, Any]:
    """What intel.qatvirt.<name> returns on this host. options: --check, as on Ansible's command line."""
    assert set(options) <= {"--check"}
    given = {key: str(value) if isinstance(value, Path) else value for key, value in parameters.items()}
    return warm.here(name, check="--check" in options, **given)


@dataclass
class Asked:
    """What of a module the API and a module's work look at."""

    params: dict[str, Any]
    check_mode: bool = False
    server_side_dry_run: bool = False
    requires: Callable[..., None] = field(default=lambda *_, **__: None)


@dataclass
class Cluster:
    """The API server as modules see it, in this process."""

    server: ControlPlane

    @property
    def api(self) -> Api:
        return Api(self._asked({}, False))

    def run(self, work: Any, check: bool = False, **parameters: Any) -> dict[str, Any]:
        """What a module returns."""
        asked = self._asked(parameters, check)
        result: dict[str, Any] = work.run(asked, Api(asked))
        return result

    def permit(self, *entries: dict[str, Any], state: str = "present", check: bool = False) -> dict[str, Any]:
        return self.run(kubevirt_host_devices, check, entries=list(entries), state=state)

    def place(self, state: str = "present", check: bool = False) -> dict[str, Any]:
        return self.run(kubevirt_placement, check, state=state)

    def make(self, item: dict[str, Any]) -> None:
        """As its owner makes it: kubectl leaves an annotation with all of it."""
        self.server.kubectl("apply", "-f", "-", text=json.dumps(item))

    def read(self) -> dict[str, Any]:
        return self.api.get(find_config_owner(self.api).url)

    def define(self, definition: dict[str, Any]) -> None:
        name, kind = definition["metadata"]["name"], definition["spec"]["names"]["kind"]
        self.server.kubectl("create", "-f", "-", text=json.dumps(definition))
        # Not by the condition alone: of a definition without a status yet, kubectl wait makes an error.
        self.server.kubectl("wait", f"crd/{name}", f"--for=jsonpath={{.status.acceptedNames.kind}}={kind}")
        self.server.kubectl("wait", f"crd/{name}", "--for=condition=Established", "--timeout=60s")
        self._until(lambda: all(self.api.find(path) for path in _collections(definition)))

    def forget(self, definition: dict[str, Any]) -> None:
        self.server.kubectl("delete", "crd", definition["metadata"]["name"])
        self._until(lambda: not any(self.api.find(path) for path in _collections(definition)))

    def _asked(self, parameters: dict[str, Any], check: bool) -> Asked:
        return Asked({"kubeconfig": str(self.server.kubeconfig), **parameters}, check)

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.2)


def _collections(definition: dict[str, Any]) -> list[str]:
    spec = definition["spec"]
    return [f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}" for version in spec["versions"]]
