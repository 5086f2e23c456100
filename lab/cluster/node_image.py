# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster's node image has beside a plain node's: containerd, Kubernetes and the container images, unpacked."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import image, rootfs
from lab.cluster import images, programs
from lab.cluster.profiles import Profile
from lab.errors import LabError
from lab.paths import digest
from lab.progress import stage
from lab.shell import run

HERE = Path(__file__).parent
OVERLAY = HERE / "node"
PACKAGES = HERE / "node-packages.txt"
PATIENCE = 60.0
"""Seconds until a containerd that does not answer on this host is given up."""
COLD_GB = 18.0
"""Of the cache, when the programs are still to be compiled."""
WARM_GB = 5.0
"""Of the cache, when the programs are compiled."""


def addition(profile: Profile) -> image.ImageAddition:
    """What a profile adds to the node image. Compiles programs and makes container images that are not cached."""
    kubernetes = programs.build(programs.KUBERNETES)
    layout = container_images(profile)

    def finish(root: Path) -> None:
        with stage("install Kubernetes into the node image"):
            run("cp", "-rT", "--no-preserve=ownership", OVERLAY, root)
            run("cp", "-a", kubernetes / "kubernetes", root / "usr/local/bin/")
            for name in ("kubelet", "kube-proxy"):
                (root / "usr/local/bin" / name).symlink_to("kubernetes")
            run("chroot", root, "systemctl", "--quiet", "enable", "containerd", "kubelet", "kube-proxy")
        with stage("unpack the container images into the node image"):
            _unpack(layout, root)

    packages = tuple(rootfs.package_list(PACKAGES))
    return image.ImageAddition(packages, digest(programs.KUBERNETES.key, layout.name, OVERLAY, Path(__file__)), finish)


def container_images(profile: Profile) -> Path:
    """The OCI layout directory with all container images of a profile."""
    return images.build(profile.kubevirt, image.build().kernel)


def cache_gb(profile: Profile) -> float:
    """GB that a profile takes in the cache at most; less when its programs are compiled already."""
    modules = [programs.KUBERNETES, *([profile.kubevirt] if profile.kubevirt else [])]
    return WARM_GB if all(programs.is_built(module) for module in modules) else COLD_GB


def _unpack(layout: Path, root: Path) -> None:
    """Import the images with the node's own containerd, run on this host: under emulation the import takes minutes."""
    archive = root / "images.tar"
    run("tar", "-C", layout, "-cf", archive, ".")
    with _containerd(root):
        ctr = ("chroot", root, "ctr", "--namespace=k8s.io")
        run(*ctr, "images", "import", "--discard-unpacked-layers", "/images.tar")
        run(*ctr, "content", "prune", "references")  # at once: by itself containerd prunes only some time later
    archive.unlink()


@contextmanager
def _containerd(root: Path) -> Iterator[None]:
    """Run the containerd of a root file system, in a chroot, while the block runs."""
    mounted: list[Path] = []
    try:
        for kind, where in (("proc", "proc"), ("sysfs", "sys"), ("tmpfs", "run"), ("tmpfs", "tmp")):
            run("mount", "-t", kind, kind, root / where)
            mounted.append(root / where)
        log = root.parent / "containerd.log"
        with log.open("w") as output:
            daemon = subprocess.Popen(["chroot", root, "containerd"], stdout=output, stderr=output)
        try:
            _await_socket(root / "run/containerd/containerd.sock", daemon, log)
            yield
        finally:
            daemon.terminate()
            daemon.wait()
    finally:
        for place in reversed(mounted):
            run("umount", place)


def _await_socket(socket: Path, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not socket.exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise LabError(
                f"containerd of the node image does not start, so that no container image can be unpacked: see {log}."
            )
        time.sleep(0.05)
