# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the host around the devices: kernel, IOMMU, boot loader, modules, firmware, and other software that manages
QAT. Reads only, through the System and the Files it is given."""

from __future__ import annotations

import posixpath
import shlex
from typing import Any

from .devices import Family
from .files import Files
from .model import Holder, Problem
from .observe import observe_vfio
from .pci import DRIVERS, device_path
from .sysfs import System

_FIRMWARE_DIRS = ("/lib/firmware/updates", "/lib/firmware")
"""Firmware search path of the kernel (Documentation/driver-api/firmware/fw_search_path.rst)."""
_FIRMWARE_SUFFIXES = ("", ".xz", ".zst")
"""The kernel takes compressed firmware files, too."""
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_LAB = "/sys/module/qatlab_mask"
"""The module that gives emulated functions of the project's lab the identity of QAT devices."""
_BOOT_LOADERS = (
    ("rpm-ostree", ("/run/ostree-booted", "/usr/bin/rpm-ostree")),
    ("grubby", ("/usr/sbin/grubby",)),
    ("grub", ("/etc/default/grub", "/usr/sbin/update-grub")),
    ("kernel-install", ("/etc/kernel/cmdline", "/usr/bin/kernel-install")),
)
"""Kinds of boot loader configuration, most specific first, each with the files that exist on a host of that kind."""


def observe_host(system: System, files: Files, families: set[Family], vms: tuple[Holder, ...]) -> dict[str, Any]:
    """Facts of the host as plain data. ``families``: of the PFs found. ``vms``: processes that have /dev/kvm open."""
    release = system.read("/proc/sys/kernel/osrelease")
    modules = _Modules(system, release)
    vfio = observe_vfio(system)
    bound = [name for name in system.names(DRIVERS + "/vfio-pci") if ":" in name]
    return {
        "emulated": system.exists(_LAB),
        "node": system.read("/proc/sys/kernel/hostname"),
        "os": _os_release(files),
        "kernel": {
            "release": release,
            "args": kernel_args(system.read("/proc/cmdline")),
            "iommu": bool(system.names("/sys/class/iommu")),
            "iommu_units": system.names("/sys/class/iommu"),
            "secure_boot": _secure_boot(system),
            "lockdown": _lockdown(system),
            "headers": files.read(f"/lib/modules/{release}/build/Makefile") is not None,
            "source_version": ".".join(release.split(".")[:2]),
        },
        "boot_loader": boot_loader(system),
        "vfio": {
            "loaded": vfio.loaded,
            "denylist_disabled": vfio.denylist_disabled,
            "builtin": modules.builtin("vfio-pci"),
            "devices": bound,
            "cdevs_missing": [name for address in bound for name in _cdevs_missing(system, address)],
        },
        "modules": {name: modules.facts(name) for name in sorted(_module_names(families))},
        "firmware": {name: _firmware(system, name) for family in families for name in family.firmware},
        "conflicts": [problem.as_data() for problem in _conflicts(system, modules)],
        "vms": [{"pid": vm.pid, "command": vm.command, "guest": vm.guest, "pod": vm.pod} for vm in vms],
    }


def _cdevs_missing(system: System, address: str) -> list[str]:
    """VFIO character devices that sysfs names and /dev does not have.

    Without CONFIG_VFIO_DEVICE_CDEV their sysfs entry has no ``dev`` (``drivers/vfio/vfio_main.c``), and the kernel
    makes no device node. A file that a person has put into /dev instead counts as present.
    """
    names = system.names(device_path(address) + "/vfio-dev")
    return [
        name
        for name in names
        if not system.exists(f"{device_path(address)}/vfio-dev/{name}/dev")
        and not system.exists(f"/dev/vfio/devices/{name}")
    ]


def _module_names(families: set[Family]) -> set[str]:
    names = {"intel_qat", "vfio-pci"}
    for family in families:
        names |= {family.module} | ({family.vf_module} if family.vf_module else set())
    return names


