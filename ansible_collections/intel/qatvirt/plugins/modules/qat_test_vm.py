#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a virtual machine or a pod with QAT VFs on each node, and compare what it sees with what it was given."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_test_vm
short_description: Try QAT VFs from inside a virtual machine or a pod on each node
version_added: 0.3.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Starts a virtual machine with VFs on each node whose VFs are for virtual machines, and a pod on each node whose VFs
    are for containers, all at once. The guest says on its serial console which PCI functions it has, the pod which VFs
    it can open. That is compared with what kubelet gave them.
  - What does not start or does not answer gets a diagnosis from events, conditions, logs and the console, with what to
    do, and does not keep the others waiting.
  - Everything it makes is removed again, and it waits until that is really gone, also when it fails or is ended by a
    signal. What a killed run has left is removed by the next one, and runs at the same time do not disturb each other.
  - A trial that fails is a result and not a failure of the module. It fails where the API cannot be asked, where rights
    are missing, and where its options are of no use.
  - A cordoned node is skipped. In check mode nothing is started.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster
attributes:
  check_mode:
    details: Nothing is started; the trials that would be made are returned as skipped.
  diff_mode:
    support: none
    details: Nothing stays changed.
  idempotent:
    details: Each run makes its trials again.
    support: N/A
  platform:
    platforms: posix
options:
  resources:
    description: Resource of KubeVirt by vendor and device of the VFs.
    type: dict
    default: {}
  namespace:
    description:
      - Where virtual machines and pods are made. It has to be there, and to allow what virtual machines need (Pod
        Security level V(privileged)).
    type: str
    default: qatvirt-test
  count:
    description: VFs that each virtual machine or pod gets.
    type: int
    default: 1
  container_disk:
    description:
      - Image of a container disk that virtual machines boot from. Any with cloud-init will do, and one with qatlib
        (C(cpa_sample_code)) or a VF driver also proves that the functions work.
    type: str
    default: quay.io/containerdisks/fedora:42
  kernel_boot:
    description:
      - Boot virtual machines from a kernel and an initramfs instead, whose init does what O(report_script) does and
        writes C(QATVIRT-RESULT) and its output to the console, again and again.
    type: dict
    suboptions:
      image:
        description: Container image that has them.
        type: str
        required: true
      kernel_path:
        description: Path of the kernel in the image.
        type: str
        required: true
      initrd_path:
        description: Path of the initramfs in the image.
        type: str
        required: true
      kernel_args:
        description: Arguments of the kernel.
        type: str
        default: console=ttyS0
  pod_image:
    description: Image of the pods, with a shell, C(env), C(sed), C(sort), C(tr), C(cat) and C(readlink).
    type: str
    default: docker.io/library/busybox:1.37
  memory:
    description: Memory of a virtual machine.
    type: str
    default: 1Gi
  cpu:
    description: Cores of a virtual machine.
    type: int
    default: 1
  tolerations:
    description: Tolerations of virtual machines and pods, as a pod has them.
    type: list
    elements: dict
    default: []
  report_script:
    description:
      - Text of the shell script that tells what a guest sees, by cloud-init run in guests with a container disk. The
        role qat_test_vm has it.
    type: str
  wait_timeout:
    description: Seconds in which each trial has to answer.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Try a VF on each node
  intel.qatvirt.qat_test_vm:
    nodes: "{{ groups['qat_nodes'] | intel.qatvirt.qat_site_nodes(hostvars) }}"
    resources:
      "8086:4941": intel.com/qat
    report_script: "{{ lookup('ansible.builtin.file', 'report.sh') }}"
  register: tried

- name: Remove what killed runs have left
  intel.qatvirt.qat_test_vm:
    nodes: []
"""

RETURN = r"""
tests:
  description: One trial a node, in the order of O(nodes).
  type: list
  elements: dict
  returned: success
  contains:
    node:
      description: Name of the Node object.
      type: str
    kind:
      description: V(vm) or V(pod).
      type: str
    object:
      description: The virtual machine or pod, which is gone again.
      type: str
    verdict:
      description: V(pass), V(fail) or V(skipped).
      type: str
    reason:
      description: Why, in a sentence; null where there is nothing to say.
      type: str
    resource:
      description: What it asked for; null where the node advertises nothing.
      type: str
    count:
      description: How many of it.
      type: int
    given:
      description: Addresses of the VFs that kubelet gave it; empty where that could not be found out.
      type: list
      elements: str
    expected:
      description: How many functions it has to see, by vendor and device.
      type: dict
    seen:
      description: QAT functions it sees, each with C(slot), C(vendor), C(device), C(class) and C(driver).
      type: list
      elements: dict
    functional:
      description:
        - Whether the functions do their work in a guest, with C(verdict) V(pass), V(fail) or V(impossible) where the
          image has not what that takes, and C(reason). Null where there was no answer, and for pods.
      type: dict
    phases:
      description: "When it was first seen in each phase: C(name), and C(seconds) since the start."
      type: list
      elements: dict
    diagnosis:
      description:
        - Why there is no answer, with C(id), C(message), C(fix), and C(evidence), a command that shows it. Null where
          there is an answer.
      type: dict
  sample:
    - node: worker1
      kind: vm
      object: virtual machine qatvirt-test/qat-test-3f2a91c4-worker1
      verdict: pass
      reason:
      resource: intel.com/qat
      count: 1
      given: ["0000:6b:00.1"]
      expected: {"8086:4941": 1}
      seen:
        - {slot: "0000:06:00.0", vendor: "8086", device: "4941", class: 0b4000, driver: null}
      functional: {verdict: impossible, reason: the guest has no kernel driver for them}
      phases:
        - {name: Running, seconds: 12.3}
      diagnosis:
