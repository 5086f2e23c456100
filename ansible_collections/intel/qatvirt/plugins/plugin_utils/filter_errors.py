# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all filters of this collection share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from ansible.errors import AnsibleFilterError

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import QatvirtError

Function = TypeVar("Function", bound=Callable[..., Any])


def told(function: Function) -> Function:
    """Wrong input becomes an Ansible error that names the filter."""

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (QatvirtError, ValueError, KeyError, TypeError) as error:
            raise AnsibleFilterError(f"{function.__name__}: {error}") from error

    return cast(Function, checked)
