#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from a cluster what a maintainer needs to know to find a fault from afar."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_support_cluster
short_description: Read objects, events and logs of a cluster for a maintainer
version_added: 0.4.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Returns the nodes, the CRs of KubeVirt and HyperConverged, the DaemonSets of virt-handler and Intel's plugin with
    their pods and logs, the virtual machines and pods that ask for VFs, and the events around them.
  - Makes a constant number of list calls, and one call for the log of each pod, two where the pod was restarted. What
    the account may not read is listed with the reason.
  - B(Objects and logs may contain secrets.) Register the result with C(no_log), and pass it to
    M(intel.qatvirt.qat_support_bundle), which removes them.
  - Pods and virtual machines ask for VFs by the resources that O(resource) and O(family_resources) name, by those that
    KubeVirt's CR has for QAT devices, and by those of Intel's plugin.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster.resources
attributes:
  diff_mode:
    support: N/A
    details: It changes nothing.
  platform:
    platforms: posix
options:
  namespaces:
    description: Namespaces whose events are read where the account may not read the events of all namespaces.
    type: list
    elements: str
    default: [kubevirt, qatvirt, qatvirt-test]
  pods:
    description:
      - Number of pods of virt-handler and Intel's plugin whose logs are read; pods that are not ready come first.
    type: int
    default: 20
  lines:
    description: Number of lines at the end of each log.
    type: int
    default: 500
seealso:
  - module: intel.qatvirt.qat_support_node
  - module: intel.qatvirt.qat_support_bundle
"""

EXAMPLES = r"""
- name: Read the cluster
  intel.qatvirt.qat_support_cluster:
    kubeconfig: ~/qatvirt.kubeconfig
  register: support_cluster
  no_log: true
"""

RETURN = r"""
support:
  description: What was read of the cluster.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      returned: always
      sample: 1
    server:
      description: Address of the API server.
      type: str
      returned: always
    kubernetes:
      description: Version of the API server.
      type: str
      returned: always
    resources:
      description: Names of the resources that count as VFs.
      type: list
      elements: str
      returned: always
    nodes:
      description: Node objects, with labels, annotations, taints, conditions and resources.
      type: list
      elements: dict
      returned: always
    kubevirts:
      description: KubeVirt CRs.
      type: list
      elements: dict
      returned: always
    hyperconvergeds:
      description: HyperConverged CRs.
      type: list
      elements: dict
      returned: always
    daemonsets:
      description: DaemonSets of virt-handler and Intel's plugin.
      type: list
      elements: dict
      returned: always
    pods:
      description: Pods of these DaemonSets, and pods that ask for VFs.
      type: list
      elements: dict
      returned: always
    machines:
      description: VirtualMachineInstances that ask for VFs.
      type: list
      elements: dict
      returned: always
    left_out:
      description: How many pods and machines were left out because there were too many.
      type: dict
      returned: always
    events:
      description: Events of O(namespaces), and events about the nodes, pods and machines.
      type: list
      elements: dict
      returned: always
    logs:
      description: Logs by namespace, pod and container; C(.previous) is the log before the container's last restart.
      type: dict
      returned: always
    unreadable:
      description: What could not be read, each with the reason.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import RESOURCE_SPEC, resource_names
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.support_data import SupportScope, collect


def main() -> None:
    options = {
        **RESOURCE_SPEC,
        "namespaces": {"type": "list", "elements": "str", "default": ["kubevirt", "qatvirt", "qatvirt-test"]},
        "pods": {"type": "int", "default": 20},
        "lines": {"type": "int", "default": 500},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Read the cluster."""
    params = module.params
    names = resource_names(params["resource"], params["family_resources"])
    scope = SupportScope(tuple(names), tuple(params["namespaces"]), params["pods"], params["lines"])
    return {"changed": False, "support": collect(api, scope)}


if __name__ == "__main__":
    main()
