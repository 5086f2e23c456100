# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of KubeVirt, the state of its CR, its operator manifest, and the spec that a user wants.

Pure. Support matrix: kubevirt/sig-release, July 2026. KubeVirt does not support going back to an older release.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from .objects import Object, Objects, look_up, name_of, set_at
from .placement import keep_off

Minor = tuple[int, int]

MATRIX: dict[Minor, tuple[Minor, Minor]] = {
    (1, 6): ((1, 31), (1, 33)),
    (1, 7): ((1, 32), (1, 34)),
    (1, 8): ((1, 33), (1, 35)),
    (1, 9): ((1, 34), (1, 36)),
}
"""First and last release of Kubernetes that each release of KubeVirt supports."""
MEMLOCK, MEMLOCK_FIXED = ("v1.8.1", "v1.8.2"), "v1.8.3"
"""Releases in which virtual machines with several VFIO devices hit the locked memory limit (issue 17694), and the
release that fixed it."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?")
_MERGED_ELSEWHERE = (
    ("permittedHostDevices",),
    ("developerConfiguration", "featureGates"),
)
"""Fields of spec.configuration with lists that others write too; modules of this collection merge them."""


@dataclass(frozen=True)
class Objection:
    """A reason against a version of KubeVirt. ``fatal``: that version must not be installed."""

    text: str
    fatal: bool = True


def parse_version(text: str) -> tuple[int, int, int]:
    """A version as numbers: (1, 8, 4) for v1.8.4. Raises InputError where the text is no version."""
    match = _VERSION.fullmatch(text)
    if not match:
        raise InputError(f"'{text}' is no KubeVirt version; expected one such as v1.8.4")
    return int(match[1]), int(match[2]), int(match[3])


def version_objections(
    target: str, observed: str | None, kubernetes: str, pinned: str = "", allow_unsupported: bool = False
) -> list[Objection]:
    """Objections to a version of KubeVirt.

    ``target``: the version of the manifest, or else the version that runs; empty while neither is known. ``observed``:
    the version that runs. ``kubernetes``: version of the API server, such as v1.35.4. ``pinned``: the version that the
    user asks for, empty for any. Raises InputError where ``pinned`` is no version.
    """
    if pinned:
        parse_version(pinned)
    if not target:
        return []
    found = []
    if pinned and not same_version(pinned, target):
        text = (
            f"kubevirt_version is {pinned}, but the operator manifest (or the KubeVirt that runs) is of {target}; set "
            "kubevirt_operator_manifest to the manifest of the version that you want"
        )
        found.append(Objection(text=text, fatal=True))
    if not _VERSION.fullmatch(target):
        text = f"KubeVirt {target} is no release, so it is not known whether it supports Kubernetes {kubernetes}"
        return [*found, Objection(text=text, fatal=False)]
    if observed and _VERSION.fullmatch(observed):
        found += _upgrade_objections(target, observed)
    if target in MEMLOCK:
        text = f"KubeVirt {target} limits locked memory too low for virtual machines with several VFs"
        found.append(Objection(text=f"{text}; take {MEMLOCK_FIXED} or later", fatal=False))
    return [*found, *_kubernetes_objections(target, kubernetes, allow_unsupported)]


def _upgrade_objections(target: str, observed: str) -> list[Objection]:
    then, now = parse_version(target), parse_version(observed)
    if then < now:
        text = (
            f"KubeVirt {observed} runs, and {target} is older; KubeVirt does not support going back. "
            f"Set kubevirt_operator_manifest to the manifest of {observed} or of a later release"
        )
        return [Objection(text=text, fatal=True)]
    if then[:2] > (now[0], now[1] + 1):
        text = (
            f"an upgrade of KubeVirt {observed} to {target} skips a minor release; KubeVirt's own tests upgrade by one "
            "minor release only"
        )
        return [Objection(text=text, fatal=False)]
    return []


def _kubernetes_objections(target: str, kubernetes: str, allow_unsupported: bool) -> list[Objection]:
    minor = parse_version(target)[:2]
    match = _VERSION.match(kubernetes)
    cluster = (int(match[1]), int(match[2])) if match else None
    if cluster is None or minor not in MATRIX:
        text = (
            f"it is not known whether KubeVirt {target} supports Kubernetes {kubernetes}; see the release notes of "
            "KubeVirt"
        )
        return [Objection(text=text, fatal=False)]
    first, last = MATRIX[minor]
    if first <= cluster <= last:
        return []
    supported = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    fitting = [f"{major}.{number}" for (major, number), (low, high) in MATRIX.items() if low <= cluster <= high]
    text = (
        f"KubeVirt {target} supports Kubernetes {supported}, and the cluster is {kubernetes}. Take KubeVirt "
        f"{' or '.join(fitting) or 'of another release'}, or set kubevirt_allow_unsupported"
    )
    return [Objection(text=text, fatal=not allow_unsupported)]


def conditions(item: Object) -> dict[str, Object]:
    """Conditions of an object by type."""
    return {entry["type"]: entry for entry in look_up(item, ("status", "conditions")) or ()}


def is_available(item: Object, version: str | None) -> bool:
    """Whether KubeVirt is available, not degraded, and of the version that its operator aims at.

    ``version``: a version that KubeVirt must also be of, None for any. The condition Available alone does not tell:
    before an upgrade has begun Available is still True.
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
    """Whether two versions are the same; the leading v may be missing."""
    return one.removeprefix("v") == other.removeprefix("v")


