# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What KubeVirt is there, what is wanted, and whether the one may become the other.

Pure. Support matrix: kubevirt/sig-release, July 2026. KubeVirt does not support going back to an older release.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from .objects import Object, Objects, name_of
from .placement import keep_off
from .update import look_up, set_at

Minor = tuple[int, int]

MATRIX: dict[Minor, tuple[Minor, Minor]] = {
    (1, 6): ((1, 31), (1, 33)),
    (1, 7): ((1, 32), (1, 34)),
    (1, 8): ((1, 33), (1, 35)),
    (1, 9): ((1, 34), (1, 36)),
}
"""First and last Kubernetes that each KubeVirt supports."""
MEMLOCK = ("v1.8.1", "v1.8.2")
"""Releases in which virtual machines with several VFIO devices hit the locked memory limit (issue 17694)."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?")
_MERGED_ELSEWHERE = (
    ("permittedHostDevices",),
    ("developerConfiguration", "featureGates"),
)


@dataclass(frozen=True)
class Objection:
    """Something about versions. ``fatal``: nothing is done while it is so."""

    text: str
    fatal: bool = True


def parse_version(text: str) -> tuple[int, int, int]:
    """(1, 8, 4) of v1.8.4. Raises InputError."""
    match = _VERSION.fullmatch(text)
    if not match:
        raise InputError(f"'{text}' is no KubeVirt version; expected one such as v1.8.4")
    return int(match[1]), int(match[2]), int(match[3])


def judge(
    target: str, observed: str | None, kubernetes: str, pinned: str = "", allow_unsupported: bool = False
) -> list[Objection]:
    """What speaks against KubeVirt of a version.

    ``target``: of the manifest, or what runs; empty while that is not known. ``observed``: the one that runs.
    ``kubernetes``: v1.35.4. ``pinned``: the one the user asks for, where he does; InputError where that is no version.
    """
    if pinned:
        parse_version(pinned)
    if not target:
        return []
    found = []
    if pinned and not same_version(pinned, target):
        text = f"kubevirt_version is {pinned}, but what there is, or the operator manifest, is of {target}"
        found.append(Objection(f"{text}; set kubevirt_operator_manifest to that of the version you want"))
    if not _VERSION.fullmatch(target):
        text = f"KubeVirt {target} is no release: whether it goes with Kubernetes {kubernetes} is not known here"
        return [*found, Objection(text, fatal=False)]
    if observed and _VERSION.fullmatch(observed):
        found += _judge_step(target, observed)
    if target in MEMLOCK:
        text = f"KubeVirt {target} limits locked memory too low for machines with several VFs; take v1.8.3 or later"
        found.append(Objection(text, fatal=False))
    return [*found, *_judge_pair(target, kubernetes, allow_unsupported)]


def _judge_step(target: str, observed: str) -> list[Objection]:
    then, now = parse_version(target), parse_version(observed)
    if then < now:
        return [
            Objection(
                f"KubeVirt {observed} runs, and {target} is older; KubeVirt does not support going back. "
                f"Set kubevirt_operator_manifest to that of {observed} or a later release"
            )
        ]
    if then[:2] > (now[0], now[1] + 1):
        text = f"KubeVirt {observed} to {target} skips a minor release; upstream tests upgrades one by one"
        return [Objection(text, fatal=False)]
    return []


def _judge_pair(target: str, kubernetes: str, allow_unsupported: bool) -> list[Objection]:
    minor = parse_version(target)[:2]
    match = _VERSION.match(kubernetes)
    cluster = (int(match[1]), int(match[2])) if match else None
    if cluster is None or minor not in MATRIX:
        text = f"whether KubeVirt {target} supports Kubernetes {kubernetes} is not known here; see its release notes"
        return [Objection(text, fatal=False)]
    first, last = MATRIX[minor]
    if first <= cluster <= last:
        return []
    supported = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    fitting = [f"{major}.{number}" for (major, number), (low, high) in MATRIX.items() if low <= cluster <= high]
    text = (
        f"KubeVirt {target} supports Kubernetes {supported}, and the cluster is {kubernetes}. Take KubeVirt "
        f"{' or '.join(fitting) or 'of another release'}, or set kubevirt_allow_unsupported"
    )
    return [Objection(text, fatal=not allow_unsupported)]


def conditions(item: Object) -> dict[str, Object]:
    """Conditions of an object by their type."""
    return {entry["type"]: entry for entry in look_up(item, ("status", "conditions")) or ()}


def is_available(item: Object, version: str | None) -> bool:
    """Whether KubeVirt is really there: available, not on its way to another version, and of ``version`` where given.

    Available alone stays True while an upgrade has not begun yet.
    """
    status = item.get("status", {})
    observed = status.get("observedKubeVirtVersion")
    states = {kind: entry["status"] for kind, entry in conditions(item).items()}
    return (
        states.get("Available") == "True"
        and states.get("Degraded") != "True"
        and observed is not None
        and observed == status.get("targetKubeVirtVersion")
        and (version is None or same_version(observed, version))
    )


def same_version(one: str, other: str) -> bool:
    """Whether two versions are the same, with or without their v."""
    return one.removeprefix("v") == other.removeprefix("v")


def describe(item: Object) -> str:
    """The state of a KubeVirt CR in one sentence."""
    status = item.get("status", {})
    told = [
        f"{kind}={entry['status']} ({entry.get('reason', 'no reason')}: {entry.get('message', '')})"
        for kind, entry in conditions(item).items()
    ]
    versions = f"observed {status.get('observedKubeVirtVersion')}, target {status.get('targetKubeVirtVersion')}"
    where = f"{item['metadata']['namespace']}/{name_of(item)}"
    if not told:
        return f"KubeVirt {where} has no condition at all: its operator has not looked at it"
    return f"KubeVirt {where}: {', '.join(told)}; version {versions}"


def describe_operator(deployments: Objects) -> str:
    """The state of virt-operator's Deployment."""
    for item in deployments:
        if name_of(item) == "virt-operator":
            status = item.get("status", {})
            return f"virt-operator has {status.get('readyReplicas', 0)} of {item['spec'].get('replicas', 1)} pods ready"
    return "there is no Deployment virt-operator in its namespace: install the operator (kubevirt_operator_manifest)"


