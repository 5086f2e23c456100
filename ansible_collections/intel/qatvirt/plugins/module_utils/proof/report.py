# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: all verdicts, findings, VFs with their owners and tests, as plain data. Pure.

The README of the role qat_validate describes its shape.
"""

from __future__ import annotations

from typing import Any

from ..cluster.nodes import PLUGIN_PREFIX, READY_LABEL
from ..cluster.objects import Object, labels_of
from ..cluster.qat_plugin import image_of
from ..cluster.vf_owners import VfOwner, VfOwners
from ..node.model import Pf
from ..node.policy import ordered
from .check import FAIL, PASS, SKIPPED, WARN, Answer, worst
from .cluster_checks import owners_of
from .site import CheckedNode, Site

SCHEMA = 2
"""Grows when a key changes its meaning or goes away; new keys may come at any time."""
COLLECTION = "0.3.0"
"""Version of this collection: a module that Ansible has packed up cannot read galaxy.yml any more."""


_SUMMARY = (PASS, WARN, FAIL, SKIPPED)
"""Verdicts in the order in which checks are counted for people."""


def report(site: Site, answers: list[Answer], made: str) -> dict[str, Any]:
    """The report. ``made``: its time in UTC, such as ``2026-11-25T04:00:00Z``."""
    verdicts = [answer.verdict for answer in answers]
    return {
        "schema": SCHEMA,
        "made": made,
        "collection": COLLECTION,
        "emulated": any(checked.facts["emulated"] for checked in site.nodes),
        "verdict": worst(verdicts),
        "summary": {verdict: verdicts.count(verdict) for verdict in _SUMMARY},
        "cluster": _cluster(site),
        "checks": [answer.as_data() for answer in answers],
        "nodes": [_node(site, checked) for checked in site.nodes],
        "tests": site.tests or [],
    }


def _cluster(site: Site) -> dict[str, Any] | None:
    snapshot = site.snapshot
    if snapshot is None:
        return None
    status = (snapshot.kubevirt or {}).get("status", {})
    images = (image_of(item) for item in snapshot.daemonsets)
    return {
        "server": snapshot.server,
        "kubernetes": snapshot.version,
        "kubevirt": status.get("observedKubeVirtVersion"),
        "configured_by": str(snapshot.config_owner) if snapshot.config_owner else None,
        "plugin": next((image for image in images if image), None),
    }


def _node(site: Site, checked: CheckedNode) -> dict[str, Any]:
    item = site.objects.get(checked.name)
    owners = owners_of(site, checked)
    facts = checked.facts
    return {
        "name": checked.name,
        "workload": checked.node.workload,
        "kernel": facts["kernel"]["release"],
        "os": f"{facts['os']['id']} {facts['os']['version']}".strip(),
        "emulated": facts["emulated"],
        "ready": None if item is None else labels_of(item).get(READY_LABEL) == "true",
        "schedulable": None if item is None else not item.get("spec", {}).get("unschedulable", False),
        "resources": _resources(site, item),
        "pfs": [_pf(pf, owners) for pf in checked.pfs],
    }


def _resources(site: Site, item: Object | None) -> dict[str, int]:
    """QAT resources that the node has allocatable, and how many. Resources at 0 are left out: for a while kubelet keeps
    those of a plugin that is gone."""
    names = set((site.resources or {}).values())
    found = (item or {}).get("status", {}).get("allocatable") or {}
    return {
        name: int(count)
        for name, count in sorted(found.items())
        if (name in names or name.startswith(PLUGIN_PREFIX)) and count.isdigit() and count != "0"
    }


def _pf(pf: Pf, owners: VfOwners) -> dict[str, Any]:
    return {
        "address": pf.address,
        "device": pf.device,
        "family": pf.family,
        "numa_node": pf.numa_node,
        "driver": pf.driver,
        "state": pf.state,
        "services": None if pf.services is None else list(ordered(set(pf.services))),
        "vfs_possible": pf.vfs_possible,
        "vfs": [
            {
                "address": vf.address,
                "device": vf.device,
                "driver": vf.driver,
                "iommu_group": vf.iommu_group,
                "numa_node": vf.numa_node,
                "owner": _owner(owners[vf.address]),
            }
            for vf in pf.vfs
        ],
    }


def _owner(owners: tuple[VfOwner, ...]) -> dict[str, str]:
    """Who has a VF. Where it has several owners, which is a finding, the text names all of them."""
    return {"kind": owners[0].kind, "text": " and ".join(owner.text for owner in owners)}


_SENTENCES = {
    PASS: "It holds: every check passed.",
    WARN: "It holds, with warnings.",
    FAIL: "It does not hold.",
}


def verdict_text(data: dict[str, Any]) -> str:
    """The end of a play, for a person: the verdict, each finding with what to do, the result of each test."""
    summary = data["summary"]
    counted = ", ".join(f"{summary[verdict]} {verdict}" for verdict in _SUMMARY if summary[verdict])
    lines = [f"{_SENTENCES[data['verdict']]} Checks: {counted}."]
    if data["emulated"]:
        lines.append("Emulated hardware: this is no proof on QAT silicon.")
    for check in data["checks"]:
        for finding in check["findings"]:
            where = " ".join(part for part in (finding["node"], finding["object"]) if part)
            lines += [
                f"[{check['id']}] {finding['severity']}: {where}: {finding['message']}",
                f"    To do: {finding['fix']}",
            ]
    lines += [f"{test['object'] or test['node']}: {answer_text(test)}" for test in data["tests"]]
    return "\n".join(lines)


def answer_text(test: dict[str, Any]) -> str:
    """What a test virtual machine or pod answered, in one line."""
    if test["verdict"] != PASS:
        why = test["diagnosis"]
        return f"{test['verdict']}: {why['id'] + ': ' + why['message'] if why else test['reason']}"
    ids = [f"{function['vendor']}:{function['device']}" for function in test["seen"]]
    seen = ", ".join(f"{ids.count(name)} x {name}" for name in sorted(set(ids)))
    return f"on {test['node']} saw {seen}, given {', '.join(test['given'])}"
