# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way in and out of every module of the cluster layer."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

from .api import Api
from .objects import ApiError, Refused


def run_module(options: dict[str, Any], work: Callable[[Any, Api], dict[str, Any]], **settings: Any) -> None:
    """Be an Ansible module with ``options`` beside those of kubernetes.core for authentication.

    ``work`` gets the module and the API and returns what the module returns. ApiError and Refused become its failure.
    ``settings``: more of AnsibleModule, such as required_if.
    """
    spec = {**deepcopy(AUTH_ARG_SPEC), **options}
    module = AnsibleK8SModule(argument_spec=spec, supports_check_mode=True, **settings)
    try:
        result = work(module, Api(module))
    except (ApiError, Refused) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)