def operator_deployment(documents: Objects) -> Object:
    """The operator's Deployment in its manifest. Raises InputError."""
    for item in documents:
        if item and item.get("kind") == "Deployment" and name_of(item) == "virt-operator":
            return item
    raise InputError("the manifest has no Deployment virt-operator; expected kubevirt-operator.yaml of a release")


def manifest_version(documents: Objects) -> str:
    """The KubeVirt version that an operator manifest installs. Raises InputError where it does not say."""
    container = operator_deployment(documents)["spec"]["template"]["spec"]["containers"][0]
    environment = {entry["name"]: entry.get("value", "") for entry in container.get("env") or ()}
    version = environment.get("KUBEVIRT_VERSION") or container["image"].rpartition(":")[2]
    parse_version(version)
    return str(version)


def with_images_of(documents: Objects, registry: str, pull_secrets: list[str]) -> Objects:
    """An operator manifest that takes all images from another registry (with prefix), and pulls with these Secrets.

    virt-operator makes the names of the other images of its own.
    """
    changed = deepcopy([item for item in documents if item])
    pod = operator_deployment(changed)["spec"]["template"]["spec"]
    for container in pod["containers"] if registry else ():
        container["image"] = _moved(container["image"], registry)
        for entry in container.get("env") or ():
            if entry["name"].endswith("_IMAGE") and entry.get("value"):
                entry["value"] = _moved(entry["value"], registry)
    if pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    return changed


def _moved(image: str, registry: str) -> str:
    return f"{registry.rstrip('/')}/{image.rpartition('/')[2]}"


def cr_spec(extra: dict[str, Any], parts: dict[str, Any], pull_secrets: list[str]) -> dict[str, Any]:
    """The fields of KubeVirt's spec that a user set.

    ``extra``: any; ``parts``: those with a variable of their own, by dotted path; ``pull_secrets``: names.

    Raises InputError for fields that a module merges, because others have entries there, too, and for a placement that
    demands the nodes for containers.
    """
    for path in _MERGED_ELSEWHERE:
        if look_up(extra, ("configuration", *path)) is not None:
            raise InputError(
                f"kubevirt_cr_spec has configuration.{'.'.join(path)}, where others have entries, too. Take it out; "
                "the module kubevirt_host_devices merges host devices and their feature gate"
            )
    spec = deepcopy(extra)
    secrets = [{"name": name} for name in pull_secrets]
    for dotted, value in {**parts, "imagePullSecrets": secrets}.items():
        if value not in (None, "", {}, []):
            set_at(spec, tuple(dotted.split(".")), value)
    if not look_up(spec, ("workloads", "nodePlacement")):
        return spec
    # As the module kubevirt_placement leaves it: else one would take away what the other has made.
    placed: dict[str, Any] = keep_off({"spec": spec})["spec"]
    return placed


_REMEDIES = (
    (
        "failed calling webhook",
        "See whether the pods behind that webhook's service run (kubectl get validatingwebhookconfigurations,"
        "mutatingwebhookconfigurations tells the service)",
    ),
    (
        "conflict",
        "These fields are owned by the manager named there (kubectl get --show-managed-fields). Leave them to it and "
        "take them out of kubevirt_* here, or have it give them up: kubectl apply --server-side --force-conflicts "
        "--field-manager=intel.qatvirt takes them over",
    ),
    (
        "forbidden",
        "Have a cluster administrator run playbooks/rbac.yml (with rbac_install_kubevirt where the operator is to be "
        "installed) and use the kubeconfig it writes",
    ),
)


def remedy(message: str) -> str:
    """What to do about an answer of the API server to a write of kubernetes.core; empty where it has to speak alone."""
    said = message.lower()
    return next((f"{text}, and run this again" for words, text in _REMEDIES if words in said), "")
