#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what KubeVirt a cluster has, and wait until it is there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubevirt_info
short_description: Tell what KubeVirt a cluster has, and wait until it is really available
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Returns version and state of KubeVirt, who manages it, and what is wrong with it.
  - With O(wait) it waits until KubeVirt is available, of the version that its operator aims at, and not degraded.
    Where it does not get there it fails and says what is in the way, the conditions of the CR, the operator, and each
    pod that is not ready, with what to do.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
attributes:
  diff_mode:
    support: N/A
    details: It changes nothing.
  platform:
    platforms: posix
options:
  wait:
    description: Wait until it is available.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait.
    type: int
    default: 600
  version:
    description: The version it has to have to be there; left out, any.
    type: str
"""

EXAMPLES = r"""
- name: KubeVirt is there
  intel.qatvirt.kubevirt_info:
    wait: true
"""

RETURN = r"""
crd:
  description: Whether the API knows KubeVirt, which its operator's manifest brings.
  type: bool
  returned: success
installed:
  description: Whether there is a KubeVirt CR.
  type: bool
  returned: success
managed_by:
  description: kubevirt, hyperconverged, or null where it is not installed.
  type: str
  returned: success
namespace:
  description: Namespace of the CR, null where it is not installed.
  type: str
  returned: success
name:
  description: Name of the CR, null where it is not installed.
  type: str
  returned: success
observed_version:
  description: The version that runs, null while none does.
  type: str
  returned: success
target_version:
  description: The version its operator aims at, null while it does not say.
  type: str
  returned: success
conditions:
  description: Conditions of the CR as it has them.
  type: list
  elements: dict
  returned: success
available:
  description: Whether it is available, of the version it aims at, and not degraded.
  type: bool
  returned: success
problems:
  description:
    - Why it is not available, with what to do, one sentence each, of the CR, the operator and each pod that is
      not ready.
  type: list
  elements: str
  returned: success
kubernetes_version:
  description: Version of the API server.
  type: str
  returned: success
  sample: v1.35.4
"""

import time
from collections.abc import Callable
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt import (
    describe,
    describe_operator,
    is_available,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import (
    HYPERCONVERGEDS,
    find_kubevirt,
    list_kubevirts,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import Object, name_of
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.pods import pod_trouble
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, NoKubeVirt, Refused

POLL = 3.0


def main() -> None:
    """Entry point."""
    options = {
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 600},
        "version": {"type": "str"},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Read, or wait and read."""
    kubernetes = api.get("/version")["gitVersion"]
    if module.params["wait"] and not module.check_mode:
        await_available(api, module.params["version"], module.params["wait_timeout"])
    item, problems = look(api)
    status = item.get("status", {}) if item else {}
    hyperconverged = item is not None and any(api.find_all(collection) for collection in HYPERCONVERGEDS)
    return {
        "changed": False,
        "crd": item is not None or list_kubevirts(api) is not None,
        "installed": item is not None,
        "managed_by": None if item is None else "hyperconverged" if hyperconverged else "kubevirt",
        "namespace": item["metadata"]["namespace"] if item else None,
        "name": name_of(item) if item else None,
        "observed_version": status.get("observedKubeVirtVersion"),
        "target_version": status.get("targetKubeVirtVersion"),
        "conditions": status.get("conditions") or [],
        "available": item is not None and is_available(item, None),
        "problems": problems,
        "kubernetes_version": kubernetes,
    }


def look(api: Api) -> tuple[Object | None, list[str]]:
    """KubeVirt's CR, and why KubeVirt is not available."""
    try:
        item = find_kubevirt(api)
    except NoKubeVirt as error:
        return None, [str(error)]
    return item, [] if is_available(item, None) else diagnose(api, item, None)


def await_available(api: Api, version: str | None, timeout: int) -> None:
    """Wait for it. Raises Refused that says what is in the way."""
    deadline = time.monotonic() + timeout
    while not is_available(item := find_kubevirt(api), version):
        left = deadline - time.monotonic()
        if left <= 0:
            told = ". ".join(diagnose(api, item, version))
            raise Refused(f"KubeVirt is not available after {timeout} s. {told}")
        time.sleep(min(POLL, left))


def diagnose(api: Api, item: Object, version: str | None) -> list[str]:
    """Why it is not there: CR, operator, pods."""
    namespace = item["metadata"]["namespace"]
    wanted = f"expected version {version}" if version else "expected Available, and the version its operator aims at"
    return [
        f"{describe(item)}; {wanted}",
        *_seen(lambda: [describe_operator(api.list(f"/apis/apps/v1/namespaces/{namespace}/deployments"))]),
        *_seen(lambda: [text for pod in api.list(f"/api/v1/namespaces/{namespace}/pods") for text in pod_trouble(pod)]),
        f"See kubectl -n {namespace} logs deployment/virt-operator",
    ]


def _seen(look_at: Callable[[], list[str]]) -> list[str]:
    """A part of a diagnosis; what may not be looked at must not hide the rest of it."""
    try:
        return look_at()
    except ApiError as error:
        return [str(error)]


if __name__ == "__main__":
    main()
