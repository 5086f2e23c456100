# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what test machines and test pods answered. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .check import FAIL, VM, Check, Finding
from .site import Site


def _needs_tests(site: Site) -> str | None:
    if site.snapshot is None:
        return "no cluster was named (qatvirt_kubeconfig)"
    return "no test machine was started" if site.tests is None else None


def _tests(site: Site) -> list[dict[str, Any]]:
    return site.tests or []


def _guest(site: Site) -> Iterator[Finding]:
    for test in _tests(site):
        if test["verdict"] != FAIL:
            continue
        why = test["diagnosis"]
        yield Finding(
            f"{why['id']}: {why['message']}" if why else str(test["reason"]),
            why["fix"] if why else "compare what it was given with what it saw; see the report",
            test["node"],
            test["object"],
            why["evidence"] if why else "",
        )


def _functional(site: Site) -> Iterator[Finding]:
    for test in _tests(site):
        done = test["functional"]
        if done and done["verdict"] == FAIL:
            yield Finding(
                f"it has its VFs, and they do not work: {done['reason']}",
                "see the kernel log inside the machine; the services of the PF must be those that the sample needs",
                test["node"],
                test["object"],
                "the console of the machine",
            )


VM_CHECKS: tuple[Check, ...] = (
    Check(
        "GUEST", VM, FAIL,
        "Did a machine on each node start, and see the VFs it was given?",
        "It did not start, was given none, or its guest sees others; the diagnosis says which.",
        "See the table of signatures.",
        _guest, needs=(_needs_tests,),
    ),
    Check(
        "FUNC", VM, FAIL,
        "Did the VFs work inside, where that could be tried?",
        "The driver inside the guest does not fit the device, or the services of the PF are others.",
        "See the kernel log of the guest.",
        _functional, needs=(_needs_tests,), explained_by=("GUEST",),
    ),
)  # fmt: skip
