# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support bundle: what nodes and cluster said, as files in one archive. Pure.

:func:`pack` is the only way into an archive, and removes secrets from everything that goes through it.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Mapping
from typing import Any

from .redact import redact, redact_text

README = """\
Support bundle of intel.qatvirt, made {made}

What is in it
  versions.json     of the collection, Ansible and Python
  report.json       the last report of site.yml or validate.yml, where there was one
  nodes/            each node: facts, sysfs, files of ours (NAME.json), and lines of its logs
  cluster/          nodes, KubeVirt, DaemonSets, pods, virtual machines, events, and logs of the pods that hand out VFs
  not-readable.txt  what could not be read, and why

Passwords, tokens, keys, Secrets, user data of virtual machines, and what looks like one of them, were removed. Each
left "<removed: what>". No program finds everything, so look through it before you send it. Names of hosts, their
addresses, and names of virtual machines are still in it.

What could not be read at all
{unread}
"""

_LISTS = ("nodes", "kubevirts", "hyperconvergeds", "daemonsets", "pods", "machines", "events")

Files = dict[str, Any]
"""Texts and plain data by path."""


def unread(nodes: Mapping[str, Any], cluster: Mapping[str, Any] | None) -> dict[str, str]:
    """What could not be read at all, and why, without secrets. ``nodes``, ``cluster``: as of :func:`contents`."""
    found = {f"node {name}": _failure(result) for name, result in nodes.items() if not _got(result, "collected")}
    if cluster is not None and not _got(cluster, "dump"):
        found["cluster"] = _failure(cluster)
    return {what: redact_text(" ".join(why.split())) for what, why in found.items()}


def contents(
    nodes: Mapping[str, Any], cluster: Mapping[str, Any] | None, report: Any, versions: Mapping[str, Any], made: str
) -> Files:
    """The files of a bundle.

    ``nodes``: what ``qat_collect`` returned, or how it failed, by name. ``cluster``: the same of ``qat_cluster_dump``,
    None without one. ``report``: None, a report, or a sentence why it cannot be read.
    """
    without = unread(nodes, cluster)
    missing = [f"{what}: {why}" for what, why in without.items()]
    files: Files = {"versions.json": dict(versions)}
    for name, result in nodes.items():
        if _got(result, "collected"):
            files.update(_node(name, result["collected"]))
            missing += _missing(f"node {name}", result["collected"])
    if cluster is not None and _got(cluster, "dump"):
        files.update(_cluster(cluster["dump"]))
        missing += _missing("cluster", cluster["dump"])
    if isinstance(report, str):
        missing.append(report)
    elif report is not None:
        files["report.json"] = report
    told = [f"  {what}: {why}\n" for what, why in without.items()]
    told += ["  cluster: none was named\n"] if cluster is None else []
    lines = "".join(f"not readable: {' '.join(line.split())}\n" for line in missing)
    readme = README.format(made=made, unread="".join(told).rstrip() or "  nothing")
    return {"README.txt": readme, **files, "not-readable.txt": lines}


def pack(directory: str, files: Files, made: float) -> bytes:
    """A tar.gz of ``files`` in one directory, without secrets. ``made``: their time, in seconds."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in sorted(files.items()):
            data = _without_secrets(content).encode("utf-8", errors="replace")
            entry = tarfile.TarInfo(f"{directory}/{'/'.join(_safe(part) for part in redact_text(path).split('/'))}")
            entry.size, entry.mode, entry.mtime = len(data), 0o600, int(made)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _without_secrets(content: Any) -> str:
    if isinstance(content, str):
        return redact_text(content)
    return json.dumps(redact(content), indent=2, ensure_ascii=False) + "\n"


def _safe(part: str) -> str:
    """A name of a file, on any system, that leads nowhere else."""
    return re.sub(r"[^\w.@-]", "_", part).lstrip(".") or "_"


def _got(result: Any, key: str) -> bool:
    return isinstance(result, Mapping) and isinstance(result.get(key), Mapping)


def _failure(result: Any) -> str:
    said = result.get("msg") if isinstance(result, Mapping) else None
    if isinstance(result, Mapping) and result.get("unreachable"):
        return f"unreachable: {said}"
    return str(said or "it was not asked")


def _missing(who: str, said: Mapping[str, Any]) -> list[str]:
    left_out = said.get("left_out") or {}
    return [
        *(f"{who}: {what}: {why}" for what, why in (said.get("unreadable") or {}).items()),
        *(f"{who}: {count} more {what}" for what, count in left_out.items()),
    ]


def _node(name: str, said: Mapping[str, Any]) -> Files:
    logs = {f"nodes/{_safe(name)}.{_safe(log)}.log": text for log, text in said["logs"].items() if text is not None}
    return {f"nodes/{_safe(name)}.json": {key: value for key, value in said.items() if key != "logs"}, **logs}


def _cluster(said: Mapping[str, Any]) -> Files:
    logs = {f"cluster/logs/{key.replace('/', '_')}.log": text for key, text in said["logs"].items()}
    facts = {key: said[key] for key in ("server", "kubernetes", "resources")}
    return {"cluster/cluster.json": facts, **{f"cluster/{key}.json": said[key] for key in _LISTS}, **logs}