def describe(item: Object) -> str:
    """The state of a KubeVirt CR in one sentence."""
    status = item.get("status", {})
    states = [
        f"{kind}={entry['status']} ({entry.get('reason', 'no reason')}: {entry.get('message', '')})"
        for kind, entry in conditions(item).items()
    ]
    versions = f"observed {status.get('observedKubeVirtVersion')}, target {status.get('targetKubeVirtVersion')}"
    where = f"{item['metadata']['namespace']}/{name_of(item)}"
    if not states:
        return f"KubeVirt {where} has no condition at all: its operator has not processed the CR"
    return f"KubeVirt {where}: {', '.join(states)}; version {versions}"


def describe_operator(deployments: Objects) -> str:
    """The state of the Deployment virt-operator in one sentence."""
    for item in deployments:
        if name_of(item) == "virt-operator":
            status = item.get("status", {})
            return f"virt-operator has {status.get('readyReplicas', 0)} of {item['spec'].get('replicas', 1)} pods ready"
    return (
        "there is no Deployment virt-operator in the namespace of KubeVirt: install the operator "
        "(kubevirt_operator_manifest)"
    )


def operator_deployment(documents: Objects) -> Object:
    """The Deployment virt-operator of an operator manifest. Raises InputError where the manifest has none."""
    for item in documents:
        if item and item.get("kind") == "Deployment" and name_of(item) == "virt-operator":
            return item
    raise InputError("the manifest has no Deployment virt-operator; expected kubevirt-operator.yaml of a release")


def manifest_version(documents: Objects) -> str:
    """The version of KubeVirt that an operator manifest installs. Raises InputError where it has no version."""
    container = operator_deployment(documents)["spec"]["template"]["spec"]["containers"][0]
    environment = {entry["name"]: entry.get("value", "") for entry in container.get("env") or ()}
    version = environment.get("KUBEVIRT_VERSION") or container["image"].rpartition(":")[2]
    parse_version(version)
    return str(version)


def with_images_of(documents: Objects, registry: str, pull_secrets: list[str]) -> Objects:
    """An operator manifest with the images of another registry.

    ``registry``: with its prefix; empty keeps the images. ``pull_secrets``: names of the Secrets with which the images
    are pulled. virt-operator derives the names of KubeVirt's other images from its own image.
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
    """The spec of KubeVirt's CR as the user's variables give it.

    ``extra``: fields that the user wrote freely. ``parts``: fields with a variable of their own, by dotted path; empty
    ones are left out. ``pull_secrets``: names of Secrets. Raises InputError for fields that a module merges because
    others write them too, and Refused for a placement that demands the nodes for containers.
    """
    for path in _MERGED_ELSEWHERE:
        if look_up(extra, ("configuration", *path)) is not None:
            raise InputError(
                f"kubevirt_cr_spec has configuration.{'.'.join(path)}, a list that others write too. Remove it from "
                "kubevirt_cr_spec; the module kubevirt_host_devices merges host devices and their feature gate"
            )
    spec = deepcopy(extra)
    secrets = [{"name": name} for name in pull_secrets]
    for dotted, value in {**parts, "imagePullSecrets": secrets}.items():
        if value not in (None, "", {}, []):
            set_at(spec, tuple(dotted.split(".")), value)
    if not look_up(spec, ("workloads", "nodePlacement")):
        return spec
    # With the rule of the module kubevirt_placement, because an apply without the rule would remove it.
    placed: dict[str, Any] = keep_off({"spec": spec})["spec"]
    return placed
