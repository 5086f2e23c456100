# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about errors of the API server that have a known remedy. Pure.

The roles write objects with kubernetes.core, whose errors have no remedy: :func:`remedy_for` finds it by the message.
"""

from __future__ import annotations

WEBHOOK = (
    "See whether the pods behind that webhook's service run (kubectl get validatingwebhookconfigurations,"
    "mutatingwebhookconfigurations tells the service), and run this again"
)
FIELD_MANAGER = (
    "These fields are owned by the manager named there (kubectl get --show-managed-fields). Leave the fields to that "
    "manager and remove them from the variables kubevirt_*, or take the fields over with kubectl apply --server-side "
    "--force-conflicts --field-manager=intel.qatvirt, and run this again"
)
RIGHTS = (
    "Have a cluster administrator run playbooks/rbac.yml (with rbac_install_kubevirt where the operator is to be "
    "installed), use the kubeconfig that playbooks/rbac.yml writes, and run this again"
)
_BY_WORDS = (("failed calling webhook", WEBHOOK), ("conflict", FIELD_MANAGER), ("forbidden", RIGHTS))


def remedy_for(message: str) -> str:
    """The remedy for an error message; empty where none is known, or where the message already has the remedy."""
    if any(remedy in message for _words, remedy in _BY_WORDS):
        return ""
    said = message.lower()
    return next((remedy for words, remedy in _BY_WORDS if words in said), "")
