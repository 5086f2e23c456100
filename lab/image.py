# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk image that all nodes start from: Debian 13 with the emulated hardware's kernel module.

Made in two steps, each cached by a hash of all that goes in: the root file system (packages, about a minute) and
the image (modules, configuration, half a minute).
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import apt_sources
from lab.errors import LabError
from lab.paths import cached, digest
from lab.progress import stage
from lab.shell import require_program, run

SUITE = "trixie"
DISK_SIZE = "12G"
HERE = Path(__file__).parent
CONTENT = HERE / "image"
MODULES = HERE / "modules"
GRUB_MODULES = (
    *("biosdisk", "part_msdos", "part_gpt", "ext2", "search", "search_fs_uuid", "search_fs_file", "linux", "boot"),
    *("normal", "configfile", "loadenv", "test", "echo", "ls", "cat", "true", "sleep", "reboot", "halt"),
    *("gzio", "zstd", "serial", "terminal", "minicmd", "all_video"),
)

_BOOTSTRAP = (
    "mmdebstrap",
    "--mode=root",
    "--variant=minbase",
    "--format=tar",
    "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
    '--aptopt=Apt::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=force-unsafe-io",
    # The initramfs (for GRUB boots) only needs the disk; made before the kernel's package makes it.
    '--setup-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"'
    " && printf 'MODULES=list\\nCOMPRESS=zstd\\nCOMPRESSLEVEL=1\\n' > \"$1/etc/initramfs-tools/conf.d/qatlab\""
    " && printf 'virtio_pci\\nvirtio_blk\\next4\\n' > \"$1/etc/initramfs-tools/modules\"",
)


@dataclass(frozen=True)
class DiskImage:
    """A finished image: its files, and the key that names exactly this content."""

    directory: Path

    @property
    def key(self) -> str:
        return self.directory.name

    @property
    def disk(self) -> Path:
        """Raw ext4 file system, never written to: nodes write to overlays."""
        return self.directory / "disk.img"

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Just enough to mount the disk; for nodes that QEMU starts without GRUB."""
        return self.directory / "initrd.cpio"

    @property
    def grub(self) -> Path:
        """GRUB in the form of a Linux kernel, which QEMU can load: it reads /boot/grub/grub.cfg of the disk."""
        return self.directory / "grub.lkrn"


@dataclass(frozen=True)
class ImageAddition:
    """What makes a node of a cluster of a plain node.

    packages: of Debian. key: a hash of all that finish adds. finish: called with the unpacked root file system.
    """

    packages: tuple[str, ...]
    key: str
    finish: Callable[[Path], None]


PLAIN = ImageAddition((), "plain", lambda _root: None)


def build(addition: ImageAddition = PLAIN) -> DiskImage:
    """The image for the present content of this package, built if it is not in the cache. Needs root."""
    packages = [*package_list(CONTENT / "packages.txt"), *addition.packages]
    rootfs_key = digest(SUITE, *_BOOTSTRAP, *packages)
    key = digest(rootfs_key, DISK_SIZE, *GRUB_MODULES, CONTENT, MODULES, addition.key)

    def make(directory: Path) -> None:
        rootfs = cached("rootfs", rootfs_key, lambda target: _bootstrap(target, packages))
        _make_image(rootfs / "rootfs.tar", directory, addition)

    return DiskImage(cached("image", key, make))


def package_list(file: Path) -> list[str]:
    """The packages that a file names, one a line; lines with # are comments."""
    lines = file.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _bootstrap(directory: Path, packages: list[str]) -> None:
    if os.geteuid():
        raise LabError("the lab's image can only be built by root: run this as root, or with sudo.")
    require_program("mmdebstrap")
    sources = apt_sources.mirror().lines(SUITE)
    log = directory / "log"
    command = [*_BOOTSTRAP, f"--include={','.join(packages)}", SUITE, str(directory / "rootfs.tar"), *sources]
    with stage(f"Debian {SUITE}: {len(packages)} packages and what they need"), log.open("w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            tail = "\n".join(log.read_text().splitlines()[-20:])
            raise LabError(f"mmdebstrap failed with exit code {done.returncode}:\n{tail}")


def _make_image(rootfs: Path, directory: Path, addition: ImageAddition) -> None:
    root = directory / "root"
    root.mkdir()
    with stage("unpack the root file system"):
        run("tar", "-C", root, "--numeric-owner", "-xf", rootfs)
        root.chmod(0o755)
    with stage("kernel modules and configuration"):
        run("cp", "-rT", "--no-preserve=ownership", CONTENT / "overlay", root)
        run(CONTENT / "customize.sh", root, MODULES)
    addition.finish(root)
    with stage("disk image and boot files"):
        (release,) = (path.name for path in (root / "lib/modules").iterdir())
        shutil.copyfile(root / "boot" / f"vmlinuz-{release}", directory / "vmlinuz")
        _make_initrd(root / "lib/modules" / release, directory)
        _make_grub(directory)
        _make_disk(root, directory / "disk.img")
    shutil.rmtree(root)


def _make_disk(root: Path, disk: Path) -> None:
    run("truncate", "-s", DISK_SIZE, disk)
    # No journal, no checksums: nobody keeps these disks.
    options = ["-O", "^has_journal,^metadata_csum", "-E", "lazy_itable_init=1,nodiscard", "-m", "0"]
    run("mke2fs", "-q", "-F", "-t", "ext4", *options, "-L", "qatlab", "-d", root, disk)


def _make_initrd(modules: Path, directory: Path) -> None:
    tree = directory / "initrd"
    for name in ("bin", "dev", "mnt"):
        (tree / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    shutil.copy(CONTENT / "initrd-init.sh", tree / "init")
    (driver,) = modules.rglob("virtio_blk.ko*")
    content = driver.read_bytes()
    (tree / "virtio_blk.ko").write_bytes(lzma.decompress(content) if driver.suffix == ".xz" else content)
    run("sh", "-c", 'cd "$1" && find . | cpio --quiet -o -H newc >"$2"', "sh", tree, directory / "initrd.cpio")
    shutil.rmtree(tree)


def _make_grub(directory: Path) -> None:
    core = directory / "core.img"
    early = CONTENT / "grub-early.cfg"
    prefix = "(hd0)/boot/grub"
    run("grub-mkimage", "-O", "i386-pc", "-c", early, "-p", prefix, "-o", core, *GRUB_MODULES)
    loader = Path("/usr/lib/grub/i386-pc/lnxboot.img").read_bytes()
    (directory / "grub.lkrn").write_bytes(loader + core.read_bytes())
    core.unlink()
