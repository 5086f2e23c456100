# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a cluster node of a plain lab node: containerd, Kubernetes, and all container images, already unpacked."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import image
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
COLD_GB = 18.0
WARM_GB = 5.0


def addition(profile: Profile) -> image.ImageAddition:
    """What a node of a cluster of this profile has beside a plain one. Compiles and collects what is not cached."""
    kubernetes = programs.build(programs.KUBERNETES)
    layout = container_images(profile)

    def finish(root: Path) -> None:
        with stage("Kubernetes"):
            run("cp", "-rT", "--no-preserve=ownership", OVERLAY, root)
            run("cp", "-a", kubernetes / "kubernetes", root / "usr/local/bin/")
            for name in ("kubelet", "kube-proxy"):
                (root / "usr/local/bin" / name).symlink_to("kubernetes")
            run("chroot", root, "systemctl", "--quiet", "enable", "containerd", "kubelet", "kube-proxy")
        with stage("unpack the container images"):
            _unpack(layout, root)

    packages = tuple(image.package_list(PACKAGES))
    return image.ImageAddition(packages, digest(programs.KUBERNETES.key, layout.name, OVERLAY, Path(__file__)), finish)


def container_images(profile: Profile) -> Path:
    """The layout with all container images of a profile."""
    return images.build(profile.kubevirt, image.build().kernel)


def disk(profile: Profile) -> float:
    """GB of the cache that building all of it takes at most, less when the programs are there."""
    modules = [programs.KUBERNETES, *([profile.kubevirt] if profile.kubevirt else [])]
    return WARM_GB if all(programs.is_built(module) for module in modules) else COLD_GB


def _unpack(layout: Path, root: Path) -> None:
    """Have the node's own containerd take in the images, on this host: under emulation it would take minutes."""
    archive = root / "images.tar"
    run("tar", "-C", layout, "-cf", archive, ".")
    with _containerd(root):
        ctr = ("chroot", root, "ctr", "--namespace=k8s.io")
        run(*ctr, "images", "import", "--discard-unpacked-layers", "/images.tar")
        run(*ctr, "content", "prune", "references")  # now, not when containerd finds the time
    archive.unlink()


@contextmanager
def _containerd(root: Path) -> Iterator[None]:
    """containerd in the root file system, as it runs on a node later."""
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
            raise LabError(f"containerd does not start to unpack the images: see {log}.")
        time.sleep(0.05)
