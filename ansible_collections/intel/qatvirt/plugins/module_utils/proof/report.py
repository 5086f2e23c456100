# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: everything the proof has found, as plain data of a stable shape (README of role qat_validate). Pure."""

from __future__ import annotations

from typing import Any

from ..cluster.nodes import PLUGIN_PREFIX, READY_LABEL
from ..cluster.objects import Object, labels_of
from ..cluster.qat_plugin import image_of
from ..cluster.vf_owners import VfOwner
from ..node.model import Pf
from ..node.policy import ordered
from .check import FAIL, PASS, SKIPPED, WARN, Answer
from .cluster_checks import owners_of
from .site import CheckedNode, Site

SCHEMA = 1
"""Grows when a key changes its meaning or goes away; new keys may come at any time."""
COLLECTION = "0.3.0"
"""Version of this collection: a module that Ansible has packed up cannot read galaxy.yml any more."""


def report(site: Site, answers: list[Answer], made: str) -> dict[str, Any]:
    """The report. ``made``: when, such as ``2026-11-25T04:00:00Z``."""
    verdicts = [answer.verdict for answer in answers]
    return {
        "schema": SCHEMA,
        "made": made,
        "collection": COLLECTION,
        "emulated": any(case.facts["emulated"] for case in site.nodes),
        "verdict": next((verdict for verdict in (FAIL, WARN) if verdict in verdicts), PASS),
        "summary": {verdict: verdicts.count(verdict) for verdict in (PASS, WARN, FAIL, SKIPPED)},
        "cluster": _cluster(site),
        "checks": [answer.as_data() for answer in answers],
        "nodes": [_node(site, case) for case in site.nodes],
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
        "owner": str(snapshot.config_owner) if snapshot.config_owner else None,
        "plugin": next((image for image in images if image), None),
    }


def _node(site: Site, case: CheckedNode) -> dict[str, Any]:
    item = site.objects.get(case.name)
    who = owners_of(site, case)
    facts = case.facts
    return {
        "name": case.name,
        "workload": case.node.workload,
        "kernel": facts["kernel"]["release"],
        "os": f"{facts['os']['id']} {facts['os']['version']}".strip(),
        "emulated": facts["emulated"],
        "ready": None if item is None else labels_of(item).get(READY_LABEL) == "true",
        "schedulable": None if item is None else not item.get("spec", {}).get("unschedulable", False),
        "resources": _resources(site, item),
        "pfs": [_pf(pf, who) for pf in case.pfs],
    }


def _resources(site: Site, item: Object | None) -> dict[str, int]:
    """QAT resources that the node has allocatable; kubelet keeps those of a plugin that left at 0 for a while."""
    names = set((site.resources or {}).values())
    found = (item or {}).get("status", {}).get("allocatable") or {}
    return {
        name: int(count)
        for name, count in sorted(found.items())
        if (name in names or name.startswith(PLUGIN_PREFIX)) and count.isdigit() and count != "0"
    }


def _pf(pf: Pf, who: dict[str, tuple[VfOwner, ...]]) -> dict[str, Any]:
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
                "group": vf.iommu_group,
                "numa_node": vf.numa_node,
                "owner": _owner(who[vf.address]),
            }
            for vf in pf.vfs
        ],
    }


def _owner(who: tuple[VfOwner, ...]) -> dict[str, str]:
    """The one owner; where there are several, which is a finding, all of them in the text."""
    return {"kind": who[0].kind, "text": " and ".join(owner.text for owner in who)}


_SENTENCES = {
    PASS: "It holds: every check passed.",
    WARN: "It holds, with warnings.",
    FAIL: "It does not hold.",
}


def verdict_text(data: dict[str, Any]) -> str:
    """The end of a play for a person: the verdict, what is wrong with its remedy, the machines' answers."""
    summary = data["summary"]
    counted = ", ".join(f"{summary[verdict]} {verdict}" for verdict in (PASS, WARN, FAIL, SKIPPED) if summary[verdict])
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
    """What a test machine or pod answered, in one line."""
    if test["verdict"] != PASS:
        why = test["diagnosis"]
        return f"{test['verdict']}: {why['id'] + ': ' + why['message'] if why else test['reason']}"
    ids = [f"{function['vendor']}:{function['device']}" for function in test["seen"]]
    seen = ", ".join(f"{ids.count(name)} x {name}" for name in sorted(set(ids)))
    return f"on {test['node']} saw {seen}, given {', '.join(test['given'])}"
