# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk image that all nodes start from: Debian 13 with the kernel modules that show emulated QAT devices.

The image is made in two steps, each cached by a hash of all its input: the root file system (packages, about a minute)
and the disk image (kernel modules and configuration, half a minute).
"""

from __future__ import annotations

import lzma
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import rootfs
from lab.paths import cached, digest
from lab.progress import stage
from lab.rootfs import SUITE
from lab.shell import run

DISK_SIZE = "12G"
HERE = Path(__file__).parent
CONTENT = HERE / "image"
MODULES = HERE / "modules"
GRUB_MODULES = (
    *("biosdisk", "part_msdos", "part_gpt", "ext2", "search", "search_fs_uuid", "search_fs_file", "linux", "boot"),
    *("normal", "configfile", "loadenv", "test", "echo", "ls", "cat", "true", "sleep", "reboot", "halt"),
    *("gzio", "zstd", "serial", "terminal", "minicmd", "all_video"),
)

_MMDEBSTRAP = rootfs.command(
    "minbase",
    "tar",
    # The initramfs, for nodes that boot through GRUB, only needs the disk's drivers. The hook writes its configuration
    # before the kernel's package makes the initramfs.
    '--setup-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"'
    " && printf 'MODULES=list\\nCOMPRESS=zstd\\nCOMPRESSLEVEL=1\\n' > \"$1/etc/initramfs-tools/conf.d/qatlab\""
    " && printf 'virtio_pci\\nvirtio_blk\\next4\\n' > \"$1/etc/initramfs-tools/modules\"",
)


@dataclass(frozen=True)
class DiskImage:
    """The files of a finished disk image. key: the hash of all that the image was made from."""

    directory: Path

    @property
    def key(self) -> str:
        return self.directory.name

    @property
    def disk(self) -> Path:
        """Raw ext4 file system. Nodes never write to this file: they write to overlays."""
        return self.directory / "disk.img"

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """An initramfs that only mounts the disk, for nodes that QEMU starts without GRUB."""
        return self.directory / "initrd.cpio"

    @property
    def grub(self) -> Path:
        """GRUB in the form of a Linux kernel, which QEMU can load. GRUB then reads /boot/grub/grub.cfg on the disk."""
        return self.directory / "grub.lkrn"


@dataclass(frozen=True)
class ImageAddition:
    """What the disk image of a cluster's nodes has in addition to the image of plain nodes.

    packages: Debian packages. key: a hash of all that finish() adds. finish: called with the directory of the unpacked
    root file system.
    """

    packages: tuple[str, ...]
    key: str
    finish: Callable[[Path], None]


PLAIN = ImageAddition((), "plain", lambda _root: None)


def build(addition: ImageAddition = PLAIN) -> DiskImage:
    """The disk image for the present content of lab/, made if the cache does not have it. Needs root to make it."""
    packages = [*rootfs.package_list(CONTENT / "packages.txt"), *addition.packages]
    rootfs_key = digest(SUITE, *_MMDEBSTRAP, *packages)
    key = digest(rootfs_key, DISK_SIZE, *GRUB_MODULES, CONTENT, MODULES, addition.key)

    def make(directory: Path) -> None:
        made = cached("rootfs", rootfs_key, lambda target: _make_rootfs(target, packages))
        _make_image(made / "rootfs.tar", directory, addition)

    return DiskImage(cached("image", key, make))


def _make_rootfs(directory: Path, packages: list[str]) -> None:
    with stage(f"Debian {SUITE}: {len(packages)} packages and their dependencies"):
        rootfs.make(_MMDEBSTRAP, packages, directory / "rootfs.tar", directory / "log")


def _make_image(archive: Path, directory: Path, addition: ImageAddition) -> None:
    root = directory / "root"
    root.mkdir()
    with stage("unpack the root file system of the node image"):
        run("tar", "-C", root, "--numeric-owner", "-xf", archive)
        root.chmod(0o755)
    with stage("build kernel modules and copy configuration into the node image"):
        run("cp", "-rT", "--no-preserve=ownership", CONTENT / "overlay", root)
        run(CONTENT / "customize.sh", root, MODULES)
    addition.finish(root)
    with stage("make the disk image and the boot files"):
        (release,) = (path.name for path in (root / "lib/modules").iterdir())
        shutil.copyfile(root / "boot" / f"vmlinuz-{release}", directory / "vmlinuz")
        _make_initrd(root / "lib/modules" / release, directory)
        _make_grub(directory)
        _make_disk(root, directory / "disk.img")
    shutil.rmtree(root)


def _make_disk(root: Path, disk: Path) -> None:
    run("truncate", "-s", DISK_SIZE, disk)
    # The file system needs neither journal nor checksums: no disk outlives its lab.
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
