#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_bundle
short_description: Write what nodes and cluster said into one archive, without secrets
version_added: 0.3.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Makes C(qatvirt-support-DATE.tar.gz), readable for its owner only, of what M(intel.qatvirt.qat_collect) and
    M(intel.qatvirt.qat_cluster_dump) returned, with the last report and the versions of collection, Ansible and Python.
  - Passwords, tokens, keys, Secrets, user data of virtual machines, and all that looks like one of them is removed from
    everything that goes into it, and leaves a mark that says what it was. Nothing is written before. No program finds
    everything, so look through it before you send it.
  - It is an action plugin. It runs on the controller, whatever host it is for.
extends_documentation_fragment:
  - intel.qatvirt.attributes
attributes:
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run writes another archive.
  platform:
    platforms: posix
options:
  directory:
    description: Directory on the controller to write to.
    type: path
    required: true
  nodes:
    description:
      - By the name of each node, what M(intel.qatvirt.qat_collect) returned, or how it failed.
    type: dict
    required: true
  cluster:
    description:
      - What M(intel.qatvirt.qat_cluster_dump) returned, or how it failed. Left out where there is no cluster.
    type: dict
  report:
    description:
      - File with a report of M(intel.qatvirt.qat_validate) on the controller. It need not be there.
    type: path
seealso:
  - module: intel.qatvirt.qat_collect
  - module: intel.qatvirt.qat_cluster_dump
"""

EXAMPLES = r"""
- name: Read the node
  intel.qatvirt.qat_collect:
  register: support_node
  no_log: true

- name: Write the bundle
  intel.qatvirt.qat_bundle:
    directory: /tmp
    nodes: "{{ {inventory_hostname: support_node} }}"
"""

RETURN = r"""
path:
  description: The archive, also in check mode, where it is not written.
  returned: success
  type: str
  sample: /home/admin/qatvirt-support-20261125T040000Z.tar.gz
size:
  description: Its size in bytes.
  returned: success
  type: int
files:
  description: What is in it.
  returned: success
  type: list
  elements: str
unread:
  description: Nodes, and the cluster, where nothing could be read of them, and why.
  returned: success
  type: dict
  sample: {node worker1: "unreachable: no route to host"}
"""