def kernel_args(text: str) -> list[str]:
    """The arguments of a kernel command line. A quoted value stays whole."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def boot_loader(system: System) -> str | None:
    """Kind of boot loader configuration: rpm-ostree, grubby, grub or kernel-install, None where the host has none of
    these."""
    return next((kind for kind, paths in _BOOT_LOADERS if all(system.exists(path) for path in paths)), None)


def _os_release(files: Files) -> dict[str, Any]:
    values = {}
    for line in (files.read("/etc/os-release") or files.read("/usr/lib/os-release") or "").splitlines():
        key, separator, value = line.partition("=")
        if separator:
            values[key] = value.strip("\"'")
    return {
        "id": values.get("ID", ""),
        "id_like": values.get("ID_LIKE", "").split(),
        "version": values.get("VERSION_ID", ""),
    }


def _secure_boot(system: System) -> bool | None:
    """The last byte of the EFI variable; None on a machine that booted without EFI."""
    text = system.get(_SECURE_BOOT)
    return text[-1] == "\x01" if text else None


def _lockdown(system: System) -> str | None:
    """``none [integrity] confidentiality`` -> integrity."""
    text = system.get("/sys/kernel/security/lockdown")
    return text[text.index("[") + 1 : text.index("]")] if text and "[" in text else None


def _firmware(system: System, name: str) -> str | None:
    paths = (posixpath.join(directory, name + suffix) for directory in _FIRMWARE_DIRS for suffix in _FIRMWARE_SUFFIXES)
    return next((path for path in paths if system.exists(path)), None)


class _Modules:
    """The modules of the running kernel (modules.dep, modules.builtin), and which of them are loaded."""

    def __init__(self, system: System, release: str) -> None:
        self._system = system
        self._directory = "/lib/modules/" + release
        self._paths = {
            _module_name(line.split(":")[0]): line.split(":")[0]
            for line in (system.get(self._directory + "/modules.dep") or "").splitlines()
        }
        self._builtin = {
            _module_name(line) for line in (system.get(self._directory + "/modules.builtin") or "").splitlines()
        }

    def builtin(self, name: str) -> bool:
        return name.replace("-", "_") in self._builtin

    def loaded(self, name: str) -> bool:
        return self._system.exists("/sys/module/" + name.replace("-", "_"))

    def facts(self, name: str) -> dict[str, Any]:
        """``path``: the file that modprobe would load. ``out_of_tree``: that file does not come with the kernel
        (updates/, extra/ …)."""
        path = self._paths.get(name.replace("-", "_"))
        return {
            "loaded": self.loaded(name),
            "builtin": self.builtin(name),
            "path": None if path is None else posixpath.join(self._directory, path),
            "out_of_tree": path is not None and not path.startswith("kernel/"),
        }


def _module_name(path: str) -> str:
    return posixpath.basename(path).split(".")[0].replace("-", "_")


def _conflicts(system: System, modules: _Modules) -> list[Problem]:
    found = []
    signs = [path for path in ("/etc/init.d/qat_service", "/sys/module/usdm_drv") if system.exists(path)]
    if modules.facts("intel_qat")["out_of_tree"]:
        signs.append(str(modules.facts("intel_qat")["path"]))
    if signs:
        found.append(
            Problem(
                "OOT-MIX",
                "Intel's out-of-tree QAT package is on this node ({0}); expected the in-tree driver only".format(
                    ", ".join(signs)
                ),
                "uninstall that package (make uninstall in its source tree) and reboot: a node with both drivers "
                "panics (erratum QAT20-40475)",
            )
        )
    if system.target("/run/systemd/units/invocation:qat.service") or system.exists(
        "/etc/systemd/system/multi-user.target.wants/qat.service"
    ):
        found.append(
            Problem(
                "QATMGR",
                "qatlib's qat.service is active or enabled; it creates, binds and hands out VFs by itself",
                "run systemctl disable --now qat.service, so that only one program manages the VFs",
            )
        )
    return found
