#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the version and state of KubeVirt, and wait until KubeVirt is available."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubevirt_info
short_description: Read the version and state of KubeVirt, and wait until it is available
version_added: 0.2.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Returns the version and state of KubeVirt, who manages KubeVirt, and its problems.
  - With O(wait) the module waits until KubeVirt is available, of the version that its operator aims at, and not
    degraded. After O(wait_timeout) the module fails, and names the conditions of the CR, the state of the operator, and
    each pod that is not ready, with what to do.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
attributes:
  diff_mode:
    support: N/A
    details: The module changes nothing.
  platform:
    platforms: posix
options:
  wait:
    description: Whether to wait until KubeVirt is available. In check mode the module does not wait.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait.
    type: int
    default: 600
  version:
    description: The version to wait for; without this option any version that the operator aims at.
    type: str
"""

EXAMPLES = r"""
- name: Wait until KubeVirt is available
  intel.qatvirt.kubevirt_info:
    wait: true
"""

RETURN = r"""
crd:
  description: Whether the API knows the kind KubeVirt, which the manifest of its operator defines.
  type: bool
  returned: success
installed:
  description: Whether the cluster has a KubeVirt CR.
  type: bool
  returned: success
managed_by:
  description: V(kubevirt) or V(hyperconverged); null where KubeVirt is not installed.
  type: str
  returned: success
namespace:
  description: Namespace of the CR; null where KubeVirt is not installed.
  type: str
  returned: success
name:
  description: Name of the CR; null where KubeVirt is not installed.
  type: str
  returned: success
observed_version:
  description: The version that runs; null while no version runs.
  type: str
  returned: success
target_version:
  description: The version that the operator aims at; null while the operator does not tell it.
  type: str
  returned: success
conditions:
  description: Conditions of the CR, unchanged.
  type: list
  elements: dict
  returned: success
available:
  description: Whether KubeVirt is available, of the version that its operator aims at, and not degraded.
  type: bool
  returned: success
problems:
  description:
    - Why KubeVirt is not available, with what to do. One sentence each for the CR, the operator, and each pod that is
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
    find_hyperconvergeds,
    find_kubevirt,
    list_kubevirts,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import Object, name_of
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.pods import pod_trouble
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, NoKubeVirt, Refused

POLL = 3.0
"""Seconds between two reads of the CR."""


def main() -> None:
    """Run the module."""
    options = {
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 600},
        "version": {"type": "str"},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Wait where that is asked for, then read."""
    kubernetes = api.get("/version")["gitVersion"]
    if module.params["wait"] and not module.check_mode:
        await_available(api, module.params["version"], module.params["wait_timeout"])
    item, problems = read_state(api)
    status = item.get("status", {}) if item else {}
    hyperconverged = item is not None and bool(find_hyperconvergeds(api)[1])
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


def read_state(api: Api) -> tuple[Object | None, list[str]]:
    """KubeVirt's CR, None where the cluster has none; and why KubeVirt is not available."""
    try:
        item = find_kubevirt(api)
    except NoKubeVirt as error:
        return None, [str(error)]
    return item, [] if is_available(item, None) else diagnose(api, item, None)


def await_available(api: Api, version: str | None, timeout: int) -> None:
    """Wait until KubeVirt is available. Raises Refused that says why KubeVirt is not available in time."""
    deadline = time.monotonic() + timeout
    while not is_available(item := find_kubevirt(api), version):
        left = deadline - time.monotonic()
        if left <= 0:
            reasons = ". ".join(diagnose(api, item, version))
            raise Refused(f"KubeVirt is not available after {timeout} s. {reasons}")
        time.sleep(min(POLL, left))


def diagnose(api: Api, item: Object, version: str | None) -> list[str]:
    """Why KubeVirt is not available: the state of the CR, of the operator, and of each pod that is not ready."""
    namespace = item["metadata"]["namespace"]
    wanted = (
        f"expected version {version}" if version else "expected Available, and the version that its operator aims at"
    )
    return [
        f"{describe(item)}; {wanted}",
        *_readable(lambda: [describe_operator(api.list(f"/apis/apps/v1/namespaces/{namespace}/deployments"))]),
        *_readable(
            lambda: [text for pod in api.list(f"/api/v1/namespaces/{namespace}/pods") for text in pod_trouble(pod)]
        ),
        f"Look at the operator's log: kubectl -n {namespace} logs deployment/virt-operator",
    ]


def _readable(read: Callable[[], list[str]]) -> list[str]:
    """A part of a diagnosis, or the error of reading that part: the error must not hide the other parts."""
    try:
        return read()
    except ApiError as error:
        return [str(error)]


if __name__ == "__main__":
    main()
