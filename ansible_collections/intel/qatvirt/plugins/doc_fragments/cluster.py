# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that modules of the cluster layer share."""

from __future__ import annotations


class ModuleDocFragment:
    """``intel.qatvirt.cluster``: the nodes. ``intel.qatvirt.cluster.resources``: names of KubeVirt's resources."""

    DOCUMENTATION = r"""
options:
  nodes:
    description:
      - The nodes, as the filter P(intel.qatvirt.qat_site_nodes#filter) makes them of variables and facts.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the Node object.
        type: str
        required: true
      names:
        description: Other names it may have in the cluster.
        type: list
        elements: str
        default: []
      workload:
        description: Who is to get its VFs.
        type: str
        choices: [vm, container]
        default: vm
      vf_counts:
        description: Number of usable VFs by vendor and device, such as V(8086:4941).
        type: dict
        default: {}
      families:
        description: Family by vendor and device.
        type: dict
        default: {}
      drivers:
        description: Drivers of its PFs as Intel's plugin calls them, such as V(4xxxvf).
        type: list
        elements: str
        default: []
      services:
        description: Services of its PFs as a label.
        type: str
      held:
        description: "Who holds VFs, pairs of a pod's uid (or null) and a sentence."
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
