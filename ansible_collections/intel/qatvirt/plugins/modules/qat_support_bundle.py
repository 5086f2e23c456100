#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin qat_support_bundle."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_support_bundle
short_description: Write what was read of nodes and cluster into one archive, without secrets
version_added: 0.4.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Writes C(qatvirt-support-DATE.tar.gz), which only its owner may read. It has the results of
    M(intel.qatvirt.qat_support_node) and M(intel.qatvirt.qat_support_cluster), the last report, and the versions of the
    collection, Ansible and Python.
  - Passwords, tokens, keys, Secrets, user data of virtual machines, and what looks like one of them are removed before
    anything is written; a mark in their place says what was there. No program finds every secret, so look through the
    archive before you send it.
  - This is an action plugin. It runs on the controller, whatever host the task is for.
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
  node_results:
    description:
      - The registered result of M(intel.qatvirt.qat_support_node) for each node, by the node's name; also a failed one.
    type: dict
    required: true
  cluster_result:
    description:
      - The registered result of M(intel.qatvirt.qat_support_cluster); also a failed one. Leave it out where there is no
        cluster.
    type: dict
  report:
    description:
      - File on the controller with a report of M(intel.qatvirt.qat_validate). It need not exist.
    type: path
seealso:
  - module: intel.qatvirt.qat_support_node
  - module: intel.qatvirt.qat_support_cluster
"""

EXAMPLES = r"""
- name: Read the node
  intel.qatvirt.qat_support_node:
  register: support_node
  no_log: true

- name: Write the bundle
  intel.qatvirt.qat_support_bundle:
    directory: /tmp
    node_results: "{{ {inventory_hostname: support_node} }}"
"""

RETURN = r"""
path:
  description: Path of the archive; in check mode the archive is not written.
  returned: success
  type: str
  sample: /home/admin/qatvirt-support-20261125T040000Z.tar.gz
size:
  description: Size of the archive in bytes.
  returned: success
  type: int
files:
  description: Paths of the files in the archive.
  returned: success
  type: list
  elements: str
unread:
  description: Nodes of which nothing could be read, and the cluster where that is so, each with the reason.
  returned: success
  type: dict
  sample: {node worker1: "unreachable: no route to host"}
"""
