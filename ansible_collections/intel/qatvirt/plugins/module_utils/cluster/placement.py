# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule that keeps KubeVirt off nodes whose VFs are for containers.

Pure. KubeVirt's own device plugin is part of virt-handler and counts every VF of a permitted kind on its node. The
plugin cannot be told to leave some VFs alone, so neither virt-handler nor virtual machines may be on such nodes.

Node affinity (Kubernetes API reference, NodeSelector): a node fits where one of the terms fits, and a term without any
expression fits no node.
"""

from __future__ import annotations

from ..errors import Refused
from .kubevirt_config import PLACEMENT
from .nodes import CONTAINER, WORKLOAD_LABEL
from .objects import Keys, Object, look_up, prune, set_at

RULE = {"key": WORKLOAD_LABEL, "operator": "NotIn", "values": [CONTAINER]}
"""A node fits where it is not labelled as a node for containers; a node without the label fits."""

_TERMS: Keys = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")


def keep_off(item: Object, placement: Keys = PLACEMENT) -> Object:
    """The object with the rule in each term of its node affinity; unchanged where its nodeSelector has the same effect.

    ``placement``: path of the placement of workloads. Raises Refused where the nodeSelector demands the nodes for
    containers.
    """
    demanded = (look_up(item, (*placement, "nodeSelector")) or {}).get(WORKLOAD_LABEL)
    if demanded == CONTAINER:
        raise Refused(
            f"{'.'.join(placement)}.nodeSelector has {WORKLOAD_LABEL}: {CONTAINER}, so KubeVirt is only on nodes whose "
            "VFs are for containers. Remove that label from the nodeSelector"
        )
    if demanded:
        return item
    keys = (*placement, *_TERMS)
    terms = look_up(item, keys)
    set_at(item, keys, [_with_rule(term) for term in terms] if terms else [{"matchExpressions": [RULE]}])
    return item


def let_on(item: Object, placement: Keys = PLACEMENT) -> Object:
    """The object without the rule, and without the fields that are empty without the rule."""
    keys = (*placement, *_TERMS)
    terms = look_up(item, keys) or []
    left = [_without_rule(term) for term in terms]
    if left != terms:
        set_at(item, keys, [after for before, after in zip(terms, left) if after or not before])
        prune(item, keys)
    return item


def _with_rule(term: Object) -> Object:
    rules = term.get("matchExpressions") or []
    # An empty term fits no node; with the rule it would fit many nodes.
    return {**term, "matchExpressions": [*rules, RULE]} if term and RULE not in rules else term


def _without_rule(term: Object) -> Object:
    rules = term.get("matchExpressions") or []
    if RULE not in rules:
        return term
    left = [rule for rule in rules if rule != RULE]
    others = {key: value for key, value in term.items() if key != "matchExpressions"}
    return {**term, "matchExpressions": left} if left else others
