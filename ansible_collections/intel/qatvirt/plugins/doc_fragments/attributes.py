# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of this collection promises."""

from __future__ import annotations


class ModuleDocFragment:
    """Shared attributes of the node modules."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing it.
    support: full
  diff_mode:
    description: Returns what changed, or would change in check mode, when in diff mode.
    support: full
  idempotent:
    description: A second run with the same parameters changes nothing.
    support: full
  platform:
    description: Operating systems it runs on.
    support: full
    platforms: linux
"""

    POLICY = r"""
options:
  policy:
    description:
      - What every QAT PF of the node is to be. Later entries win, key by key, for each PF. A PF that no entry
        matches is left alone.
    type: list
    elements: dict
    default: [{}]
    suboptions:
      match:
        description:
          - Which PFs. All given keys must fit; an empty mapping fits every PF.
        type: dict
        default: {}
        suboptions:
          address:
            description: PCI address such as V(0000:6b:00.0); the domain may be left out when it is 0000.
            type: str
          device:
            description: PCI device id of the PF such as V("4940"), in quotes.
            type: str
          family:
            description: Family such as V(4xxx), V(402xx), V(420xx), V(6xxx), V(c62x), V(c3xxx), V(dh895xcc).
            type: str
          numa_node:
            description: NUMA node of the PF.
            type: int
      services:
        description:
          - Services of the PF, a list out of V(sym), V(asym), V(dc), V(dcc), V(decomp), compared as a set. Left out,
            they stay as they are.
          - Only PFs whose driver has C(qat/cfg_services) take them (Gen4 and later, Linux 6.0 and later).
        type: list
        elements: str
      vfs:
        description:
          - Number of VFs, V(max) (the default of a PF that an entry matches) or V(0). The in-tree drivers enable all
            VFs or none.
        type: str
      driver:
        description:
          - Who gets the VFs, V(vfio-pci) (the default of a PF that an entry matches), V(kernel) for the family's own
            VF driver, V(none).
        type: str
"""
