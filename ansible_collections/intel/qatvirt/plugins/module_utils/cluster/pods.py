# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a pod does not run, in sentences with a remedy. Pure."""

from __future__ import annotations

from .objects import Object, name_of

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_LAST_WORDS = 300


def pod_trouble(pod: Object) -> list[str]:
    """What keeps a pod from being ready, one sentence each; nothing where it is ready or done."""
    status = pod.get("status", {})
    if status.get("phase") == "Succeeded" or ready(pod):
        return []
    who = f"pod {pod['metadata']['namespace']}/{name_of(pod)} on node {pod['spec'].get('nodeName', '(none)')}"
    why = unscheduled(pod)
    if why:
        return [f"{who} is not scheduled: {why}. Make room, or see the nodes' taints and the pod's node selector"]
    inits, mains = status.get("initContainerStatuses") or (), status.get("containerStatuses") or ()
    found = [text for container in inits if not _runs(container) and (text := _container(who, pod, container))]
    found += [text for container in mains if (text := _container(who, pod, container))]
    if not found and status.get("phase") == "Failed":
        found = [f"{who} failed: {status.get('message') or status.get('reason') or 'no reason given'}. Delete it"]
    return found or [f"{who} is {status.get('phase', 'new')} and not ready yet"]


def ready(pod: Object) -> Object | None:
    """The condition that says that a pod is ready, None where it is not."""
    conditions: list[Object] = pod.get("status", {}).get("conditions") or []
    return next((item for item in conditions if item["type"] == "Ready" and item["status"] == "True"), None)


def unscheduled(pod: Object) -> str | None:
    """What the scheduler says of a pod that it found no node for."""
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message") or condition.get("reason"))
    return None


def _runs(container: Object) -> bool:
    return "running" in (container.get("state") or {})


def _container(who: str, pod: Object, container: Object) -> str | None:
    """What is wrong with one container; None where it is ready or done."""
    where = f"-n {pod['metadata']['namespace']} {name_of(pod)}"
    logs = f"See kubectl logs {where} -c {container['name']}"
    state = container.get("state") or {}
    waiting = state.get("waiting")
    if waiting and waiting.get("reason") in _PULL:
        secrets = "imagePullSecrets" in pod["spec"]
        return (
            f"{who}: image {container['image']} cannot be pulled ({waiting['reason']}: {waiting.get('message', '')}). "
            f"Check name, tag and registry, that the node reaches it{', and the pull secrets' if secrets else ''}"
        )
    if waiting and waiting.get("reason") not in ("PodInitializing", "ContainerCreating"):
        # A container that was never made has no log.
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
    """How a container ended the last time."""
    ended = (container.get("lastState") or {}).get("terminated")
    if not ended:
        return ""
    message = (ended.get("message") or "")[-_LAST_WORDS:].strip()
    words = f": {message}" if message else ""
    return f" It ended with exit code {ended.get('exitCode')} ({ended.get('reason')}){words}."
