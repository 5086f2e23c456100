# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's programs, compiled from Go modules that go/*/go.mod pin and go.sum verifies.

go/kubernetes        all of Kubernetes and etcd in one program; the name it is called by selects the component
go/qat-plugin        Intel's QAT device plugin
go/kubevirt-*        KubeVirt, a directory for each release
go/stand-ins         for modules that KubeVirt imports and no module proxy serves: each call answers "not available"
go/kubevirt-patches  replacements of single files of KubeVirt; each file says what it changes and why
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
"""The Go compiler that requirements/core-2.19.in pins, in the Python environment that runs the lab."""

KUBEVIRT = "kubevirt.io/kubevirt"
VIRT_COMMANDS = (
    *("virt-operator", "virt-api", "virt-controller", "virt-exportproxy", "virt-exportserver"),
    *("virt-chroot", "virt-launcher-monitor", "virt-freezer", "virt-probe", "virt-tail"),
)


@dataclass(frozen=True)
class Build:
    """Programs that one call of the compiler makes. The repr of an object is part of the cache key of its module."""

    packages: tuple[str, ...]
    c: bool = False
    """Whether C code is compiled, too (cgo)."""
    tags: str = ""
    """Go build tags, separated by commas."""


@dataclass(frozen=True)
class GoModule:
    """A Go module in a directory below go/, and the programs that are made from it."""

    name: str
    """Name of the directory below go/."""
    main: str
    """Path of the main module: the upstream Go module that has the programs."""
    builds: tuple[Build, ...]
    stamps: tuple[str, ...] = ()
    """Variables of the programs that the linker sets to the main module's version, as in upstream's release."""
    links: tuple[str, ...] = ()
    """Further names of a single program whose name is that of the module."""
    patches: Path | None = None
    """A directory of files that replace files of the main module."""

    @property
    def directory(self) -> Path:
        return HERE / self.name

    @property
    def version(self) -> str:
        """Version of the main module in go.mod, with its leading v."""
        for line in (self.directory / "go.mod").read_text().splitlines():
            words = line.removeprefix("require ").split()
            if words[:1] == [self.main] and words[1].startswith("v"):
                return words[1]
        raise LabError(f"{self.directory / 'go.mod'} does not require {self.main}.")

    @property
    def key(self) -> str:
        """Hash of all that the programs are made from, which is their name in the cache."""
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
            # C is needed for the ioctls of /dev/kvm. libvirt is loaded at run time, so that its headers are not needed.
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
    """The directory with a module's programs, compiled if the cache does not have them.

    Raises LabError with the end of the compiler's output when that fails.
    """

    def make(directory: Path) -> None:
        with stage(f"fetch the sources of {module.name} {module.version}"):
            _go(module, "mod", "download")
        with stage(f"compile {module.name} {module.version} (minutes, once)"), _patched(module) as modfile:
            for made in module.builds:
                _compile(module, made, directory, *modfile)
            for name in module.links:
                (directory / name).symlink_to(module.name)
        shutil.rmtree(_compiler_cache(module))  # gigabytes that are not needed again

    return cached("programs", module.key, make)


def is_built(module: GoModule) -> bool:
    """Whether a module's programs are in the cache."""
    return (cache_root() / "programs" / module.key).exists()


def source(module: GoModule) -> Path:
    """The directory with the source of the main module, downloaded if the cache does not have it."""
    listed = _go(module, "mod", "download", "-json", f"{module.main}@{module.version}")
    return Path(json.loads(listed)["Dir"])


@contextmanager
def _patched(module: GoModule) -> Iterator[tuple[str, ...]]:
    """Options of go that compile the main module with its patches; no options when the module has no patches.

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
                raise LabError(
                    f"{patch} replaces no file: {module.main} {module.version} has none of that path. Remove the patch."
                )
            target.unlink()  # removes only this hard link: the file itself is in the cache of modules
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
    """Run go in a module's directory, with the lab's caches, and give its standard output."""
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
    """The compiler's cache while a module is built. Modules do not share it: they have hardly a package in common."""
    return cache_root() / "go" / module.name


def _go_version() -> str:
    if not GO.exists():
        raise LabError(
            f"no Go compiler at {GO}: 'make deps' makes the Python environment that the compiler is part of."
        )
    return run(GO, "env", "GOVERSION").strip()