left:
  description: Virtual machines and pods that were still there when it stopped waiting for them to go.
  type: list
  elements: str
  returned: success
swept:
  description: Ids of dead runs whose objects were removed.
  type: list
  elements: str
  returned: success
"""

import secrets
from typing import Any

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.api import Api
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.module import run_module
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.nodes import (
    NODES_SPEC,
    VM,
    ClusterNode,
    match_nodes,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import MACHINES, NODES, PODS, in_namespace
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import NotFound, Refused
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import SKIPPED, KernelBoot, RunSettings
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.plan import plan
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.result import result
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.runner import Runner


def main() -> None:
    """Entry point."""
    boot = {
        "image": {"type": "str", "required": True},
        "kernel_path": {"type": "str", "required": True},
        "initrd_path": {"type": "str", "required": True},
        "kernel_args": {"type": "str", "default": "console=ttyS0"},
    }
    options = {
        "nodes": NODES_SPEC,
        "resources": {"type": "dict", "default": {}},
        "namespace": {"type": "str", "default": "qatvirt-test"},
        "count": {"type": "int", "default": 1},
        "container_disk": {"type": "str", "default": "quay.io/containerdisks/fedora:42"},
        "kernel_boot": {"type": "dict", "options": boot},
        "pod_image": {"type": "str", "default": "docker.io/library/busybox:1.37"},
        "memory": {"type": "str", "default": "1Gi"},
        "cpu": {"type": "int", "default": 1},
        "tolerations": {"type": "list", "elements": "dict", "default": []},
        "report_script": {"type": "str"},
        "wait_timeout": {"type": "int", "default": 300},
    }
    run_module(options, run)


def run(module: Any, api: Api) -> dict[str, Any]:
    """Decide which tests there are, run them, return their results."""
    settings = settings_of(module.params)
    nodes = [ClusterNode.from_data(data) for data in module.params["nodes"]]
    refuse(module.params, [node.workload for node in nodes])
    pairs = match_nodes(nodes, api.list(NODES)) if nodes else []
    pods = api.list(PODS) if nodes else []
    known = has_kubevirt(api, settings.namespace)
    tests, results = plan(pairs, pods, module.params["resources"], settings, known)
    if module.check_mode:
        reason = "check mode: nothing is started"
        results += [result(test, settings, SKIPPED, reason) for test in tests]
        return {"changed": False, "tests": ordered(results, pairs), "left": [], "swept": []}
    outcome = Runner(api, tests, settings, module.params["wait_timeout"]).run()
    return {
        "changed": bool(outcome.swept),
        "tests": ordered([*results, *outcome.tests], pairs),
        "left": outcome.left,
        "swept": outcome.swept,
    }


def settings_of(params: dict[str, Any]) -> RunSettings:
    """What all tests of the run share."""
    boot = params["kernel_boot"]
    return RunSettings(
        run=secrets.token_hex(4),
        namespace=params["namespace"],
        count=params["count"],
        container_disk=params["container_disk"],
        kernel_boot=KernelBoot(**boot) if boot else None,
        pod_image=params["pod_image"],
        memory=params["memory"],
        cpu=params["cpu"],
        tolerations=tuple(params["tolerations"]),
        report_script=params["report_script"] or "",
    )


def refuse(params: dict[str, Any], workloads: list[str]) -> None:
    """Raise Refused for options that cannot lead anywhere."""
    wrong = [f"{name} is {params[name]}, expected 1 or more" for name in ("count", "cpu") if params[name] < 1]
    if VM in workloads and not params["kernel_boot"] and not params["report_script"]:
        wrong.append(
            "report_script is empty, and a guest with a container disk has nothing to say without it: give it the "
            "text of files/report.sh of the role qat_test_vm, or boot from kernel_boot"
        )
    if wrong:
        raise Refused(f"nothing was started: {'; '.join(wrong)}")


def has_kubevirt(api: Api, namespace: str) -> bool:
    """Whether the API knows virtual machines."""
    try:
        api.list(in_namespace(MACHINES, namespace))
    except NotFound:
        return False
    return True


def ordered(tests: list[dict[str, Any]], pairs: list[Any]) -> list[dict[str, Any]]:
    """Results in the order of the nodes."""
    names = [item["metadata"]["name"] for _node, item in pairs]
    return sorted(tests, key=lambda test: names.index(test["node"]))


if __name__ == "__main__":
    main()
