# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that this collection raises on purpose. Each message is for a person: found, expected, what to do. Pure.

::

    QatvirtError
    ├── InputError           something given (facts, an option, a version, a manifest) cannot be used
    │   └── PolicyError      qat_vf_policy cannot be carried out
    ├── NodeError            the PFs of a node cannot be brought to a plan
    │   ├── InUse            a VF that would have to change is held
    │   ├── Unmet            something that the plan needs is missing
    │   ├── StepFailed       a step did not do what it should
    │   │   └── StepBlocked  the kernel has not returned from the write of a step
    │   ├── ConvergeFailed   a PF could not be converged, after it was put back
    │   └── CheckpointError  the checkpoint cannot be read
    ├── Refused              what is asked for cannot or must not be done on this cluster
    │   └── NoKubeVirt       the cluster has no KubeVirt
    └── ApiError             the Kubernetes API did not do what it was asked
        ├── NotFound         there is no such object, or no such kind of object
        ├── Forbidden        a right is missing, or a rule of the namespace is against it
        ├── Conflict         somebody else changed the object since it was read
        ├── FieldConflict    other field managers own fields that a server-side apply would change
        └── WebhookDown      an admission webhook does not answer the API server

A read or a write that blocks in the kernel is an OSError (``node/sysfs.py``), as any other failure of the kernel's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .node.model import Problem, Vf
    from .node.plan import Step


class QatvirtError(Exception):
    """The root: what a module or a filter turns into its failure."""


class InputError(QatvirtError):
    """Something given (facts, an option, a version, a manifest) cannot be used."""


class PolicyError(InputError):
    """The policy cannot be carried out. ``messages``: every reason, one sentence each."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


class NodeError(QatvirtError):
    """The PFs of a node cannot be brought to a plan."""


class InUse(NodeError):
    """VFs that would have to change are held. ``vfs``: those VFs, with their holders."""

    def __init__(self, vfs: tuple[Vf, ...]) -> None:
        super().__init__("; ".join(vf.held_by() for vf in vfs))
        self.vfs = vfs


class Unmet(NodeError):
    """Something that the plan needs is missing. ``problems``: what."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.message}: {problem.fix}" for problem in problems))
        self.problems = problems


class StepFailed(NodeError):
    """A step did not do what it should; the message says what was found, what was expected and what to do.

    ``code``: name of the kernel's errno (EBUSY), or NOT_APPLIED where the kernel took the write and did not follow it.
    """

    def __init__(self, step: Step, reason: str, code: str = "NOT_APPLIED") -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason
        self.code = code


class StepBlocked(StepFailed):
    """The kernel has not returned from the write of a step: it waits for a process that holds a VF."""


class ConvergeFailed(NodeError):
    """A PF could not be converged; the message says why, and how the PF was left.

    ``address``: of that PF. ``code``: of the StepFailed, or IN_USE. ``done``: addresses of the PFs that were converged
    before it.
    """

    def __init__(self, message: str, address: str, code: str, done: tuple[str, ...]) -> None:
        super().__init__(message)
        self.address = address
        self.code = code
        self.done = done


class CheckpointError(NodeError):
    """The checkpoint cannot be read."""


class Refused(QatvirtError):
    """What is asked for cannot or must not be done on this cluster."""


class NoKubeVirt(Refused):
    """The cluster has no KubeVirt."""


class ApiError(QatvirtError):
    """The Kubernetes API did not do what it was asked. The message: the request, the answer, what to do."""


class NotFound(ApiError):
    """There is no such object, or no such kind of object."""


class Forbidden(ApiError):
    """A right is missing, or a rule of the namespace is against it."""


class Conflict(ApiError):
    """Somebody else changed the object since it was read."""


class FieldConflict(ApiError):
    """Other field managers own fields that a server-side apply would change. ``fields``: paths of those fields."""

    def __init__(self, message: str, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields


class WebhookDown(ApiError):
    """An admission webhook does not answer the API server."""
