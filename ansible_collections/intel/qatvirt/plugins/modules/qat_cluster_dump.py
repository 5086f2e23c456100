#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a cluster can say about its QAT to somebody who is not there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_cluster_dump
short_description: Read what a maintainer needs to know of a cluster, events and logs and all
version_added: 0.3.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Returns the nodes, the CRs of KubeVirt and HyperConverged, the DaemonSets of virt-handler and Intel's plugin with
    their pods and logs, the virtual machines and pods that ask for VFs, and the events around them.
  - It makes a constant number of list calls, and one call for the log of each pod, two where it has been restarted.
    What the account may not read is listed, with the reason.
  - B(Objects and logs may have secrets in them.) Register the result with C(no_log), and give it to
    M(intel.qatvirt.qat_bundle), which removes them.
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
  resources:
    description:
      - KubeVirt's resources for VFs. Those that its CR has for QAT devices and those of Intel's plugin are added.
    type: list
    elements: str
    default: [intel.com/qat]
  namespaces:
    description: Namespaces whose events are read where the account may not read all.
    type: list
    elements: str
    default: [kubevirt, qatvirt, qatvirt-test]
  pods:
    description: Of how many pods of virt-handler and Intel's plugin the logs are read, those in trouble first.
    type: int
    default: 20
  lines:
    description: Lines of each log, the last ones.
    type: int
    default: 500
seealso:
  - module: intel.qatvirt.qat_collect
  - module: intel.qatvirt.qat_bundle
"""

EXAMPLES = r"""
- name: Read the cluster
  intel.qatvirt.qat_cluster_dump:
    kubeconfig: ~/qatvirt.kubeconfig
  register: support_cluster
  no_log: true
"""

RETURN = r"""
dump:
  description: What the cluster says.
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
      description: What counts as a resource for VFs.
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
      description: Their pods, and pods that ask for VFs.
      type: list
      elements: dict
      returned: always
    machines:
      description: VirtualMachineInstances that ask for VFs.
      type: list
      elements: dict
      returned: always
    left_out:
      description: How many pods and machines were too many.
      type: dict
      returned: always
    events:
      description: Events of the namespaces, and of nodes, pods and machines.
      type: list
      elements: dict
      returned: always
    logs:
      description: Logs by namespace, pod and container; C(.previous) is that of the run before.
      type: dict
      returned: always
    unreadable:
      description: What could not be read, and why.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.support_data import SupportScope, collect


def main() -> None:
    """Entry point."""
    options = {
        "resources": {"type": "list", "elements": "str", "default": ["intel.com/qat"]},
        "namespaces": {"type": "list", "elements": "str", "default": ["kubevirt", "qatvirt", "qatvirt-test"]},
        "pods": {"type": "int", "default": 20},
        "lines": {"type": "int", "default": 500},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Read everything."""
    params = module.params
    wanted = SupportScope(tuple(params["resources"]), tuple(params["namespaces"]), params["pods"], params["lines"])
    return {"changed": False, "dump": collect(api, wanted)}


if __name__ == "__main__":
    main()
