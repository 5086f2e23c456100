# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules of the cluster layer have."""

from __future__ import annotations


class ModuleDocFragment:
    """``intel.qatvirt.cluster``: the nodes. ``intel.qatvirt.cluster.resources``: names of KubeVirt's resources."""

    DOCUMENTATION = r"""
options:
  nodes:
    description:
      - The nodes, as the filter P(intel.qatvirt.qat_nodes#filter) makes them from variables and facts of hosts.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the Node object.
        type: str
        required: true
      names:
        description: Other names that the Node object may have.
        type: list
        elements: str
        default: []
      workload:
        description: Who gets the VFs of the node, virtual machines or containers.
        type: str
        choices: [vm, container]
        default: vm
      vf_counts:
        description: Number of usable VFs by vendor and device, such as V(8086:4941).
        type: dict
        default: {}
      families:
        description: Family by vendor and device of the VFs, such as C(4xxx).
        type: dict
        default: {}
      drivers:
        description: VF drivers of the PFs, as Intel's plugin names them, such as V(4xxxvf).
        type: list
        elements: str
        default: []
      services:
        description: Services of the PFs, as the value of a label.
        type: str
      held:
        description: For each holder of a VF the uid of its pod (or null), and a sentence that names the holder.
        type: list
        elements: list
        default: []
      problems:
        description: Why the node is not ready.
        type: list
        elements: str
        default: []
"""

    RESOURCES = r"""
options:
  resource:
    description:
      - Name of the resource under which KubeVirt gives VFs to virtual machines, for each family that
        O(family_resources) does not name.
    type: str
    default: intel.com/qat
  family_resources:
    description: Name of the resource by family, such as C(c62x), where a family has a resource of its own.
    type: dict
    default: {}
"""
