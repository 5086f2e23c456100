# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract: what the kernel answers, step by step, on the simulated kernel and on a lab node alike.

A step has an operation, a path or address, a value and the expected answer. Answers are the value that was read,
``ok``, ``none`` (no such link), ``yes``/``no``, the name of an errno, or ``blocked`` (the write did not return). An
answer that differs between kernels is a dict by release.

Names in braces stand for what differs between nodes. Of the first PF (4xxx): ``{pf}`` is its directory, ``{bdf}`` its
address, ``{total}`` its number of VFs, ``{over}`` one more than that, ``{last}`` the index of its last VF; ``{vf}``,
``{vf_bdf}`` and ``{group}`` are the directory, the address and the vfio device node of its VF 0. ``{gen2}``,
``{gen2_total}``, ``{gen2_vf}`` and ``{gen2_vf_bdf}`` are the same of the second PF (c6xx).
"""

from __future__ import annotations

from dataclasses import dataclass

RELEASES = ("6.1", "6.12", "7.x")
Answer = str | dict[str, str]

PROBE = "/sys/bus/pci/drivers_probe"
PF_DRIVER = "/sys/bus/pci/drivers/4xxx"
VFIO = "/sys/bus/pci/drivers/vfio-pci"


@dataclass(frozen=True)
class Step:
    """One step.

    op: write, read, link (name of a link's target), names (in a directory), exists, claim, unclaim, hold, release,
    fail_up, busy. path: a file, or for the last four the address of a VF or PF. answer: the expected answer.
    """

    op: str
    path: str
    value: str = ""
    answer: Answer = "ok"


@dataclass(frozen=True)
class Scenario:
    """Steps on a node whose PFs have just been bound: up, default services, no VFs, autoprobe on.

    core: True when the steps only depend on the PCI core and vfio, which on a lab node are always those of Linux 6.12.
    """

    name: str
    steps: tuple[Step, ...]
    core: bool = False

    def on(self, release: str) -> list[dict[str, str]]:
        """The steps as plain data, with the expected answers of one release."""
        return [
            {
                "op": step.op,
                "path": step.path,
                "value": step.value,
                "answer": step.answer if isinstance(step.answer, str) else step.answer[release],
            }
            for step in self.steps
        ]

    def broken(self, answers: list[tuple[str, str]]) -> list[str]:
        """A line for each step whose answer differs from the expected one. answers: (found, expected) of each step."""
        return [
            f"step {number} ({step.op} {step.path} {step.value!r}): {found!r}, expected {wanted!r}"
            for number, (step, (found, wanted)) in enumerate(zip(self.steps, answers, strict=True), start=1)
            if found != wanted
        ]


def _write(path: str, value: str, answer: Answer = "ok") -> Step:
    return Step("write", path, value, answer)


def _read(path: str, answer: Answer) -> Step:
    return Step("read", path, "", answer)


def _link(path: str, answer: Answer) -> Step:
    return Step("link", path, "", answer)


def _exists(path: str, answer: Answer) -> Step:
    return Step("exists", path, "", answer)


NUMVFS, STATE, SERVICES, AUTOPROBE = (
    "{pf}/sriov_numvfs",
    "{pf}/qat/state",
    "{pf}/qat/cfg_services",
    "{pf}/sriov_drivers_autoprobe",
)
ENABLE = _write(NUMVFS, "{total}")
BIND_VF = (_write("{vf}/driver_override", "vfio-pci"), _write(PROBE, "{vf_bdf}"), _link("{vf}/driver", "vfio-pci"))
DISABLED = {"6.1": "EINVAL", "6.12": "ok", "7.x": "ok"}
"""Linux 6.1 cannot disable VFs by sriov_numvfs (adf_sriov_configure, "Already enabled for this device")."""

SCENARIOS = (
    Scenario(
        "after binding",
        (
            _read(STATE, "up"),
            _read(SERVICES, "sym;asym"),
            _read(NUMVFS, "0"),
            _read(AUTOPROBE, "1"),
            _read("{pf}/sriov_vf_device", "4941"),
            _read("{pf}/vendor", "0x8086"),
            _read("{pf}/class", "0x0b4000"),
            _link("{pf}/driver", "4xxx"),
            _link("{pf}/virtfn0", "none"),
            _exists("{gen2}/qat", "no"),
            _link("{gen2}/driver", "c6xx"),
        ),
    ),
    Scenario(
        "numvfs: any number enables all",
        (
            _write(NUMVFS, "1"),
            _read(NUMVFS, "{total}"),
            _link("{pf}/virtfn0", "{vf_bdf}"),
            _exists("{pf}/virtfn{last}", "yes"),
            _read("{pf}/virtfn{last}/device", "0x4941"),
            _link("{vf}/physfn", "{bdf}"),
            _read(STATE, "up"),
        ),
    ),
    Scenario(
        "numvfs: values that are refused",
        (
            _write(NUMVFS, "{over}", "ERANGE"),
            _write(NUMVFS, "many", "EINVAL"),
            _write(NUMVFS, "70000", "EINVAL"),
            _write(NUMVFS, "0"),
            ENABLE,
            ENABLE,
            _write(NUMVFS, "1", "EBUSY"),
            _read(NUMVFS, "{total}"),
        ),
    ),
    Scenario(
        "numvfs 0 removes the VFs and leaves the PF up",
        (
            ENABLE,
            _write(NUMVFS, "0", DISABLED),
            _read(NUMVFS, {"6.1": "{total}", "6.12": "0", "7.x": "0"}),
            _exists("{vf}", {"6.1": "yes", "6.12": "no", "7.x": "no"}),
            _read(STATE, "up"),
        ),
    ),
    Scenario(
        "numvfs brings a PF up that is down",
        (_write(STATE, "down"), ENABLE, _read(STATE, "up"), _read(NUMVFS, "{total}")),
    ),
    Scenario(
        "a PF without driver takes no VFs; binding resets the services",
        (
            _write(STATE, "down"),
            _write(SERVICES, "dc"),
            _write(PF_DRIVER + "/unbind", "{bdf}"),
            _exists("{pf}/qat", "no"),
            _write(NUMVFS, "{total}", "ENOENT"),
            _write(NUMVFS, "0"),
            _write(PF_DRIVER + "/bind", "{bdf}"),
            _read(SERVICES, "sym;asym"),
            _read(STATE, "up"),
        ),
        core=True,
    ),
    Scenario(
        "unbinding the PF removes its VFs and keeps autoprobe",
        (
            _write(AUTOPROBE, "0"),
            ENABLE,
            _write(PF_DRIVER + "/unbind", "{bdf}"),
            _exists("{vf}", "no"),
            _read(NUMVFS, "0"),
            _read(AUTOPROBE, "0"),
            _write(PROBE, "{bdf}"),
            _link("{pf}/driver", "4xxx"),
        ),
    ),
    Scenario(
        "state: values that may be repeated and values that are refused",
        (
            _write(STATE, "up"),
            _write(STATE, "sideways", "EINVAL"),
            _write(STATE, "down"),
            _read(STATE, "down"),
            _write(STATE, "down", {"6.1": "EINVAL", "6.12": "ok", "7.x": "ok"}),
            _write(STATE, "up"),
            _read(STATE, "up"),
        ),
    ),
    Scenario(
        "down removes the VFs, up does not bring them back",
        (
            ENABLE,
            _write(STATE, "down"),
            _read(NUMVFS, "0"),
            _exists("{vf}", "no"),
            _write(STATE, "up"),
            _read(NUMVFS, "0"),
        ),
    ),
    Scenario(
        "services: change only while the PF is down",
        (
            _write(SERVICES, "dc", "EINVAL"),
            _write(STATE, "down"),
            _write(SERVICES, "dc"),
            _write(STATE, "up"),
            _read(SERVICES, "dc"),
            ENABLE,
            _read(SERVICES, "dc"),
        ),
    ),
    Scenario(
        "services: allowed words and their order",
        (
            _write(STATE, "down"),
            _write(SERVICES, "nonsense", "EINVAL"),
            _write(SERVICES, "sym;sym", "EINVAL"),
            _write(SERVICES, "asym;sym;dc", "EINVAL"),
            _write(SERVICES, "dcc;sym", "EINVAL"),
            _write(SERVICES, "decomp", "EINVAL"),
            _read(SERVICES, "sym;asym"),
            _write(SERVICES, "dc"),
            _write(SERVICES, "sym;asym"),
            _read(SERVICES, {"6.1": "sym;asym", "6.12": "sym;asym", "7.x": "asym;sym"}),
            _write(SERVICES, "dc;sym", {"6.1": "EINVAL", "6.12": "ok", "7.x": "ok"}),
            _read(SERVICES, {"6.1": "sym;asym", "6.12": "dc;sym", "7.x": "sym;dc"}),
            _write(SERVICES, "asym;sym", {"6.1": "EINVAL", "6.12": "ok", "7.x": "ok"}),
            _write(SERVICES, "dcc", {"6.1": "EINVAL", "6.12": "ok", "7.x": "ok"}),
            _write(SERVICES, "dc\n"),
            _read(SERVICES, "dc"),
        ),
    ),
    Scenario(
        "a VF stays unbound without override",
        (
            _write(AUTOPROBE, "0"),
            ENABLE,
            _link("{vf}/driver", "none"),
            _read("{vf}/driver_override", "(null)"),
            _write(PROBE, "{vf_bdf}"),
            _link("{vf}/driver", "none"),
            _write(VFIO + "/bind", "{vf_bdf}", "ENODEV"),
            _write(AUTOPROBE, "1"),
            _write(PROBE, "{vf_bdf}"),
            _link("{vf}/driver", "none"),
        ),
        core=True,
    ),
    Scenario(
        "driver_override binds the VF",
        (
            _write(AUTOPROBE, "0"),
            ENABLE,
            *BIND_VF,
            _exists("{group}", "yes"),
            Step("names", "{vf}/iommu_group/devices", answer="{vf_bdf}"),
            _exists(VFIO + "/{vf_bdf}", "yes"),
            _write(VFIO + "/bind", "{vf_bdf}", "EBUSY"),
            _write(PROBE, "{vf_bdf}"),
            _write(PF_DRIVER + "/unbind", "{vf_bdf}", "ENODEV"),
            _write(VFIO + "/unbind", "{vf_bdf}"),
            _link("{vf}/driver", "none"),
            _exists("{group}", "no"),
            _write(VFIO + "/bind", "{vf_bdf}"),
            _link("{vf}/driver", "vfio-pci"),
        ),
        core=True,
    ),
    Scenario(
        "driver_override: values and how they are cleared",
        (
            ENABLE,
            _write("{vf}/driver_override", "vfio-pci"),
            _write("{vf}/driver_override", ""),
            _read("{vf}/driver_override", "vfio-pci"),
            _write("{vf}/driver_override", "\n"),
            _read("{vf}/driver_override", "(null)"),
            _write("{vf}/driver_override", "nobody\n"),
            _read("{vf}/driver_override", "nobody"),
            _write(PROBE, "{vf_bdf}"),
            _link("{vf}/driver", "none"),
            _write(VFIO + "/bind", "{vf_bdf}", "ENODEV"),
        ),
        core=True,
    ),
    Scenario(
        "driver_override does not outlive the VF, autoprobe does",
        (
            _write(AUTOPROBE, "0"),
            ENABLE,
            *BIND_VF,
            _write(STATE, "down"),
            _exists("{vf}", "no"),
            ENABLE,
            _read("{vf}/driver_override", "(null)"),
            _link("{vf}/driver", "none"),
            _read(AUTOPROBE, "0"),
        ),
    ),
    Scenario(
        "paths that do not exist or do not allow the operation",
        (
            _write(PROBE, "0000:ff:1f.7", "ENODEV"),
            _write(VFIO + "/unbind", "0000:ff:1f.7", "ENODEV"),
            _write("{pf}/sriov_totalvfs", "1", "EACCES"),
            _read(PROBE, "EACCES"),
            _read("{vf}/device", "ENOENT"),
            _write("{vf}/driver_override", "vfio-pci", "ENOENT"),
            _read("{pf}", "EISDIR"),
            _read("{pf}/vendor/x", "ENOTDIR"),
        ),
        core=True,
    ),
    Scenario(
        "vfio refuses denylisted VFs",
        (
            _read("/sys/module/vfio_pci/parameters/disable_denylist", "N"),
            _write("{gen2}/sriov_numvfs", "{gen2_total}"),
            _write("{gen2_vf}/driver_override", "vfio-pci"),
            _write(PROBE, "{gen2_vf_bdf}"),
            _link("{gen2_vf}/driver", "none"),
            _write(VFIO + "/bind", "{gen2_vf_bdf}", "EINVAL"),
        ),
        core=True,
    ),
    Scenario(
        "only one process opens a group",
        (
            ENABLE,
            *BIND_VF,
            Step("claim", "{group}"),
            Step("claim", "{group}", answer="EBUSY"),
            Step("hold", "{vf_bdf}", answer="EBUSY"),
            Step("unclaim", "{group}"),
            Step("hold", "{vf_bdf}"),
            Step("claim", "{group}", answer="EBUSY"),
            Step("release", "{vf_bdf}"),
            Step("claim", "{group}"),
            Step("unclaim", "{group}"),
        ),
        core=True,
    ),
    Scenario(
        "the kernel does not wait for a claim",
        (
            ENABLE,
            *BIND_VF,
            Step("claim", "{group}"),
            _write(VFIO + "/unbind", "{vf_bdf}"),
            Step("unclaim", "{group}"),
            _write(PROBE, "{vf_bdf}"),
            Step("claim", "{group}"),
            _write(STATE, "down"),
            _exists("{vf}", "no"),
            ENABLE,
            *BIND_VF,
            Step("hold", "{vf_bdf}"),
            Step("release", "{vf_bdf}"),
            Step("unclaim", "{group}"),
        ),
        core=True,
    ),
    Scenario(
        "the kernel waits for the holder of a VF: unbind",
        (
            ENABLE,
            *BIND_VF,
            Step("hold", "{vf_bdf}"),
            _write(VFIO + "/unbind", "{vf_bdf}", "blocked"),
            _link("{vf}/driver", "none"),
            _exists("{group}", "yes"),
            _write(PROBE, "{vf_bdf}"),
            _link("{vf}/driver", "none"),
            Step("release", "{vf_bdf}"),
            _exists("{group}", "no"),
            _write(PROBE, "{vf_bdf}"),
            _link("{vf}/driver", "vfio-pci"),
        ),
        core=True,
    ),
    Scenario(
        "the kernel waits for the holder of a VF: down",
        (
            ENABLE,
            *BIND_VF,
            Step("hold", "{vf_bdf}"),
            _write(STATE, "down", "blocked"),
            _exists("{vf}", "yes"),
            _link("{pf}/virtfn0", "none"),
            _read(NUMVFS, "{total}"),
            Step("release", "{vf_bdf}"),
            _exists("{vf}", "no"),
            _read(STATE, "down"),
            _read(NUMVFS, "0"),
        ),
    ),
    Scenario(
        "the kernel waits for the holder of a VF: numvfs",
        (
            ENABLE,
            *BIND_VF,
            Step("hold", "{vf_bdf}"),
            _write(NUMVFS, "0", {"6.1": "EINVAL", "6.12": "blocked", "7.x": "blocked"}),
            _exists("{vf}", "yes"),
            Step("release", "{vf_bdf}"),
            _exists("{vf}", {"6.1": "yes", "6.12": "no", "7.x": "no"}),
            _read(STATE, "up"),
        ),
    ),
    Scenario(
        "a PF that does not start",
        (
            _write(STATE, "down"),
            Step("fail_up", "{bdf}", "2"),
            _write(STATE, "up", "EFAULT"),
            _read(STATE, "down"),
            _write(STATE, "up", "EFAULT"),
            _write(STATE, "up"),
            _read(STATE, "up"),
        ),
    ),
    Scenario(
        "VFs of a PF that does not start",
        (Step("fail_up", "{bdf}", "1"), _write(NUMVFS, "{total}", "EFAULT"), _read(STATE, "down"), _read(NUMVFS, "0")),
    ),
    Scenario(
        "a PF that the kernel itself uses",
        (
            Step("busy", "{bdf}", "1"),
            _write(STATE, "down", "EBUSY"),
            _write(NUMVFS, "{total}", "EBUSY"),
            _read(STATE, "up"),
            Step("busy", "{bdf}", "0"),
            ENABLE,
            Step("busy", "{bdf}", "1"),
            _write(NUMVFS, "0", {"6.1": "EINVAL", "6.12": "EBUSY", "7.x": "EBUSY"}),
            _read(NUMVFS, "{total}"),
        ),
    ),
)
