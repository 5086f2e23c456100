# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over KubeVirt's versions and its operator manifest. Documented beside this file, one YAML a filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import yaml

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster import kubevirt
from ansible_collections.intel.qatvirt.plugins.plugin_utils.filter_errors import told


@told
def kubevirt_findings(
    target: str, observed: str | None, kubernetes: str, pinned: str = "", allow_unsupported: bool = False
) -> list[dict[str, Any]]:
    """What speaks against KubeVirt of a version."""
    return [asdict(finding) for finding in kubevirt.judge(target, observed, kubernetes, pinned, allow_unsupported)]


@told
def kubevirt_manifest(text: str, registry: str = "", pull_secrets: list[str] | None = None) -> dict[str, Any]:
    """The version and the objects of an operator manifest."""
    try:
        documents = [item for item in yaml.safe_load_all(text) if item]
    except yaml.YAMLError as error:
        raise ValueError(f"the operator manifest is no YAML: {error}") from error
    if not all(isinstance(item, dict) for item in documents):
        raise ValueError("the operator manifest has something that is no object of Kubernetes")
    return {
        "version": kubevirt.manifest_version(documents),
        "objects": kubevirt.with_images_of(documents, registry, list(pull_secrets or [])),
    }


@told
def kubevirt_cr_spec(
    extra: dict[str, Any], parts: dict[str, Any], pull_secrets: list[str] | None = None
) -> dict[str, Any]:
    """The fields of KubeVirt's spec that a user set."""
    return kubevirt.cr_spec(dict(extra), dict(parts), list(pull_secrets or []))


@told
def kubevirt_remedy(message: str) -> str:
    """What to do about an answer of the API server."""
    return kubevirt.remedy(str(message))


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "kubevirt_findings": kubevirt_findings,
            "kubevirt_manifest": kubevirt_manifest,
            "kubevirt_cr_spec": kubevirt_cr_spec,
            "kubevirt_remedy": kubevirt_remedy,
        }
