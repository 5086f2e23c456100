# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's programs, compiled from Go modules that go/*/go.mod pin and go.sum verifies.

go/kubernetes    all of Kubernetes and etcd in one program that acts by the name it is called
go/qat-plugin    Intel's QAT device plugin
go/kubevirt-*    KubeVirt, one directory a release
go/stand-ins     modules that KubeVirt imports and no module proxy serves: each call answers "not available"
go/kubevirt-patches   files of KubeVirt that are others here; each says why
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.paths import cache_root, cached, digest
from lab.progress import stage
from lab.shell import require_program, run

HERE = Path(__file__).parent / "go"
STAND_INS = HERE / "stand-ins"
PATCHES = HERE / "kubevirt-patches"
GO = Path(sys.executable).parent / "go"
"""The compiler that requirements/core-2.19.in pins, in the environment that runs the lab."""

KUBEVIRT = "kubevirt.io/kubevirt"
VIRT_COMMANDS = (
    *("virt-operator", "virt-api", "virt-controller", "virt-exportproxy", "virt-exportserver"),
    *("virt-chroot", "virt-launcher-monitor", "virt-freezer", "virt-probe", "virt-tail"),
)


@dataclass(frozen=True)
class Build:
    """Programs that are compiled together."""

    packages: tuple[str, ...]
    c: bool = False
    """Whether C code is compiled in (cgo)."""
    tags: str = ""


@dataclass(frozen=True)
class GoModule:
    """A directory below go/ and what is made from it."""

    name: str
    main: str
    """The Go module whose version this is about."""
    builds: tuple[Build, ...]
    stamps: tuple[str, ...] = ()
    """Variables with that version in the programs, set by the linker as upstream's release does."""
    links: tuple[str, ...] = ()
    """Further names of the one program, which has the module's name."""
    patches: Path | None = None
    """A directory with files that take the place of the main module's."""

    @property
    def directory(self) -> Path:
        return HERE / self.name

    @property
    def version(self) -> str:
        """Version of the main module, with its v, from go.mod."""
        for line in (self.directory / "go.mod").read_text().splitlines():
            words = line.removeprefix("require ").split()
            if words[:1] == [self.main] and words[1].startswith("v"):
                return words[1]
        raise LabError(f"{self.directory / 'go.mod'} does not require {self.main}.")

    @property
    def key(self) -> str:
        """What the programs are cached under."""
        trees = [self.directory, STAND_INS, *([self.patches] if self.patches else [])]
        return digest(*map(repr, self.builds), *self.stamps, *self.links, _go_version(), *trees)


def _kubevirt(name: str, *extra: str) -> GoModule:
    client = "kubevirt.io/client-go/version"
    return GoModule(
        name,
        KUBEVIRT,
        (
            Build((*(f"{KUBEVIRT}/cmd/{command}" for command in VIRT_COMMANDS), *extra), tags="selinux"),
            Build((f"{KUBEVIRT}/tools/manifest-templator",)),
            # C for the ioctls of /dev/kvm; and libvirt is loaded when it runs, so its headers are not needed here.
            Build((f"{KUBEVIRT}/cmd/virt-handler",), c=True, tags="selinux"),
            Build((f"{KUBEVIRT}/cmd/virt-launcher",), c=True, tags="selinux,libvirt_dlopen"),
        ),
        (f"{client}.gitVersion",),
        patches=PATCHES,
    )


KUBERNETES = GoModule(
    "kubernetes",
    "k8s.io/kubernetes",
    (Build((".",)),),
    ("k8s.io/component-base/version.gitVersion", "k8s.io/client-go/pkg/version.gitVersion"),
    (
        *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
        *("kubelet", "kube-proxy", "kubectl"),
    ),
)
QAT_PLUGIN = GoModule(
    "qat-plugin",
    "github.com/intel/intel-device-plugins-for-kubernetes",
    (Build(("github.com/intel/intel-device-plugins-for-kubernetes/cmd/qat_plugin",)),),
)
KUBEVIRT_1_8 = _kubevirt("kubevirt-1.8")
KUBEVIRT_1_9 = _kubevirt(
    "kubevirt-1.9",
    f"{KUBEVIRT}/cmd/virt-launcher/libvirt-hook-client",
    f"{KUBEVIRT}/cmd/synchronization-controller",
)


