# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over KubeVirt's versions and its operator manifest. Documented beside this file, one YAML a filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import yaml

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster import kubevirt, remedies
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import InputError
from ansible_collections.intel.qatvirt.plugins.plugin_utils.filter_errors import raises_filter_error


@raises_filter_error
def kubevirt_objections(
    target: str, observed: str | None, kubernetes: str, pinned: str = "", allow_unsupported: bool = False
) -> list[dict[str, Any]]:
    """Objections to a version of KubeVirt."""
    found = kubevirt.version_objections(target, observed, kubernetes, pinned, allow_unsupported)
    return [asdict(objection) for objection in found]


@raises_filter_error
def kubevirt_manifest(text: str, registry: str = "", pull_secrets: list[str] | None = None) -> dict[str, Any]:
    """The version and the objects of an operator manifest."""
    try:
        documents = [item for item in yaml.safe_load_all(text) if item]
    except yaml.YAMLError as error:
        raise InputError(f"the operator manifest is no YAML: {error}") from error
    if not all(isinstance(item, dict) for item in documents):
        raise InputError("the operator manifest contains a document that is no object of Kubernetes")
    return {
        "version": kubevirt.manifest_version(documents),
        "objects": kubevirt.with_images_of(documents, registry, list(pull_secrets or [])),
    }


@raises_filter_error
def kubevirt_cr_spec(
    extra: dict[str, Any], parts: dict[str, Any], pull_secrets: list[str] | None = None
) -> dict[str, Any]:
    """The spec of KubeVirt's CR as the user's variables give it."""
    return kubevirt.cr_spec(dict(extra), dict(parts), list(pull_secrets or []))


@raises_filter_error
def kubevirt_remedy(message: str) -> str:
    """A remedy for an error of the API server."""
    return remedies.remedy_for(str(message))


class FilterModule:
    """Filters over versions, manifests and errors of KubeVirt, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Each filter by its name."""
        return {
            "kubevirt_objections": kubevirt_objections,
            "kubevirt_manifest": kubevirt_manifest,
            "kubevirt_cr_spec": kubevirt_cr_spec,
            "kubevirt_remedy": kubevirt_remedy,
        }
