# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that modules of the cluster layer share."""

from __future__ import annotations


class ModuleDocFragment:
    """The nodes a module is for."""

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
      vfs:
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
        description: Why it is not ready.
        type: list
        elements: str
        default: []
"""
