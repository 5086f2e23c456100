#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converge services, VFs and VF drivers of all QAT PFs of a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_vf
short_description: Set services, virtual functions and their drivers on all QAT devices of a node
version_added: 0.1.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Observes all PFs of a node, plans, applies and observes again, in one remote execution for any number of PFs and
    VFs.
  - A VF that a process holds is never taken away. The change is refused before anything is touched, naming VF,
    process and pod.
  - A step that fails is undone, and the error says how the PF was left. A write that the kernel does not finish is
    reported after O(write_timeout).
  - Before the first change of a PF its state is recorded in C(/var/lib/qatvirt/checkpoint.json); O(state=absent)
    puts it back.
extends_documentation_fragment:
  - intel.qatvirt.attributes
  - intel.qatvirt.attributes.policy
options:
  state:
    description:
      - V(present) follows O(policy); V(absent) puts every PF back to what it was before this module first touched it.
    type: str
    choices: [present, absent]
    default: present
  on_in_use:
    description:
      - What to do when a VF that must change is held. V(fail) changes nothing at all; V(skip) leaves its PF alone,
        converges the others and lists what was left.
    type: str
    choices: [fail, skip]
    default: fail
  write_timeout:
    description: Seconds a single sysfs write may take before it is reported as blocked.
    type: float
    default: 60
"""

EXAMPLES = r"""
- name: All VFs of all PFs on vfio-pci, symmetric and asymmetric crypto
  intel.qatvirt.qat_vf:
    policy:
      - match: {}
        services: [sym, asym]

- name: The PFs of the second socket compress
  intel.qatvirt.qat_vf:
    policy:
      - services: [sym, asym]
      - match: {numa_node: 1}
        services: [dc]

- name: Back to how the node was
  intel.qatvirt.qat_vf:
    state: absent
"""

RETURN = r"""
plan:
  description:
    - "C(impact) (none, rebind or recreate) and, in C(pfs), per PF C(address), C(impact), C(steps), C(blocked),
      C(unmet)."
  type: dict
  returned: always
before:
  description: The PFs before.
  type: list
  elements: dict
  returned: success
after:
  description: The PFs after; in check mode as predicted.
  type: list
  elements: dict
  returned: success
left:
  description: "VFs in use that kept their PF from being converged: C(vf) and C(holders)."
  type: list
  elements: dict
  returned: success
done:
  description: PCI addresses of the PFs that were changed.
  type: list
  elements: str
  returned: always
ansible_facts:
  description: C(qatvirt) as of M(intel.qatvirt.qat_info), read after the change.
  type: dict
  returned: when not in check mode
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ConvergeFailed, InUse
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import Result, carry_out
from ansible_collections.intel.qatvirt.plugins.module_utils.node.argspec import POLICY_SPEC, given_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.checkpoint import (
    Checkpoint,
    record_pf,
    recorded_pfs,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.node.describe import describe, predict
from ansible_collections.intel.qatvirt.plugins.module_utils.node.facts import collect
from ansible_collections.intel.qatvirt.plugins.module_utils.node.files import Files
from ansible_collections.intel.qatvirt.plugins.module_utils.node.model import Pf
from ansible_collections.intel.qatvirt.plugins.module_utils.node.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.node.observe import observe
from ansible_collections.intel.qatvirt.plugins.module_utils.node.plan import Plan, plan, plan_restore
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "policy": POLICY_SPEC,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "on_in_use": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
            "write_timeout": {"type": "float", "default": 60},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Observe, plan, apply, report."""
    params = module.params
    system, files = System(), Files()
    checkpoint = Checkpoint(files)
    pfs, vfio = observe(system)
    if params["state"] == "present":
        todo = plan(pfs, vfio, parse_policy(given_policy(params["policy"])))
    else:
        todo = plan_restore(pfs, recorded_pfs(checkpoint))
    skip = params["on_in_use"] == "skip"
    if module.check_mode:
        return _preview(module, pfs, todo, skip)
    try:
        result = carry_out(system, pfs, todo, skip, params["write_timeout"], lambda pf: record_pf(checkpoint, pf))
    except InUse as error:
        module.fail_json(msg=f"nothing was changed: {_in_use(error)}", plan=todo.as_dict(), done=[])
    except ConvergeFailed as error:
        done = ", ".join(error.done) or "none"
        module.fail_json(
            msg=f"{error} PFs changed before: {done}.",
            plan=todo.as_dict(),
            done=list(error.done),
            changed=bool(error.done),
        )
    if params["state"] == "absent":
        _forget(checkpoint, result)
    return {
        **_report(result),
        **_diff(result.before, result.after),
        "ansible_facts": {"qatvirt": collect(system, files)},
    }


def _in_use(error: InUse) -> str:
    return f"{error}. {_HELD_REMEDY}"


_HELD_REMEDY = (
    "Stop or move what holds it (kubectl drain, virtctl stop), or set on_in_use to skip to converge the other PFs"
)


def _preview(module: AnsibleModule, pfs: tuple[Pf, ...], todo: Plan, skip: bool) -> dict[str, Any]:
    """What a run would do; a held VF makes the preview fail where the run would."""
    blocked = tuple(vf for pf in todo.pfs for vf in pf.blocked)
    if blocked and not skip:
        module.fail_json(msg=f"nothing would be changed: {_in_use(InUse(blocked))}", plan=todo.as_dict(), done=[])
    left = tuple(pf.address for pf in todo.pfs if pf.blocked)
    after = predict(pfs, todo, left)
    done = tuple(pf.address for pf in todo.pfs if pf.steps and pf.address not in left)
    return {**_report(Result(pfs, after, todo, done, blocked)), **_diff(pfs, after)}


def _report(result: Result) -> dict[str, Any]:
    return {
        "changed": bool(result.done),
        "plan": result.plan.as_dict(),
        "before": [asdict(pf) for pf in result.before],
        "after": [asdict(pf) for pf in result.after],
        "done": list(result.done),
        "left": [{"vf": vf.address, "holders": [str(holder) for holder in vf.holders]} for vf in result.skipped_vfs],
    }


def _diff(before: tuple[Pf, ...], after: tuple[Pf, ...]) -> dict[str, Any]:
    return {"diff": {"before": describe(before), "after": describe(after)}}


def _forget(checkpoint: Checkpoint, result: Result) -> None:
    """Drop what has been put back; a PF that was left keeps its record."""
    kept = {pf.address for pf in result.plan.pfs if pf.steps} - set(result.done)
    for address in recorded_pfs(checkpoint):
        if address not in kept:
            checkpoint.forget("pfs", address)


if __name__ == "__main__":
    main()
