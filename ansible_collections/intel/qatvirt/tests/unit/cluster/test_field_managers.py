# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply: own fields are taken over, fields of other managers never."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.field_managers import (
    apply_own,
    managers_of,
    other_managers,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import ApiError, Conflict, FieldConflict, Refused

OURS = "intel.qatvirt"
REPLICAS, TERMS = ".spec.infra.replicas", ".spec.workloads.nodePlacement"
DEFINITION = {"metadata": {"name": "it"}, "spec": {"infra": {"replicas": 1}}}


def entry(manager: str, operation: str = "Update", **spec: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": spec}}


def owned(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "it", "resourceVersion": "7", "managedFields": list(entries)}}


INFRA = {"f:infra": {".": {}, "f:replicas": {}}}
PLACEMENT = {"f:workloads": {"f:nodePlacement": {}}}


class Server:
    """An API server that refuses the first applies, each with the next error, and answers every read with an object."""

    def __init__(self, item: dict[str, Any], *errors: Exception) -> None:
        self._item, self._errors = item, list(errors)
        self.applied: list[tuple[str | None, bool]] = []

    def get(self, _url: str) -> dict[str, Any]:
        return self._item

    def apply(self, _url: str, definition: dict[str, Any], *, force: bool = False) -> dict[str, Any]:
        self.applied.append((definition["metadata"].get("resourceVersion"), force))
        if self._errors:
            raise self._errors.pop(0)
        return self._item


def applied(server: Server) -> list[tuple[str | None, bool]]:
    apply_own(server, "/it", DEFINITION, OURS)  # type: ignore[arg-type]
    return server.applied


def test_an_apply_without_conflict_is_never_forced() -> None:
    assert applied(Server(owned())) == [(None, False)]


def test_a_conflict_with_own_updates_is_forced_on_the_object_that_was_looked_at() -> None:
    server = Server(owned(entry(OURS, **PLACEMENT)), FieldConflict("x", (TERMS,)))
    assert applied(server) == [(None, False), ("7", True)]


def test_an_object_that_changed_in_between_is_looked_at_again() -> None:
    conflict = FieldConflict("x", (TERMS,))
    server = Server(owned(entry(OURS, **PLACEMENT)), conflict, Conflict("x"), conflict)
    assert applied(server) == [(None, False), ("7", True)] * 2


def test_an_object_that_always_changes_is_given_up() -> None:
    answers = [FieldConflict("x", (TERMS,)), Conflict("x")] * 50
    with pytest.raises(ApiError, match="/it: the object changed at each of 50 attempts to apply it"):
        applied(Server(owned(entry(OURS, **PLACEMENT)), *answers))


def test_fields_of_another_manager_are_never_taken() -> None:
    item = owned(entry(OURS, **PLACEMENT), entry("site", **INFRA))
    server = Server(item, FieldConflict("x", (TERMS, REPLICAS)))
    with pytest.raises(Refused, match=r"nothing was changed.*: site owns \.spec\.infra\.replicas\. .*kubectl apply"):
        applied(server)
    assert server.applied == [(None, False)]


def test_a_field_that_is_also_of_another_manager_is_not_own() -> None:
    item = owned(entry(OURS, **PLACEMENT), entry("kubectl-edit", **PLACEMENT))
    assert other_managers(item, (TERMS,), OURS) == {"kubectl-edit": [TERMS]}


def test_a_field_without_a_known_manager_is_not_own() -> None:
    assert other_managers(owned(), (REPLICAS,), OURS) == {"a manager that managedFields does not name": [REPLICAS]}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"f:list": {'k:{"port":1,"name":"x"}': {"f:value": {}}}}, '.spec.list[name="x",port=1].value'),
        ({"f:set": {'v:"x"': {}}}, '.spec.set[="x"]'),
        ({"f:list": {"i:0": {}}}, ".spec.list[0]"),
        ({"f:a": {"f:b": {}}}, ".spec.a"),
    ],
)
def test_paths_are_written_as_the_api_server_writes_them(fields: dict[str, Any], path: str) -> None:
    assert managers_of(owned(entry("site", **fields)), path) == ["site"]
