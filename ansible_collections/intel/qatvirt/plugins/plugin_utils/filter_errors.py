# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of filters, as Ansible shows them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from ansible.errors import AnsibleFilterError

from ansible_collections.intel.qatvirt.plugins.module_utils.errors import QatvirtError

Filter = TypeVar("Filter", bound=Callable[..., Any])


def raises_filter_error(function: Filter) -> Filter:
    """Decorate a filter so that wrong input becomes an AnsibleFilterError that names the filter, never a traceback."""

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except KeyError as error:
            raise AnsibleFilterError(f"{function.__name__}: the input has no key {error}") from error
        except (QatvirtError, ValueError, TypeError) as error:
            raise AnsibleFilterError(f"{function.__name__}: {error}") from error

    return cast(Filter, checked)
