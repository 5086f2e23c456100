# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments for every boot, set through the host's own boot loader tool.

One class for each kind of boot loader configuration (``host.boot_loader`` names the kinds).
"""

from __future__ import annotations

from collections.abc import Callable

from .files import Files
from .host import kernel_args

RunCommand = Callable[[list[str]], str]
"""Runs a command and returns its output. Raises OSError or RuntimeError where the command fails."""

GRUB_DROPIN = "/etc/default/grub.d/99-qatvirt.cfg"
"""Sorted after 50-cloudimg-settings.cfg of cloud images, which sets the variable anew."""
_GRUB_CONFIG = "/boot/grub/grub.cfg"
_HEADER = "# Written by intel.qatvirt (role qat_host).\n"
_CMDLINE = "/etc/kernel/cmdline"


class BootLoader:
    """The configuration of a boot loader."""

    def __init__(self, files: Files, run: RunCommand) -> None:
        self._files = files
        self._run = run

    def in_place(self, wanted: list[str]) -> bool:
        """Whether the next boot will have all wanted kernel arguments."""
        raise NotImplementedError

    def set(self, wanted: list[str], gone: list[str]) -> None:
        """Set the wanted kernel arguments, and remove those that are ``gone``."""
        raise NotImplementedError


class GrubLoader(BootLoader):
    """Debian, Ubuntu: a drop-in below /etc/default/grub.d, and update-grub. The drop-in appends its arguments last, so
    that they win over an earlier ``intel_iommu=off``."""

    def in_place(self, wanted: list[str]) -> bool:
        config = self._files.read(_GRUB_CONFIG) or ""
        return self._files.read(GRUB_DROPIN) == _grub_dropin(wanted) and all(arg in config for arg in wanted)

    def set(self, wanted: list[str], gone: list[str]) -> None:  # noqa: ARG002
        content = _grub_dropin(wanted)
        if content is None:
            self._files.remove(GRUB_DROPIN)
        else:
            self._files.replace(GRUB_DROPIN, content)
        self._run(["/usr/sbin/update-grub"])


def _grub_dropin(wanted: list[str]) -> str | None:
    if not wanted:
        return None
    args = " ".join(wanted)
    return f'{_HEADER}GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {args}"\n'


class GrubbyLoader(BootLoader):
    """RHEL family, Fedora: grubby, which edits the boot entries of all kernels."""

    def in_place(self, wanted: list[str]) -> bool:
        info = self._run(["/usr/sbin/grubby", "--info=DEFAULT"])
        lines = [line[len("args=") :] for line in info.splitlines() if line.startswith("args=")]
        present = kernel_args(lines[0].strip('"')) if lines else []
        return all(arg in present for arg in wanted)

    def set(self, wanted: list[str], gone: list[str]) -> None:
        command = ["/usr/sbin/grubby", "--update-kernel=ALL"]
        command += ["--args=" + " ".join(wanted)] if wanted else []
        command += ["--remove-args=" + " ".join(gone)] if gone else []
        self._run(command)


class RpmOstreeLoader(BootLoader):
    """Fedora CoreOS and other ostree hosts: a new deployment with changed kernel arguments."""

    def in_place(self, wanted: list[str]) -> bool:
        present = kernel_args(self._run(["/usr/bin/rpm-ostree", "kargs"]))
        return all(arg in present for arg in wanted)

    def set(self, wanted: list[str], gone: list[str]) -> None:
        options = ["--append-if-missing=" + arg for arg in wanted] + ["--delete-if-present=" + arg for arg in gone]
        self._run(["/usr/bin/rpm-ostree", "kargs", *options])


class KernelInstallLoader(BootLoader):
    """systemd-boot hosts: /etc/kernel/cmdline, which kernel-install copies into the boot entry."""

    def _present(self) -> list[str]:
        return (self._files.read(_CMDLINE) or "").split()

    def in_place(self, wanted: list[str]) -> bool:
        return all(arg in self._present() for arg in wanted)

    def set(self, wanted: list[str], gone: list[str]) -> None:
        kept = [arg for arg in self._present() if arg not in gone and arg not in wanted]
        self._files.replace(_CMDLINE, " ".join(kept + wanted) + "\n")
        release = self._run(["/usr/bin/uname", "-r"]).strip()
        self._run(["/usr/bin/kernel-install", "add", release, f"/lib/modules/{release}/vmlinuz"])


BOOT_LOADERS: dict[str, type[BootLoader]] = {
    "grub": GrubLoader,
    "grubby": GrubbyLoader,
    "rpm-ostree": RpmOstreeLoader,
    "kernel-install": KernelInstallLoader,
}
