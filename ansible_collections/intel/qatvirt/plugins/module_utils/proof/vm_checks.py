# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what test virtual machines and test pods answered. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .check import FAIL, VM, Check, Finding
from .site import Site


def _needs_tests(site: Site) -> str | None:
    if site.snapshot is None:
        return "no cluster was named (qatvirt_kubeconfig)"
    return "no test virtual machine or pod was started" if site.tests is None else None


def _tests(site: Site) -> list[dict[str, Any]]:
    return site.tests or []


def _guest(site: Site) -> Iterator[Finding]:
    for test in _tests(site):
        if test["verdict"] == FAIL:
            why = test["diagnosis"]
            yield Finding(
                message=f"{why['id']}: {why['message']}" if why else str(test["reason"]),
                fix=why["fix"] if why else None,
                node=test["node"],
                object=test["object"],
                evidence=why["evidence"] if why else "",
            )


def _functional(site: Site) -> Iterator[Finding]:
    for test in _tests(site):
        functional = test["functional"]
        if functional and functional["verdict"] == FAIL:
            yield Finding(
                message=f"it has its VFs, and they do not work: {functional['reason']}",
                node=test["node"],
                object=test["object"],
                evidence="the console of the virtual machine",
            )


VM_CHECKS: tuple[Check, ...] = (
    Check(
        "GUEST", VM, FAIL,
        "Did a test virtual machine or pod on each node start, and see the VFs it was given?",
        "It did not start, was given no VF, or sees others than it was given; the diagnosis says which.",
        "compare the VFs that it was given with those that it saw: the report lists both",
        validate=_guest, needs=(_needs_tests,),
    ),
    Check(
        "FUNC", VM, FAIL,
        "Did the VFs work inside the guest, where that could be tried?",
        "The driver inside the guest does not fit the device, or the PF has other services than the sample needs.",
        "see the kernel log of the guest, and set the services that the sample needs (qat_vf_policy)",
        validate=_functional, needs=(_needs_tests,), explained_by=("GUEST",),
    ),
)  # fmt: skip
