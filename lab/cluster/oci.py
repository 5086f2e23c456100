# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images without a container engine: an OCI image layout, written file by file.

Format: the OCI image specification 1.0 (image-layout.md, manifest.md, config.md). The same input gives the same bytes.
Layers are not compressed: writing them takes a fifth of the time of compressed ones, importing them three quarters, and
containerd need not keep the layers (`ctr images import --discard-unpacked-layers`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.shell import run

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
"""The annotation from which containerd's import takes the full name of an image."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Descriptor = dict[str, Any]


def tar(directory: Path, target: Path) -> Path:
    """Archive a directory tree and give target. Owners, modes and xattrs are kept; times are not, for equal bytes."""
    stable = ("--sort=name", "--mtime=@0", "--numeric-owner", "--format=posix")
    # Without these options a pax header has the id of the process that wrote it.
    pax = "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"
    run("tar", "-C", directory, *stable, pax, "--xattrs", "--xattrs-include=*", "-cf", target, ".")
    return target


@dataclass(frozen=True)
class Layout:
    """An OCI image layout: container images in one directory, which share the layers that they have in common."""

    directory: Path

    def add(
        self,
        name: str,
        layers: Sequence[Path],
        entrypoint: Sequence[str] = (),
        *,
        command: Sequence[str] = (),
        user: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Add an image, or replace the image of that name.

        name: full name, with registry and tag. layers: tar archives, the lowest layer first.
        """
        descriptors = [self._layer(layer) for layer in layers]
        variables = {"PATH": PATH, **(env or {})}
        settings = {
            "Env": [f"{key}={value}" for key, value in variables.items()],
            "Entrypoint": list(entrypoint),
            "Cmd": list(command),
            "User": user,
            "WorkingDir": "/",
        }
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {key: value for key, value in settings.items() if value},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in descriptors]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(CONFIG, _json(config)),
            "layers": descriptors,
        }
        described = self._blob(MANIFEST, _json(manifest))
        self._index({**described, "annotations": {CONTAINERD_NAME: name, REF_NAME: name}})

    def names(self) -> list[str]:
        """The full names of all images in alphabetical order."""
        return [entry["annotations"][CONTAINERD_NAME] for entry in self._entries()]

    def manifest(self, name: str) -> dict[str, Any]:
        """The manifest of the image of that name. Raises KeyError when there is none."""
        for entry in self._entries():
            if entry["annotations"][CONTAINERD_NAME] == name:
                return self._read(entry)
        raise KeyError(name)

    def config(self, name: str) -> dict[str, Any]:
        """The configuration of the image of that name. Raises KeyError when there is none."""
        return self._read(self.manifest(name)["config"])

    def blob(self, digest: str) -> Path:
        """The path of a blob. digest: as in a descriptor ("sha256:…")."""
        return self.directory / "blobs" / digest.replace(":", "/")

    def _read(self, descriptor: Descriptor) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.blob(descriptor["digest"]).read_bytes())
        return content

    def _layer(self, archive: Path) -> Descriptor:
        described = _describe(LAYER, archive)
        if not self.blob(described["digest"]).exists():
            shutil.copyfile(archive, self._new_blob(described))
        return described

    def _blob(self, media_type: str, content: bytes) -> Descriptor:
        digest = hashlib.sha256(content).hexdigest()
        described = {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
        self._new_blob(described).write_bytes(content)
        return described

    def _new_blob(self, described: Descriptor) -> Path:
        file = self.blob(described["digest"])
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def _entries(self) -> list[Descriptor]:
        file = self.directory / "index.json"
        entries: list[Descriptor] = json.loads(file.read_bytes())["manifests"] if file.exists() else []
        return entries

    def _index(self, added: Descriptor) -> None:
        name = added["annotations"][CONTAINERD_NAME]
        others = [entry for entry in self._entries() if entry["annotations"][CONTAINERD_NAME] != name]
        entries = sorted([*others, added], key=lambda entry: str(entry["annotations"][CONTAINERD_NAME]))
        (self.directory / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
        (self.directory / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": entries}))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _describe(media_type: str, file: Path) -> Descriptor:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": file.stat().st_size}
