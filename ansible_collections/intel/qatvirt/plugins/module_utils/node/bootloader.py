# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments that last, through the host's own boot loader tool.

One class a kind (see ``host.boot_loader``); each knows which of our arguments are in place and how to set them.
``run`` executes a command, raises OSError or RuntimeError when it fails, and returns its output.
"""

from __future__ import annotations

from collections.abc import Callable

from .files import Files
from .host import kernel_args

Run = Callable[[list[str]], str]

#: Sorted after cloud images' own 50-cloudimg-settings.cfg, which sets the variable anew.
GRUB_DROPIN = "/etc/default/grub.d/99-qatvirt.cfg"
_GRUB_CONFIG = "/boot/grub/grub.cfg"
_HEADER = "# Written by intel.qatvirt (role qat_host).\n"
_CMDLINE = "/etc/kernel/cmdline"


class Loader:
    """Common part: ``in_place``: all wanted arguments will be there at the next boot; ``set`` makes it so."""

    def __init__(self, files: Files, run: Run) -> None:
        self._files = files
        self._run = run

    def in_place(self, wanted: list[str]) -> bool:
        raise NotImplementedError

    def set(self, wanted: list[str], gone: list[str]) -> None:
        """``gone``: arguments of ours that are not wanted any more."""
        raise NotImplementedError


class Grub(Loader):
    """Debian, Ubuntu: a drop-in below /etc/default/grub.d and update-grub. Appended last, so that it wins over an
    earlier ``intel_iommu=off``."""

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


class Grubby(Loader):
    """RHEL family, Fedora: grubby edits the boot entries of all kernels."""

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


class RpmOstree(Loader):
    """Fedora CoreOS and other ostree hosts: a new deployment with changed kernel arguments."""

    def in_place(self, wanted: list[str]) -> bool:
        present = kernel_args(self._run(["/usr/bin/rpm-ostree", "kargs"]))
        return all(arg in present for arg in wanted)

    def set(self, wanted: list[str], gone: list[str]) -> None:
        options = ["--append-if-missing=" + arg for arg in wanted] + ["--delete-if-present=" + arg for arg in gone]
        self._run(["/usr/bin/rpm-ostree", "kargs", *options])


class KernelInstall(Loader):
    """systemd-boot hosts: /etc/kernel/cmdline, taken up by kernel-install."""

    def _present(self) -> list[str]:
        return (self._files.read(_CMDLINE) or "").split()

    def in_place(self, wanted: list[str]) -> bool:
        return all(arg in self._present() for arg in wanted)

    def set(self, wanted: list[str], gone: list[str]) -> None:
        kept = [arg for arg in self._present() if arg not in gone and arg not in wanted]
        self._files.replace(_CMDLINE, " ".join(kept + wanted) + "\n")
        release = self._run(["/usr/bin/uname", "-r"]).strip()
        self._run(["/usr/bin/kernel-install", "add", release, f"/lib/modules/{release}/vmlinuz"])


LOADERS: dict[str, type[Loader]] = {
    "grub": Grub,
    "grubby": Grubby,
    "rpm-ostree": RpmOstree,
    "kernel-install": KernelInstall,
}
