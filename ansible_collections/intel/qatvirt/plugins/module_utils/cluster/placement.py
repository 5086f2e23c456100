# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping KubeVirt off nodes whose VFs are for containers.

Pure. KubeVirt's own plugin is part of virt-handler and counts every VF of a permitted kind on its node. It cannot be
told to leave some alone, so virt-handler, and with it virtual machines, must not be on such nodes at all.

Node affinity (Kubernetes API reference, NodeSelector): a node fits where it fits one of the terms, and a term without
any expression fits no node.
"""

from __future__ import annotations

from ..errors import Refused
from .kubevirt_config import PLACEMENT
from .nodes import CONTAINER, WORKLOAD_LABEL
from .objects import Object
from .update import Keys, look_up, prune, set_at

RULE = {"key": WORKLOAD_LABEL, "operator": "NotIn", "values": [CONTAINER]}
"""Nodes without the label are not concerned."""

_TERMS: Keys = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")


def keep_off(item: Object, placement: Keys = PLACEMENT) -> Object:
    """The object with the rule in each term of its node affinity; as it is where its nodeSelector does that already.

    ``placement``: where the object has the placement of workloads. Raises Refused where the nodeSelector demands just
    the nodes for containers.
    """
    demanded = (look_up(item, (*placement, "nodeSelector")) or {}).get(WORKLOAD_LABEL)
    if demanded == CONTAINER:
        raise Refused(
            f"{'.'.join(placement)}.nodeSelector has {WORKLOAD_LABEL}: {CONTAINER}, so KubeVirt is only where VFs are "
            "for containers. Take it out there"
        )
    if demanded:
        return item
    keys = (*placement, *_TERMS)
    terms = look_up(item, keys)
    set_at(item, keys, [_with_rule(term) for term in terms] if terms else [{"matchExpressions": [RULE]}])
    return item


def let_on(item: Object, placement: Keys = PLACEMENT) -> Object:
    """The object without the rule, and without what becomes empty by that."""
    keys = (*placement, *_TERMS)
    terms = look_up(item, keys) or []
    left = [_without_rule(term) for term in terms]
    if left != terms:
        set_at(item, keys, [after for before, after in zip(terms, left) if after or not before])
        prune(item, keys)
    return item


def _with_rule(term: Object) -> Object:
    rules = term.get("matchExpressions") or []
    # An empty term fits no node, and would fit many with the rule.
    return {**term, "matchExpressions": [*rules, RULE]} if term and RULE not in rules else term


def _without_rule(term: Object) -> Object:
    rules = term.get("matchExpressions") or []
    if RULE not in rules:
        return term
    left = [rule for rule in rules if rule != RULE]
    others = {key: value for key, value in term.items() if key != "matchExpressions"}
    return {**term, "matchExpressions": left} if left else others
