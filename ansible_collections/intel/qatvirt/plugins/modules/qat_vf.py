#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring services, VFs and VF drivers of all QAT PFs of a node to a policy."""

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
  - Never takes away a VF that a process holds. It refuses such a change before it changes anything, and names VF,
    process and pod.
  - Where a step fails, the module puts the PF back, and the error says how the PF is now. A write that the kernel does
    not finish is reported after O(write_timeout).
  - Before the first change of a PF its state is recorded in C(/var/lib/qatvirt/checkpoint.json); O(state=absent) puts
    the PF back to that state.
extends_documentation_fragment:
  - intel.qatvirt.attributes
  - intel.qatvirt.attributes.policy
options:
  state:
    description:
      - V(present) follows O(policy); V(absent) puts every PF back to what it was before this module first changed it.
    type: str
    choices: [present, absent]
    default: present
  on_in_use:
    description:
      - What to do where a VF that has to change is held. V(fail) changes nothing at all; V(skip) does not change the
        PF of that VF, converges the other PFs and returns the held VFs in RV(skipped_vfs).
    type: str
    choices: [fail, skip]
    default: fail
  write_timeout:
    description: Seconds a single sysfs write may take before it is reported as blocked.
    type: float
    default: 60
"""

EXAMPLES = r"""
- name: Bind all VFs of all PFs to vfio-pci, with symmetric and asymmetric crypto
  intel.qatvirt.qat_vf:
    policy:
      - match: {}
        services: [sym, asym]

- name: Have the PFs of the second socket compress
  intel.qatvirt.qat_vf:
    policy:
      - services: [sym, asym]
      - match: {numa_node: 1}
        services: [dc]

- name: Put the PFs back to what they were
  intel.qatvirt.qat_vf:
    state: absent
"""

RETURN = r"""
plan:
  description:
    - "C(impact) (none, rebind or recreate) and, in C(pfs), for each PF C(address), C(impact), C(steps), C(blocked)
      (held VFs that the steps would take away), C(unmet) (what is missing before the steps can be done)."
  type: dict
  returned: always
before:
  description: The PFs before the run.
  type: list
  elements: dict
  returned: success
after:
  description: The PFs after the run; in check mode as they are predicted.
  type: list
  elements: dict
  returned: success
skipped_vfs:
  description: "Held VFs, whose PFs were not changed for that reason: C(vf) and C(holders)."
  type: list
  elements: dict
  returned: success
done:
  description: PCI addresses of the PFs that were changed.
  type: list
  elements: str
  returned: always
ansible_facts:
  description: C(qatvirt) as M(intel.qatvirt.qat_info) returns it, read after the change.
  type: dict
  returned: when not in check mode
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ConvergeFailed, InUse
from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import Result, carry_out
from ansible_collections.intel.qatvirt.plugins.module_utils.node.argspec import POLICY_SPEC
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
from ansible_collections.intel.qatvirt.plugins.module_utils.node.plan import Plan, plan_pfs, plan_restore
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.plugins.module_utils.node.sysfs import System


def main() -> None:
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
    """Observe, plan and apply. Returns the result of the module."""
    params = module.params
    system, files = System(), Files()
    checkpoint = Checkpoint(files)
    pfs, vfio = observe(system)
    if params["state"] == "present":
        plan = plan_pfs(pfs, vfio, parse_policy(params["policy"]))
    else:
        plan = plan_restore(pfs, recorded_pfs(checkpoint))
    skip = params["on_in_use"] == "skip"
    if module.check_mode:
        return _preview(module, pfs, plan, skip)
    try:
        result = carry_out(system, pfs, plan, skip, params["write_timeout"], lambda pf: record_pf(checkpoint, pf))
    except InUse as error:
        module.fail_json(msg=f"nothing was changed: {_in_use(error)}", plan=plan.as_data(), done=[])
    except ConvergeFailed as error:
        done = ", ".join(error.done) or "none"
        module.fail_json(
            msg=f"{error} PFs changed before: {done}.",
            plan=plan.as_data(),
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
    return (
        f"{error}. Stop or move the holder (kubectl drain, virtctl stop), or set on_in_use to skip, which converges "
        "the other PFs"
    )


def _preview(module: AnsibleModule, pfs: tuple[Pf, ...], plan: Plan, skip: bool) -> dict[str, Any]:
    """The result in check mode. Fails where a held VF would make the run fail."""
    blocked = tuple(vf for pf in plan.pfs for vf in pf.blocked)
    if blocked and not skip:
        module.fail_json(msg=f"nothing would be changed: {_in_use(InUse(blocked))}", plan=plan.as_data(), done=[])
    skipped = tuple(pf.address for pf in plan.pfs if pf.blocked)
    after = predict(pfs, plan, skipped)
    done = tuple(pf.address for pf in plan.pfs if pf.steps and pf.address not in skipped)
    return {**_report(Result(pfs, after, plan, done, blocked)), **_diff(pfs, after)}


def _report(result: Result) -> dict[str, Any]:
    return {
        "changed": bool(result.done),
        "plan": result.plan.as_data(),
        "before": [pf.as_data() for pf in result.before],
        "after": [pf.as_data() for pf in result.after],
        "done": list(result.done),
        "skipped_vfs": [
            {"vf": vf.address, "holders": [str(holder) for holder in vf.holders]} for vf in result.skipped_vfs
        ],
    }


def _diff(before: tuple[Pf, ...], after: tuple[Pf, ...]) -> dict[str, Any]:
    return {"diff": {"before": describe(before), "after": describe(after)}}


def _forget(checkpoint: Checkpoint, result: Result) -> None:
    """Drop the records of PFs that are back to them. A PF that was not changed keeps its record."""
    kept = {pf.address for pf in result.plan.pfs if pf.steps} - set(result.done)
    for address in recorded_pfs(checkpoint):
        if address not in kept:
            checkpoint.forget("pfs", address)


if __name__ == "__main__":
    main()
