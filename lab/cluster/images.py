# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's container images, made from compiled programs and Debian packages, without a container engine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import rootfs
from lab.cluster import oci, programs
from lab.paths import cached, digest
from lab.progress import stage
from lab.rootfs import SUITE
from lab.shell import run

REGISTRY = "registry.lab:5000"
"""The registry in all image names, the same in every lab: each node's containerd maps it to the registry of its lab."""
PAUSE = f"{REGISTRY}/pause:lab"
BUSYBOX = f"{REGISTRY}/busybox:lab"
QAT_GUEST = f"{REGISTRY}/qat-guest:lab"
HERE = Path(__file__).parent
CONTAINERS = HERE / "containers"
GUEST_REPORT = HERE.parents[1] / "ansible_collections/intel/qatvirt/roles/qat_test_vm/files/report.sh"
"""The script that the test guest runs: the one that the role qat_test_vm ships."""
BUSYBOX_PROGRAM = Path("/bin/busybox")
QEMU_USER = "107"
NOBODY = "65535:65535"

CONTROL_PLANE = ("virt-operator", "virt-api", "virt-controller", "virt-exportproxy", "virt-exportserver")
"""KubeVirt's images that hold one static program; image and program have the same name."""

HANDLER = ("virt-handler", "virt-chroot")
LAUNCHER = ("virt-launcher", "virt-launcher-monitor", "virt-freezer", "virt-probe", "virt-tail")

_MMDEBSTRAP = rootfs.command("essential", "directory")


@dataclass(frozen=True)
class KubeVirtRelease:
    """What the container images of one KubeVirt release are made from."""

    version: str
    """The release with its leading v, which is also the tag of the images."""
    programs: Path
    """Directory of the compiled programs."""
    source: Path
    """Directory of KubeVirt's source."""

    def has(self, program: str) -> bool:
        """Whether this release has a program."""
        return (self.programs / program).exists()

    @property
    def launcher_user(self) -> str:
        """The user of virt-launcher's image: QEMU's user, as in upstream's image since KubeVirt 1.9.

        Up to 1.8 the image has no user, so it runs as root: the node labeller runs as the image's user and makes
        /dev/kvm accessible to all users, which only root can.
        """
        return QEMU_USER if minor(self.version) >= (1, 9) else ""


def minor(version: str) -> tuple[int, int]:
    """Major and minor number of a version: (1, 8) for "v1.8.4"."""
    first, second = version.removeprefix("v").split(".")[:2]
    return int(first), int(second)


def name(image: str, version: str) -> str:
    """The full name of an image in the lab's registry."""
    return f"{REGISTRY}/{image}:{version}"


def qat_plugin() -> str:
    """The full name of the image of Intel's QAT device plugin, tagged as upstream tags it (no leading v)."""
    return name("intel-qat-plugin", programs.QAT_PLUGIN.version.removeprefix("v"))


def names(layout: Path) -> list[str]:
    """The full names of the images in an OCI layout directory."""
    return oci.Layout(layout).names()


def build(kubevirt: programs.GoModule | None, kernel: Path) -> Path:
    """The OCI layout directory with all images, made if the cache does not have it. Needs root to make it.

    kubevirt: the KubeVirt release, None for a cluster without KubeVirt. kernel: the kernel that the test guest boots.
    """
    keys = [programs.QAT_PLUGIN.key]
    if kubevirt:
        keys += [kubevirt.key, _base_key()]
    sources = (HERE / "oci.py", HERE / "images.py", CONTAINERS, GUEST_REPORT)
    key = digest(*keys, *sources, BUSYBOX_PROGRAM, kernel)

    def make(directory: Path) -> None:
        layout = oci.Layout(directory)
        plugin = programs.build(programs.QAT_PLUGIN)
        with stage("make the container images of pause, busybox, the test guest and Intel's plugin"):
            add_base(layout)
            add_guest(layout, kernel)
            add_qat_plugin(layout, plugin)
        if kubevirt:
            release = KubeVirtRelease(kubevirt.version, programs.build(kubevirt), programs.source(kubevirt))
            base = launcher_base()
            with stage(f"make the container images of KubeVirt {release.version}"):
                add_kubevirt(layout, release, base)

    return cached("images", key, make)


