# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count the calls of the Kubernetes API in one run of the cluster layer and the checks: python -m bench.api_calls.run

The API server is real and logs each call of the plays' account. The nodes are only objects and facts: this program
writes what their kubelets and KubeVirt would write. The VFs of half of the nodes are for containers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.intel.qatvirt.plugins.module_utils.node.apply import converge
from ansible_collections.intel.qatvirt.plugins.module_utils.node.policy import parse_policy
from ansible_collections.intel.qatvirt.tests.unit.node.simhost import facts_of, with_host
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import PfSpec, SimKernel
from lab import Lab
from lab.cluster import manifests, programs
from lab.cluster.control_plane import ControlPlane
from lab.cluster.profiles import PROFILES
from tests.plays import ansible_playbook, play

RESULT = Path(__file__).with_name("result.md")
PROFILE = PROFILES["kubevirt-1.8"]
LIMIT = 50
"""The most calls that a run without changes may make."""
SHAPES = {"2 nodes x 16 VFs": (2, 1), "20 nodes x 128 VFs": (20, 8)}
"""Sites: number of nodes, and number of PFs of each node."""
VFS = 16
"""Number of VFs of each PF."""

Calls = Counter[str]
"""Number of calls by verb and resource, such as "list nodes"."""


def measure(*shapes: str) -> dict[str, Calls]:
    """The calls of a run without changes, by shape. shapes: keys of SHAPES."""
    return {shape: _count(*SHAPES[shape]) for shape in shapes}


def complaints(runs: dict[str, Calls]) -> list[str]:
    """The limits that the runs pass: too many calls, or a number that depends on the size of the site."""
    found = [
        f"{shape}: {calls.total()} calls, expected at most {LIMIT}"
        for shape, calls in runs.items()
        if calls.total() > LIMIT
    ]
    if len({tuple(sorted(calls.items())) for calls in runs.values()}) != 1:
        found.append(f"the calls depend on the size of the site: {runs}")
    return found


def _count(nodes: int, pfs: int) -> Calls:
    """Run the cluster layer twice on a new cluster and count the calls of the second run."""
    with Lab("bench-api", PROFILE) as lab, tempfile.TemporaryDirectory() as name:
        lab.down()
        lab.start_all([])
        directory = Path(name)
        cluster = lab.control_plane
        _write_inventory(directory, cluster, nodes, pfs)
        granted = play(directory, "rbac")
        if granted.code:
            sys.exit(granted.text)
        _write_status(cluster, nodes, pfs * VFS)
        _run(directory)
        before = len(cluster.audited())
        text = _run(directory)
        if "changed=0" not in text:
            sys.exit(f"the second run changed something:\n{text}")
        return Counter(_named(call) for call in cluster.audited()[before:])


def _named(call: dict[str, Any]) -> str:
    """The verb and the resource of a call, such as "list nodes". A call for no resource is called "get discovery"."""
    target = call.get("objectRef", {})
    return f"{call['verb']} {target['resource']}" if "resource" in target else "get discovery"


def _run(directory: Path) -> str:
    done = ansible_playbook("-i", directory / "hosts.yml", "bench/api_calls/cluster.yml")
    if done.code:
        sys.exit(done.text)
    return done.text


def _write_inventory(directory: Path, cluster: ControlPlane, nodes: int, pfs: int) -> None:
    facts = directory / "facts.json"
    facts.write_text(json.dumps(_facts(pfs, directory)))
    kubeconfig = str(directory / "qatvirt.kubeconfig")
    variables = {
        "qatvirt_kubeconfig": kubeconfig,
        "rbac_kubeconfig": kubeconfig,
        "rbac_admin_kubeconfig": str(cluster.kubeconfig),
        "api_calls_facts": str(facts),
        "qat_plugin_image": "none",
    }
    hosts = {_name(index): {"qatvirt_workload": _workload(index)} for index in range(nodes)}
    inventory = {"all": {"vars": variables}, "qat_nodes": {"hosts": hosts}}
    (directory / "hosts.yml").write_text(yaml.safe_dump(inventory))


def _name(index: int) -> str:
    return f"node{index}"


def _workload(index: int) -> str:
    return "container" if index % 2 else "vm"


def _facts(pfs: int, directory: Path) -> dict[str, Any]:
    """The facts of a converged node; they are the same for all nodes."""
    kernel = with_host(SimKernel(tuple(PfSpec(f"0000:{16 + pf:02x}:00.0", "4940", totalvfs=VFS) for pf in range(pfs))))
    converge(kernel, parse_policy([{}]))
    return facts_of(kernel, directory)


def _write_status(cluster: ControlPlane, nodes: int, vfs: int) -> None:
    """Write the objects and the status that kubelets and KubeVirt's operator would write."""
    assert PROFILE.kubevirt
    operator = manifests.kubevirt_operator(PROFILE.kubevirt, programs.build(PROFILE.kubevirt))
    kinds = [item for item in yaml.safe_load_all(operator) if item["kind"] == "CustomResourceDefinition"]
    cluster.kubectl("apply", "--server-side", "-f", "-", text=yaml.safe_dump_all(kinds))
    served = "--for=jsonpath={.status.acceptedNames.kind}=KubeVirt"
    cluster.kubectl("wait", "crd/kubevirts.kubevirt.io", served, "--timeout=60s")
    version = PROFILE.kubevirt.version
    condition = {"type": "Available", "status": "True", "reason": "AllComponentsReady"}
    status = {
        "conditions": [condition],
        "observedKubeVirtVersion": version,
        "targetKubeVirtVersion": version,
    }
    where = {"name": "kubevirt", "namespace": "kubevirt"}
    kubevirt = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": where, "spec": {}}
    objects = [kubevirt, *({"apiVersion": "v1", "kind": "Node", "metadata": {"name": _name(i)}} for i in range(nodes))]
    cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(objects))
    _patch_status(cluster, "kubevirt", "kubevirt", status)
    for index in range(nodes):
        resource = "qat.intel.com/cy" if _workload(index) == "container" else "intel.com/qat"
        counts = {resource: str(vfs)}
        _patch_status(cluster, "node", _name(index), {"allocatable": counts, "capacity": counts})


def _patch_status(cluster: ControlPlane, kind: str, name: str, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    cluster.kubectl("-n", "kubevirt", "patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)


def main() -> None:
    """Measure, write the table, fail when a limit is passed."""
    runs = measure(*SHAPES)
    RESULT.write_text(table(runs))
    print(RESULT.read_text())
    sys.exit("\n".join(complaints(runs)) or None)


def table(runs: dict[str, Calls]) -> str:
    """The result as Markdown."""
    names = sorted({name for calls in runs.values() for name in calls})
    lines = [
        "# Calls of the Kubernetes API by cluster.yml and the checks, without changes",
        "",
        f"Written by `python -m bench.api_calls.run`. Limit: {LIMIT}, whatever the size of the site up to 500 nodes;",
        "longer lists come in pages of 500, so that each further 500 nodes cost one more call for each list of nodes.",
        "",
        f"| call | {' | '.join(runs)} |",
        f"|---|{'---|' * len(runs)}",
    ]
    lines += [f"| {name} | {' | '.join(str(calls[name]) for calls in runs.values())} |" for name in names]
    lines.append(f"| together | {' | '.join(str(calls.total()) for calls in runs.values())} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
