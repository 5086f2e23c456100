# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies: nodes in every state that people, other tools and interrupted runs can leave them in, and
policies for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from ansible_collections.intel.qatvirt.plugins.module_utils.node.devices import family_of_pf
from ansible_collections.intel.qatvirt.tests.unit.node.simkernel import (
    DEVICES,
    DRIVERS,
    RELEASES,
    VFIO,
    Pf,
    PfSpec,
    SimKernel,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]
"""What hypothesis gives a composite strategy to draw with."""

ADDRESSES = ("0000:6b:00.0", "0000:f3:00.0", "10000:01:00.0")
IDS = ("4940", "4942", "4944", "4946", "37c8")
MODULES = ("qat_4xxx", "qat_420xx", "qat_c62x", "qat_c62xvf", "vfio_pci")
SERVICES = ("sym;asym", "asym;sym", "dc", "sym", "asym;dc", "dcc", "nonsense")


@st.composite
def fresh_nodes(draw: Draw) -> SimKernel:
    """A node just booted: one to three PFs, any kernel, usually with all modules and its IOMMU on."""
    missing = draw(st.sampled_from((*MODULES, *[None] * 12)))
    addresses = ADDRESSES[: draw(st.integers(1, len(ADDRESSES)))]
    pfs = tuple(
        PfSpec(
            address,
            draw(st.sampled_from(IDS)),
            totalvfs=draw(st.integers(1, 3)),
            numa=numa,
            isolated=draw(st.sampled_from((True, True, False))),
        )
        for numa, address in enumerate(addresses)
    )
    return SimKernel(
        pfs,
        release=draw(st.sampled_from(sorted(RELEASES))),
        iommu=draw(st.sampled_from((*[True] * 7, False))),
        modules=tuple(name for name in MODULES if name != missing),
        disable_denylist=draw(st.sampled_from((True, True, True, False))),
    )


@st.composite
def nodes(draw: Draw) -> SimKernel:
    """A node that people and other tools have changed since it booted."""
    node = draw(fresh_nodes())
    for pf in node.pfs():
        if draw(st.booleans()):
            with suppress(OSError):
                _set_up(node, pf)
    for act in draw(st.lists(st.sampled_from((_write_pf, _write_pf, _write_vf, _bind, _load, _hold)), max_size=6)):
        with suppress(OSError):
            act(draw, node)
    node.writes.clear()
    assert not node.torn
    return node


def _set_up(node: SimKernel, pf: Pf) -> None:
    """A PF gets all its VFs, bound to vfio-pci."""
    directory = f"{DEVICES}/{pf.address}"
    node.write(directory + "/sriov_drivers_autoprobe", "0")
    node.write(directory + "/sriov_numvfs", str(pf.totalvfs))
    for vf in pf.vfs.values():
        node.write(f"{DEVICES}/{vf.address}/driver_override", VFIO)
        node.write("/sys/bus/pci/drivers_probe", vf.address)


def _write_pf(draw: Draw, node: SimKernel) -> None:
    """A person sets up, tears down or misconfigures a PF whose VFs no process holds."""
    pf = draw(st.sampled_from(node.pfs()))
    name, values = draw(st.sampled_from((
        ("sriov_numvfs", ("0", str(pf.totalvfs), str(pf.totalvfs))),
        ("qat/state", ("up", "down")),
        ("qat/cfg_services", SERVICES),
        ("sriov_drivers_autoprobe", ("0", "1")),
    )))  # fmt: skip
    if not any(node.held(vf.address) for vf in pf.vfs.values()):
        node.write(f"{DEVICES}/{pf.address}/{name}", draw(st.sampled_from(values)))


def _write_vf(draw: Draw, node: SimKernel) -> None:
    """VFs get a driver_override, that of vfio-pci or another one."""
    for vf in node.vfs():
        if draw(st.booleans()):
            path = f"{DEVICES}/{vf.address}/driver_override"
            node.write(path, draw(st.sampled_from((VFIO, VFIO, "c6xxvf", "nobody", "\n"))))
            node.write("/sys/bus/pci/drivers_probe", vf.address)


def _bind(draw: Draw, node: SimKernel) -> None:
    """A function that no process holds is bound or unbound by hand."""
    functions = [vf for vf in node.vfs() if not node.held(vf.address)]
    functions += [pf for pf in node.pfs() if not any(node.held(vf.address) for vf in pf.vfs.values())]
    if not functions:
        return
    function = draw(st.sampled_from(functions))
    driver = function.driver or draw(st.sampled_from((VFIO, "4xxx", "c6xxvf")))
    node.write("{}/{}/{}".format(DRIVERS, driver, "unbind" if function.driver else "bind"), function.address)


def _load(draw: Draw, node: SimKernel) -> None:
    node.load(draw(st.sampled_from(MODULES)))


def _hold(draw: Draw, node: SimKernel) -> None:
    vfs = [vf.address for vf in node.vfs() if vf.driver == VFIO and not node.held(vf.address)]
    if vfs:
        node.hold(draw(st.sampled_from(vfs)), pid=draw(st.sampled_from((1000, 1001))))


def policies(node: SimKernel) -> st.SearchStrategy[list[dict]]:
    """Policies that could be meant for the node: every rule is valid for some PF of it."""
    return st.lists(st.one_of([_rules(pf.spec) for pf in node.pfs()]), min_size=1, max_size=3)


def _rules(spec: PfSpec) -> st.SearchStrategy[dict]:
    family = family_of_pf(spec.device)
    matches = (
        {},
        {"address": spec.address},
        {"device": spec.device},
        {"family": family.name},
        {"numa_node": spec.numa},
    )
    services = st.lists(st.sampled_from(("sym", "asym", "dc")), min_size=1, max_size=2, unique=True)
    optional = {"services": services} if family.sysfs else {}
    drivers = ("vfio-pci", "vfio-pci", "none") + (("kernel",) if family.vf_driver else ())
    return st.fixed_dictionaries(
        {"match": st.sampled_from(matches)},
        optional={"vfs": st.sampled_from(("max", 0)), "driver": st.sampled_from(drivers), **optional},
    )
