# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of the cluster layer does first and last: read its options, and turn an error into its failure."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

from ..errors import QatvirtError
from .api import Api


def run_module(options: dict[str, Any], work: Callable[[Any, Api], dict[str, Any]], **settings: Any) -> None:
    """Run an Ansible module with ``options`` and the options of kubernetes.core for authentication.

    ``work``: gets the module and the API, and returns the result of the module. A QatvirtError that ``work`` raises
    becomes the failure of the module. ``settings``: further arguments of AnsibleModule, such as required_if.
    """
    _run(options, lambda module: work(module, Api(module)), **settings)


def run_with_or_without(
    options: dict[str, Any], work: Callable[[Any, Api | None], dict[str, Any]], **settings: Any
) -> None:
    """As :func:`run_module`, for a module that also works without a cluster, by its option ``cluster``.

    Without a cluster ``work`` gets None, and the Kubernetes library is not needed.
    """

    def run(module: Any) -> dict[str, Any]:
        return work(module, Api(module) if module.params["cluster"] else None)

    _run({"cluster": {"type": "bool", "default": True}, **options}, run, check_k8s=False, **settings)


def _run(options: dict[str, Any], work: Callable[[Any], dict[str, Any]], **settings: Any) -> None:
    spec = {**deepcopy(AUTH_ARG_SPEC), **options}
    module = AnsibleK8SModule(argument_spec=spec, supports_check_mode=True, **settings)
    try:
        result = work(module)
    except QatvirtError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)