def add_base(layout: oci.Layout) -> None:
    """Add the pause image, and the busybox image: a shell with the usual commands."""
    with _tree(layout) as root:
        _compile(CONTAINERS / "pause.c", root / "pause")
        layout.add(PAUSE, [_pack(root)], ["/pause"], user=NOBODY)
    with _tree(layout) as root:
        _install_busybox(root)
        _accounts(root)
        layout.add(BUSYBOX, [_pack(root)], command=["/bin/sh"])


def add_guest(layout: oci.Layout, kernel: Path) -> None:
    """Add the image that a test VM boots from: a kernel, and an initramfs that reports which devices the guest has."""
    with _tree(layout) as root, _tree(layout) as initramfs:
        _install_busybox(initramfs)
        _install(CONTAINERS / "guest-init.sh", initramfs / "init", 0o755)
        _install(GUEST_REPORT, initramfs / "report.sh", 0o755)
        _install(kernel, root / "boot/vmlinuz", 0o644)
        (root / "boot/initrd").write_bytes(b"")
        (root / "boot/initrd").chmod(0o644)
        script = (
            'cd "$1" && find . -exec touch -h -d @0 {} + && find . | LC_ALL=C sort'
            ' | cpio --quiet --reproducible -R 0:0 -o -H newc >"$2"'
        )
        run("sh", "-c", script, "sh", initramfs, root / "boot/initrd")
        layout.add(QAT_GUEST, [_pack(root)], user=QEMU_USER)


def add_qat_plugin(layout: oci.Layout, directory: Path) -> None:
    """Add the image of Intel's QAT device plugin, the program at the path it has in upstream's image.

    directory: where the compiled program is.
    """
    with _tree(layout) as static, _tree(layout) as root:
        _accounts(static)
        program = "/usr/local/bin/intel_qat_device_plugin"
        _install(directory / "qat_plugin", root / program.lstrip("/"), 0o755)
        layout.add(qat_plugin(), [_pack(static), _pack(root)], [program])


def add_kubevirt(layout: oci.Layout, release: KubeVirtRelease, base: Path) -> None:
    """Add all images of a KubeVirt release.

    base: archive of the root file system of virt-handler and virt-launcher, which need libvirt and QEMU.
    """
    with _tree(layout) as static:
        _accounts(static)
        archive = _pack(static)
        for program in CONTROL_PLANE:
            _add_static(layout, archive, release, program, program)
        if release.has("synchronization-controller"):
            # The operator's Deployment calls the program by the name of the image.
            image = "virt-synchronization-controller"
            _add_static(layout, archive, release, image, "synchronization-controller")
    with _tree(layout) as root:
        _install_programs(release, HANDLER, root)
        layout.add(name("virt-handler", release.version), [base, _pack(root)], ["/usr/bin/virt-handler"])
    with _tree(layout) as root:
        _fill_launcher(release, root)
        image = name("virt-launcher", release.version)
        layout.add(image, [base, _pack(root)], ["/usr/bin/virt-launcher"], user=release.launcher_user)


def _add_static(layout: oci.Layout, base: Path, release: KubeVirtRelease, image: str, program: str) -> None:
    with _tree(layout) as root:
        target = f"/usr/bin/{image}"
        _install(release.programs / program, root / target.lstrip("/"), 0o755)
        layout.add(name(image, release.version), [base, _pack(root)], [target], user="1001")


