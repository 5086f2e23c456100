# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's registry: Debian's docker-registry, with plain http, which has all container images of the profile."""

from __future__ import annotations

import os
import shutil
import time
import urllib.request
from pathlib import Path

import yaml

from lab.cluster import images
from lab.errors import LabError
from lab.paths import cached
from lab.processes import Process
from lab.progress import stage
from lab.shell import require_program, run

PROGRAM = "docker-registry"
PATIENCE = 30.0
"""Seconds until a registry that does not answer is given up."""
_COPY = ("--quiet", "--preserve-digests", "--dest-tls-verify=false")


def arguments(address: str, storage: Path, config: Path) -> list[str]:
    """The arguments of a registry that listens at an address (HOST:PORT). Writes the registry's configuration file."""
    require_program(PROGRAM)
    settings = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": {"addr": address},
    }
    config.write_text(yaml.safe_dump(settings))
    return ["serve", str(config)]


def fill(storage: Path, layout: Path) -> None:
    """Fill the storage of a new registry with all images of an OCI layout: hard links to the cache where possible."""
    if not storage.exists():
        new = storage.with_name(f"{storage.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(_filled_storage(layout) / "storage", new, copy_function=_link)
        new.rename(storage)


def _filled_storage(layout: Path) -> Path:
    """The cached directory of a registry that all images of an OCI layout were pushed to, made if it is missing."""

    def make(directory: Path) -> None:
        with stage("push the images to a registry"):
            process = Process(directory, PROGRAM)
            address = f"127.91.{os.getpid() % 251}.1:5000"
            process.start(arguments(address, directory / "storage", directory / "registry.yml"))
            try:
                _await(process, f"http://{address}/v2/")
                for name in images.names(layout):
                    target = name.replace(images.REGISTRY, address, 1)
                    # Digests are preserved, so that an image has the same digest in the registry and on the nodes.
                    run("skopeo", "copy", *_COPY, f"oci:{layout}:{name}", f"docker://{target}")
            finally:
                process.kill()

    return cached("registry", layout.name, make)


def _await(process: Process, url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError as error:
            if (failure := process.failure()) or time.monotonic() > deadline:
                raise LabError(f"the registry does not answer at {url}: {failure or error}") from None
        time.sleep(0.05)


def _link(source: str, target: str) -> None:
    """Hard-link a file of the cache, which is safe because a registry never writes to an existing file."""
    try:
        os.link(source, target)
    except OSError:  # the lab's directory is on another file system
        shutil.copyfile(source, target)
