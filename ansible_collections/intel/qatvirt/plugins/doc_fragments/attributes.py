# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that modules of this collection share."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of the node modules, and the option policy."""

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
    description: Operating systems on which the module runs.
    support: full
    platforms: linux
"""

    POLICY = r"""
options:
  policy:
    description:
      - A list of rules for the QAT PFs of the node. Later rules win, key by key, for each PF. A PF that no rule matches
        is not changed.
      - "C(match): which PFs, a dictionary with any of the keys C(address), C(device), C(family) and C(numa_node). All
        given keys must fit; without keys every PF fits."
      - "C(match.address): PCI address such as V(0000:6b:00.0), in quotes; the domain may be left out where it is 0000."
      - "C(match.device): PCI device id of the PF such as V(4940), in quotes."
      - "C(match.family): family such as V(4xxx), V(402xx), V(420xx), V(6xxx), V(c62x), V(c3xxx), V(dh895xcc)."
      - "C(match.numa_node): NUMA node of the PF, a number."
      - "C(services): services of the PF, a list out of V(sym), V(asym), V(dc), V(dcc), V(decomp), compared as a set.
        Without this key they stay as they are. Only PFs whose driver has C(qat/cfg_services) take services (Gen4 and
        later, Linux 6.0 and later)."
      - "C(vfs): number of VFs, V(max) (the default for a PF that a rule matches) or V(0). The in-tree drivers enable
        all VFs or none."
      - "C(driver): driver of the VFs, V(vfio-pci) (the default for a PF that a rule matches), V(kernel) for the
        family's own VF driver, or V(none)."
    type: raw
    default: [{}]
"""
