# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support bundle: what was read of nodes and cluster, as files in one archive. Pure.

:func:`pack` makes the archive, and removes secrets from every file on the way.
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
  nodes/            each node: facts, sysfs, files of this collection (NAME.json), and lines of its logs
  cluster/          nodes, KubeVirt, DaemonSets, pods, virtual machines, events, and logs of the pods that hand out VFs
  not-readable.txt  what could not be read, and why

Passwords, tokens, keys, Secrets, user data of virtual machines, and what looks like one of them, were removed; where
each was, there is "<removed: what>". No program finds every secret, so look through the files before you send them.
Names of hosts, their addresses, and names of virtual machines are still in them.

What could not be read at all
{unread}
"""

_LISTS = ("nodes", "kubevirts", "hyperconvergeds", "daemonsets", "pods", "machines", "events")

Files = dict[str, Any]
"""Contents of files by path: texts, or plain data that becomes JSON."""


def unread(node_results: Mapping[str, Any], cluster_result: Mapping[str, Any] | None) -> dict[str, str]:
    """Nodes of which nothing could be read, and the cluster where that is so, each with the reason, without secrets.

    ``node_results``, ``cluster_result``: as for :func:`contents`.
    """
    found = {f"node {name}": _failure(result) for name, result in node_results.items() if not _succeeded(result)}
    if cluster_result is not None and not _succeeded(cluster_result):
        found["cluster"] = _failure(cluster_result)
    return {what: redact_text(" ".join(why.split())) for what, why in found.items()}


def contents(
    node_results: Mapping[str, Any],
    cluster_result: Mapping[str, Any] | None,
    report: Any,
    versions: Mapping[str, Any],
    made: str,
) -> Files:
    """The files of a bundle.

    ``node_results``: results of the module ``qat_support_node`` by node, also failed ones. ``cluster_result``: the
    result of ``qat_support_cluster``, None without a cluster. ``report``: None, a report, or a sentence why it cannot
    be read.
    """
    nothing_of = unread(node_results, cluster_result)
    missing = [f"{what}: {why}" for what, why in nothing_of.items()]
    files: Files = {"versions.json": dict(versions)}
    for name, result in node_results.items():
        if _succeeded(result):
            files.update(_node(name, result["support"]))
            missing += _missing(f"node {name}", result["support"])
    if cluster_result is not None and _succeeded(cluster_result):
        files.update(_cluster(cluster_result["support"]))
        missing += _missing("cluster", cluster_result["support"])
    if isinstance(report, str):
        missing.append(report)
    elif report is not None:
        files["report.json"] = report
    summary = [f"  {what}: {why}\n" for what, why in nothing_of.items()]
    summary += ["  cluster: none was named\n"] if cluster_result is None else []
    lines = "".join(f"not readable: {' '.join(line.split())}\n" for line in missing)
    readme = README.format(made=made, unread="".join(summary).rstrip() or "  nothing")
    return {"README.txt": readme, **files, "not-readable.txt": lines}


def pack(directory: str, files: Files, made: float) -> bytes:
    """A tar.gz of ``files`` in one directory, without secrets. ``made``: modification time of the files, in seconds."""
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
    """A part of a path that is a valid file name on any system, and does not lead out of its directory."""
    return re.sub(r"[^\w.@-]", "_", part).lstrip(".") or "_"


def _succeeded(result: Any) -> bool:
    return isinstance(result, Mapping) and isinstance(result.get("support"), Mapping)


def _failure(result: Any) -> str:
    message = result.get("msg") if isinstance(result, Mapping) else None
    if isinstance(result, Mapping) and result.get("unreachable"):
        return f"unreachable: {message}"
    return str(message or "it was not asked")


def _missing(who: str, support: Mapping[str, Any]) -> list[str]:
    """What is missing from the data of a node or the cluster, a line each."""
    left_out = support.get("left_out") or {}
    return [
        *(f"{who}: {what}: {why}" for what, why in (support.get("unreadable") or {}).items()),
        *(f"{who}: {count} more {what}" for what, count in left_out.items()),
    ]


def _node(name: str, support: Mapping[str, Any]) -> Files:
    logs = {f"nodes/{_safe(name)}.{_safe(log)}.log": text for log, text in support["logs"].items() if text is not None}
    return {f"nodes/{_safe(name)}.json": {key: value for key, value in support.items() if key != "logs"}, **logs}


def _cluster(support: Mapping[str, Any]) -> Files:
    logs = {f"cluster/logs/{key.replace('/', '_')}.log": text for key, text in support["logs"].items()}
    facts = {key: support[key] for key in ("server", "kubernetes", "resources")}
    return {"cluster/cluster.json": facts, **{f"cluster/{key}.json": support[key] for key in _LISTS}, **logs}
