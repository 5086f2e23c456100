#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply fields of KubeVirt's CR, and leave the fields of other managers alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubevirt_cr
short_description: Apply fields of KubeVirt's CR, and leave the fields of other managers alone
version_added: 0.4.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Applies O(spec) to KubeVirt's CR by server-side apply, under the field manager C(intel.qatvirt). Creates the CR
    where it does not exist. Fields that an earlier run applied and that O(spec) no longer has are removed.
  - Where another field manager owns a field that would change, the module changes nothing, and names the manager and
    the field.
  - Fields that another module of this collection wrote, such as M(intel.qatvirt.kubevirt_placement), are not fields of
    another manager.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
attributes:
  platform:
    platforms: posix
options:
  name:
    description: Name of the CR.
    type: str
    default: kubevirt
  namespace:
    description: Namespace of the CR. The namespace must exist.
    type: str
    default: kubevirt
  spec:
    description: Fields of the CR's C(spec). No other field is written.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Let KubeVirt emulate virtual machines
  intel.qatvirt.kubevirt_cr:
    spec:
      configuration:
        developerConfiguration:
          useEmulation: true
"""

RETURN = r"""
spec:
  description: The CR's C(spec) after the change; in check mode, as it would be.
  type: dict
  returned: success
"""

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import FIELD_MANAGER, Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.field_managers import apply_own
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import KUBEVIRTS
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import in_namespace


def main() -> None:
    """Run the module."""
    options = {
        "name": {"type": "str", "default": "kubevirt"},
        "namespace": {"type": "str", "default": "kubevirt"},
        "spec": {"type": "dict", "required": True},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Read the CR, apply the fields, compare."""
    name, namespace, spec = (module.params[option] for option in ("name", "namespace", "spec"))
    url = f"{in_namespace(KUBEVIRTS, namespace)}/{name}"
    definition = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    found = api.find(url)
    before = found.get("spec", {}) if found else {}
    after = apply_own(api, url, definition, FIELD_MANAGER).get("spec", {})
    return {
        "changed": found is None or before != after,
        "spec": after,
        "diff": {"before": before, "after": after},
    }


if __name__ == "__main__":
    main()
