#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a virtual machine or a pod with QAT VFs on each node, and compare the VFs it sees with those it was given."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qat_test_vm
short_description: Test QAT VFs from inside a virtual machine or a pod on each node
version_added: 0.3.0
author:
  - The intel.qatvirt authors (@intel-qatvirt)
description:
  - Makes a test on each node, all at once. On a node whose VFs are for virtual machines the test is a virtual machine
    with VFs, on a node whose VFs are for containers it is a pod with VFs. The guest reports on its serial console which
    PCI functions it sees, the pod in its log which VFs it can open. The module compares the report with the VFs that
    kubelet gave.
  - A test that does not start or does not answer gets a diagnosis from events, conditions, logs and the console, with
    what to do. Other tests do not wait for it.
  - The module removes everything it made, and waits until it is gone, also when the module fails or is ended by a
    signal. Each run removes what killed runs have left; runs at the same time do not disturb each other.
  - A test that fails is a result, not a failure of the module. The module fails where the API cannot be asked, where
    rights are missing, and where its options cannot work.
  - Cordoned nodes are skipped. In check mode nothing is started.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - intel.qatvirt.attributes
  - intel.qatvirt.cluster
  - intel.qatvirt.cluster.resources
attributes:
  check_mode:
    details: Nothing is started; the tests that would be made are returned as skipped.
  diff_mode:
    support: none
    details: Nothing stays changed.
  idempotent:
    details: Each run makes its tests again.
    support: N/A
  platform:
    platforms: posix
options:
  namespace:
    description:
      - Namespace in which virtual machines and pods are made. It has to exist, and to allow what virtual machines need
        (Pod Security level V(privileged)).
    type: str
    default: qatvirt-test
  count:
    description: Number of VFs that each virtual machine or pod asks for.
    type: int
    default: 1
  container_disk:
    description:
      - Image of a container disk that virtual machines boot from. Any image with cloud-init will do; an image with
        qatlib (C(cpa_sample_code)) or a VF driver also proves that the functions work.
    type: str
    default: quay.io/containerdisks/fedora:42
  kernel_boot:
    description:
      - Kernel and initramfs that virtual machines boot from instead of O(container_disk). The initramfs has to do what
        O(report_script) does, and to write C(QATVIRT-RESULT) and the report to the console, again and again.
    type: dict
    suboptions:
      image:
        description: Container image with kernel and initramfs.
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
    description: Image of the pods; it needs a shell, C(env), C(sed), C(sort), C(tr), C(cat) and C(readlink).
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
      - Text of the shell script that prints what a guest sees. cloud-init runs it in guests with a container disk. The
        role P(intel.qatvirt.qat_test_vm#role) has such a script.
    type: str
  wait_timeout:
    description: Seconds in which each test has to answer.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Test a VF on each node
  intel.qatvirt.qat_test_vm:
    nodes: "{{ groups['qat_nodes'] | intel.qatvirt.qat_nodes(hostvars) }}"
    report_script: "{{ lookup('ansible.builtin.file', 'report.sh') }}"
  register: tested

- name: Remove what killed runs have left
  intel.qatvirt.qat_test_vm:
    nodes: []
"""

RETURN = r"""
tests:
  description: One result a node, in the order of O(nodes).
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
      description: The virtual machine or pod, which is removed by now.
      type: str
    verdict:
      description: V(pass), V(fail) or V(skipped).
      type: str
    reason:
      description: Reason of the verdict, in a sentence; null where the test passed.
      type: str
    resource:
      description: Resource that it asked for; null where the node advertises none.
      type: str
    count:
      description: Number of VFs that it asked for.
      type: int
    given:
      description: Addresses of the VFs that kubelet gave; empty where they are not known.
      type: list
      elements: str
    expected:
      description: Number of functions that it has to see, by vendor and device.
      type: dict
    seen:
      description: QAT functions it sees, each with C(slot), C(vendor), C(device), C(class) and C(driver).
      type: list
      elements: dict
    functional:
      description:
        - "Whether the functions do their work in the guest: C(verdict) is V(pass), V(fail), or V(impossible) where the
          image lacks the programs for that; C(reason) says why. Null where there was no answer, and for pods."
      type: dict
    phases:
      description: "Phases in which it was seen: C(name), and C(seconds) from the start until it was first seen there."
      type: list
      elements: dict
    diagnosis:
      description:
        - "Why there is no answer: C(id), C(message), C(fix), and C(evidence), a command that shows it. Null where there
          is an answer."
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
not_removed:
  description: Virtual machines and pods that were deleted, but still there when the module stopped waiting.
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
    RESOURCE_SPEC,
    VM,
    ClusterNode,
    match_nodes,
    resources_of,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.objects import (
    MACHINES,
    NODES,
    PODS,
    Object,
    in_namespace,
    name_of,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import NotFound, Refused
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.model import SKIPPED, KernelBoot, RunSettings
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.plan import plan
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.result import result
from ansible_collections.intel.qatvirt.plugins.module_utils.test_vm.runner import Runner


def main() -> None:
    boot = {
        "image": {"type": "str", "required": True},
        "kernel_path": {"type": "str", "required": True},
        "initrd_path": {"type": "str", "required": True},
        "kernel_args": {"type": "str", "default": "console=ttyS0"},
    }
    options = {
        "nodes": NODES_SPEC,
        **RESOURCE_SPEC,
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
    """Decide which tests to make, make them, return their results."""
    params = module.params
    settings = settings_of(params)
    nodes = [ClusterNode.from_data(data) for data in params["nodes"]]
    refuse_impossible(params, [node.workload for node in nodes])
    pairs = match_nodes(nodes, api.list(NODES)) if nodes else []
    pods = api.list(PODS) if nodes else []
    resources = resources_of(nodes, params["resource"], params["family_resources"])
    tests, results = plan(pairs, pods, resources, settings, has_kubevirt(api, settings.namespace))
    if module.check_mode:
        reason = "check mode: nothing is started"
        results += [result(test, settings, SKIPPED, reason) for test in tests]
        return {"changed": False, "tests": ordered(results, pairs), "not_removed": [], "swept": []}
    outcome = Runner(api, tests, settings, params["wait_timeout"]).run()
    return {
        "changed": bool(outcome.swept),
        "tests": ordered([*results, *outcome.tests], pairs),
        "not_removed": outcome.not_removed,
        "swept": outcome.swept,
    }


def settings_of(params: dict[str, Any]) -> RunSettings:
    """The settings that all tests of a run share, with a new id for the run."""
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


def refuse_impossible(params: dict[str, Any], workloads: list[str]) -> None:
    """Raise Refused where a test with these options can never answer."""
    wrong = [f"{name} is {params[name]}, expected 1 or more" for name in ("count", "cpu") if params[name] < 1]
    if VM in workloads and not params["kernel_boot"] and not params["report_script"]:
        wrong.append(
            "report_script is empty, and a guest with a container disk cannot report without it: set it to the text "
            "of files/report.sh of the role qat_test_vm, or boot from kernel_boot"
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


def ordered(tests: list[dict[str, Any]], pairs: list[tuple[ClusterNode, Object]]) -> list[dict[str, Any]]:
    """Results in the order of the nodes."""
    names = [name_of(item) for _node, item in pairs]
    return sorted(tests, key=lambda test: names.index(test["node"]))


if __name__ == "__main__":
    main()