def build(module: GoModule) -> Path:
    """The directory with a module's programs, compiled if they are not in the cache.

    Raises LabError with the compiler's words when that fails.
    """

    def make(directory: Path) -> None:
        with stage(f"fetch the sources of {module.name} {module.version}"):
            _go(module, "mod", "download")
        with stage(f"compile {module.name} {module.version} (minutes, once)"), _patched(module) as modfile:
            for made in module.builds:
                _compile(module, made, directory, *modfile)
            for name in module.links:
                (directory / name).symlink_to(module.name)
        shutil.rmtree(_compiler_cache(module))  # gigabytes that nothing asks for again

    return cached("programs", module.key, make)


def is_built(module: GoModule) -> bool:
    """Whether a module's programs are in the cache."""
    return (cache_root() / "programs" / module.key).exists()


def source(module: GoModule) -> Path:
    """The directory with the main module's source."""
    listed = _go(module, "mod", "download", "-json", f"{module.main}@{module.version}")
    return Path(json.loads(listed)["Dir"])


@contextmanager
def _patched(module: GoModule) -> Iterator[tuple[str, ...]]:
    """Options of go that have the module's patches compiled in; none where there are no patches.

    Raises LabError for a patch of a file that the main module does not have.
    """
    if not module.patches:
        yield ()
        return
    with tempfile.TemporaryDirectory(dir=cache_root() / "go") as name:
        tree, modfile = Path(name, "source"), Path(name, "go.mod")
        shutil.copytree(source(module), tree, copy_function=os.link)
        for patch in module.patches.rglob("*.go"):
            target = tree / patch.relative_to(module.patches)
            if not target.exists():
                raise LabError(f"{patch} is to replace a file that {module.main} {module.version} does not have.")
            target.unlink()  # the name only: what it is linked to is everybody's
            shutil.copyfile(patch, target)
        shutil.copyfile(module.directory / "go.sum", modfile.with_suffix(".sum"))
        modfile.write_text(f"{(module.directory / 'go.mod').read_text()}\nreplace {module.main} => {tree}\n")
        yield (f"-modfile={modfile}",)


def _compile(module: GoModule, made: Build, directory: Path, *modfile: str) -> None:
    if made.c:
        require_program("gcc")
    stamps = " ".join(f"-X {name}={module.version}" for name in module.stamps)
    _go(
        module,
        *("build", "-mod=readonly", *modfile, "-trimpath", "-buildvcs=false", "-tags", made.tags),
        *("-ldflags", f"-s -w {stamps}", "-o", f"{directory}/", *made.packages),
        c=made.c,
    )


def _go(module: GoModule, *arguments: str, c: bool = False) -> str:
    """Run go in a module's directory, with the caches of the lab; gives its standard output."""
    environment = {
        **os.environ,
        "GOCACHE": str(_compiler_cache(module)),
        "GOMODCACHE": str(cache_root() / "go" / "modules"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-modcacherw",
        "CGO_ENABLED": str(int(c)),
    }
    done = subprocess.run(
        [GO, *arguments],
        cwd=module.directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-20:])
        raise LabError(f"'go {' '.join(arguments)}' failed in {module.directory}:\n{tail}")
    return done.stdout


def _compiler_cache(module: GoModule) -> Path:
    """What the compiler keeps while a module is built. Not shared: modules have hardly a package in common."""
    return cache_root() / "go" / module.name


def _go_version() -> str:
    if not GO.exists():
        raise LabError(f"no Go compiler at {GO}: 'make deps' makes the Python environment that has it.")
    return run(GO, "env", "GOVERSION").strip()
