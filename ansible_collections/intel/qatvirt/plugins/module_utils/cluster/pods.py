# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods: which virtual machine a pod runs, which devices it asks for, and why it does not run. Pure.

The names of devices that a virtual machine asks for are here too, beside those of a pod.
"""

from __future__ import annotations

from .objects import Object, labels_of, name_of

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_LAST_WORDS = 300
"""Characters of a container's termination message that a sentence quotes at most."""

ENDED_PHASES = ("Succeeded", "Failed")
"""Phases in which a pod or a virtual machine instance runs no more, and holds no device."""


def has_ended(item: Object) -> bool:
    """Whether a pod or a virtual machine instance has ended."""
    return item.get("status", {}).get("phase") in ENDED_PHASES


def is_launcher(pod: Object) -> bool:
    """Whether a pod runs a virtual machine."""
    return labels_of(pod).get("kubevirt.io") == "virt-launcher"


def machine_of(pod: Object) -> str | None:
    """Name of the virtual machine that a launcher pod runs; None for any other pod."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((owner["name"] for owner in owners if owner["kind"] == "VirtualMachineInstance"), None)


def devices_of(pod: Object) -> dict[str, int]:
    """How many of each extended resource a pod asks for."""
    spec = pod["spec"]
    found: dict[str, int] = {}
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        for name, count in (container.get("resources", {}).get("limits") or {}).items():
            if "/" in name and str(count).isdigit():
                found[name] = found.get(name, 0) + int(count)
    return found


def devices_of_machine(machine: Object) -> list[str]:
    """Resource name of each host device and GPU that a VirtualMachineInstance asks for."""
    devices = machine.get("spec", {}).get("domain", {}).get("devices", {})
    return [str(item.get("deviceName")) for kind in ("hostDevices", "gpus") for item in devices.get(kind) or ()]


def pod_trouble(pod: Object) -> list[str]:
    """What keeps a pod from being ready, one sentence each; nothing where the pod is ready or has succeeded."""
    status = pod.get("status", {})
    if status.get("phase") == "Succeeded" or ready(pod):
        return []
    who = f"pod {pod['metadata']['namespace']}/{name_of(pod)} on node {pod['spec'].get('nodeName', '(none)')}"
    why = unscheduled(pod)
    if why:
        return [f"{who} is not scheduled: {why}. Make room, or see the taints of the nodes and the pod's node selector"]
    inits, mains = status.get("initContainerStatuses") or (), status.get("containerStatuses") or ()
    found = [text for container in inits if not _runs(container) and (text := _container(who, pod, container))]
    found += [text for container in mains if (text := _container(who, pod, container))]
    if not found and status.get("phase") == "Failed":
        found = [f"{who} failed: {status.get('message') or status.get('reason') or 'no reason given'}. Delete the pod"]
    return found or [f"{who} is {status.get('phase', 'new')} and not ready yet"]


def ready(pod: Object) -> Object | None:
    """The condition that says that a pod is ready; None where the pod is not ready."""
    conditions: list[Object] = pod.get("status", {}).get("conditions") or []
    return next((item for item in conditions if item["type"] == "Ready" and item["status"] == "True"), None)


def unscheduled(pod: Object) -> str | None:
    """Why the scheduler found no node for a pod; None where the pod has a node."""
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message") or condition.get("reason"))
    return None


def _runs(container: Object) -> bool:
    return "running" in (container.get("state") or {})


def _container(who: str, pod: Object, container: Object) -> str | None:
    """What is wrong with one container; None where the container is ready or has succeeded."""
    where = f"-n {pod['metadata']['namespace']} {name_of(pod)}"
    logs = f"See kubectl logs {where} -c {container['name']}"
    state = container.get("state") or {}
    waiting = state.get("waiting")
    if waiting and waiting.get("reason") in _PULL:
        secrets = "imagePullSecrets" in pod["spec"]
        return (
            f"{who}: image {container['image']} cannot be pulled ({waiting['reason']}: {waiting.get('message', '')}). "
            "Check name, tag and registry, that the node reaches the registry"
            f"{', and the pull secrets' if secrets else ''}"
        )
    if waiting and waiting.get("reason") not in ("PodInitializing", "ContainerCreating"):
        # A container that never started has no log.
        see = f"{logs} --previous" if "lastState" in container else f"See kubectl describe pod {where}"
        return (
            f"{who}: container {container['name']} waits ({waiting.get('reason')}: {waiting.get('message', '')})."
            f"{_last_words(container)} {see}"
        )
    if _runs(container) and not container.get("ready", False):
        restarts = container.get("restartCount", 0)
        return (
            f"{who}: container {container['name']} runs, but its readiness probe fails ({restarts} restarts)."
            f"{_last_words(container)} {logs}"
        )
    ended = state.get("terminated")
    if ended and ended.get("exitCode"):
        how = f"exit code {ended['exitCode']} ({ended.get('reason')})"
        return f"{who}: container {container['name']} ended with {how}. {logs}"
    return None


def _last_words(container: Object) -> str:
    """How a container ended the last time; empty where it never ended."""
    ended = (container.get("lastState") or {}).get("terminated")
    if not ended:
        return ""
    message = (ended.get("message") or "")[-_LAST_WORDS:].strip()
    words = f": {message}" if message else ""
    return f" It last ended with exit code {ended.get('exitCode')} ({ended.get('reason')}){words}."