def _fill_launcher(release: KubeVirtRelease, root: Path) -> None:
    """Install programs and upstream's configuration files where cmd/virt-launcher/BUILD.bazel has them."""
    command = release.source / "cmd/virt-launcher"
    _install_programs(release, LAUNCHER, root)
    run("setcap", "cap_net_bind_service=+ep", root / "usr/bin/virt-launcher-monitor")
    _compile(release.source / "cmd/container-disk-v2alpha/main.c", root / "usr/bin/container-disk")
    _install(command / "node-labeller/node-labeller.sh", root / "usr/bin/node-labeller.sh", 0o755)
    for file in ("qemu.conf", "virtqemud.conf"):
        _install(command / file, root / "etc/libvirt" / file, 0o644)
    _install(command / "nsswitch.conf", root / "etc/nsswitch.conf", 0o644)
    hooks = root / "etc/libvirt/hooks"
    _install(command / "qemu", hooks / "qemu", 0o755)
    if release.has("libvirt-hook-client"):
        _install_programs(release, ("libvirt-hook-client",), root)
    # QEMU's user replaces the hook by libvirt-hook-client when a virtual machine starts.
    for path in (hooks, hooks / "qemu"):
        os.chown(path, int(QEMU_USER), int(QEMU_USER))


def launcher_base() -> Path:
    """Archive of the root file system with libvirt and QEMU, made if it is not in the cache. Needs root to make it."""
    return cached("launcher-base", _base_key(), _make_base) / "base.tar"


def _base_key() -> str:
    files = ("launcher-base.sh", "launcher-packages.txt", "virtqemud")
    return digest(SUITE, *_MMDEBSTRAP, *(CONTAINERS / file for file in files))


def _make_base(directory: Path) -> None:
    root = directory / "root"
    packages = rootfs.package_list(CONTAINERS / "launcher-packages.txt")
    with stage(f"Debian {SUITE} with libvirt and QEMU, the base of KubeVirt's images"):
        rootfs.make(_MMDEBSTRAP, packages, root, directory / "log")
        run(CONTAINERS / "launcher-base.sh", root, CONTAINERS / "virtqemud")
        oci.tar(root, directory / "base.tar")
        shutil.rmtree(root)


@contextmanager
def _tree(layout: oci.Layout) -> Iterator[Path]:
    """An empty root directory beside the layout, removed when the block ends."""
    layout.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=layout.directory.parent) as scratch:
        root = Path(scratch, "root")
        root.mkdir()
        root.chmod(0o755)
        yield root


def _pack(root: Path) -> Path:
    """Archive a directory tree into a file beside it and give the file."""
    return oci.tar(root, root.with_suffix(".tar"))


def _install(source: Path, target: Path, mode: int) -> None:
    """Copy a file and make its missing parent directories with mode 0755."""
    run("install", "-D", "-m", f"{mode:o}", source, target)


def _install_programs(release: KubeVirtRelease, wanted: tuple[str, ...], root: Path) -> None:
    for program in wanted:
        _install(release.programs / program, root / "usr/bin" / program, 0o755)


def _install_busybox(root: Path) -> None:
    """Install busybox: a shell with the usual commands."""
    _install(BUSYBOX_PROGRAM, root / "bin/busybox", 0o755)
    for applet in run(BUSYBOX_PROGRAM, "--list").split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")


def _compile(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    run("gcc", "-Os", "-static", "-s", "-w", "-o", target, source)
    target.chmod(0o755)


def _accounts(root: Path) -> None:
    """Write what static programs need in a root file system: accounts and resolver settings as upstream's, and /tmp."""
    files = {
        "passwd": ("root:x:0:0:root:/root:/bin/sh\nnonroot-user:x:1001:1001::/home/nonroot-user:/bin/sh\n"),
        "group": "root:x:0:\nnonroot-user:x:1001:\n",
        "nsswitch.conf": "hosts: files dns\n",
    }
    for directory, mode in (("etc", 0o755), ("root", 0o700), ("tmp", 0o1777)):
        (root / directory).mkdir()
        (root / directory).chmod(mode)
    for file, text in files.items():
        (root / "etc" / file).write_text(text)
        (root / "etc" / file).chmod(0o644)
