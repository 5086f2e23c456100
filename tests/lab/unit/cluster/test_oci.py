# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/cluster/oci.py: archives and image layouts in the format of the Open Container Initiative."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from lab.cluster import images, oci

BASE_IMAGE = f"{images.REGISTRY}/base:lab"
APP_IMAGE = f"{images.REGISTRY}/app:lab"


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def archive(directory: Path, **files: str) -> Path:
    tree = directory / "-".join(files)
    tree.mkdir(parents=True)
    for name, text in files.items():
        (tree / name).write_text(text)
    return oci.tar(tree, tree.with_suffix(".tar"))


def write_layout(directory: Path) -> oci.Layout:
    """An image, and a second one on top of its layer."""
    base = archive(directory / "layers", base="below")
    app = archive(directory / "layers", app="above")
    layout = oci.Layout(directory / "layout")
    layout.add(BASE_IMAGE, [base], command=["/bin/sh"])
    layout.add(APP_IMAGE, [base, app], ["/app"], user="107", env={"HOME": "/"})
    return layout


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


class TestArchive:
    def test_the_same_tree_gives_the_same_bytes_whenever_it_was_made(self, tmp_path: Path) -> None:
        tree = tmp_path / "tree"
        (tree / "b").mkdir(parents=True)
        (tree / "a").write_text("1")
        first = oci.tar(tree, tmp_path / "first.tar").read_bytes()
        (tree / "a").unlink()
        (tree / "a").write_text("1")
        assert oci.tar(tree, tmp_path / "second.tar").read_bytes() == first

    def test_modes_stay_and_times_go(self, tmp_path: Path) -> None:
        tree = tmp_path / "tree"
        tree.mkdir(mode=0o755)
        (tree / "tmp").mkdir()
        (tree / "tmp").chmod(0o1777)
        (tree / "program").write_text("x")
        (tree / "program").chmod(0o750)
        with tarfile.open(oci.tar(tree, tmp_path / "tree.tar")) as made:
            modes = {member.name: oct(member.mode) for member in made}
            assert {member.mtime for member in made} == {0}
        assert modes == {".": "0o755", "./program": "0o750", "./tmp": "0o1777"}


class TestLayout:
    def test_every_blob_is_named_by_its_digest_and_described_with_its_size(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        blobs = {path.name: path.read_bytes() for path in (layout.directory / "blobs/sha256").iterdir()}
        for name, content in blobs.items():
            assert sha256(content) == f"sha256:{name}"
        described = json.loads((layout.directory / "index.json").read_text())["manifests"]
        for image in layout.names():
            manifest = layout.manifest(image)
            described += [manifest["config"], *manifest["layers"]]
        assert {one["digest"].removeprefix("sha256:"): one["size"] for one in described} == {
            name: len(content) for name, content in blobs.items()
        }

    def test_layers_are_the_archives_that_the_configuration_names(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        for image in layout.names():
            archives = [layout.blob(layer["digest"]) for layer in layout.manifest(image)["layers"]]
            assert layout.config(image)["rootfs"]["diff_ids"] == [sha256(file.read_bytes()) for file in archives]
        files = []
        for file in archives:
            with tarfile.open(file) as made:
                files += made.getnames()
        assert files == [".", "./base"]

    def test_images_share_the_layer_they_have_in_common(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        below, app = layout.manifest(BASE_IMAGE)["layers"], layout.manifest(APP_IMAGE)["layers"]
        assert app[:1] == below
        # Two layers, two configurations, two manifests.
        assert len(list((layout.directory / "blobs/sha256").iterdir())) == 6

    def test_the_same_input_gives_the_same_bytes(self, tmp_path: Path) -> None:
        first, second = (write_layout(tmp_path / name).directory for name in ("one", "two"))
        assert bytes_of(first) == bytes_of(second)

    def test_nothing_but_the_layout_is_left(self, tmp_path: Path) -> None:
        directory = write_layout(tmp_path).directory
        assert {path.name for path in directory.iterdir()} == {"blobs", "index.json", "oci-layout"}

    def test_names_are_full_and_read_back_from_the_files(self, tmp_path: Path) -> None:
        directory = write_layout(tmp_path).directory
        assert images.names(directory) == [APP_IMAGE, BASE_IMAGE]
        for entry in json.loads((directory / "index.json").read_text())["manifests"]:
            # What ctr's import and what other tools read.
            assert set(entry["annotations"]) == {"io.containerd.image.name", "org.opencontainers.image.ref.name"}
            assert len(set(entry["annotations"].values())) == 1

    def test_an_image_added_again_is_replaced(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        layout.add(APP_IMAGE, [], ["/other"])
        assert layout.names() == [APP_IMAGE, BASE_IMAGE]
        assert layout.config(APP_IMAGE)["config"]["Entrypoint"] == ["/other"]

    def test_configuration(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        assert layout.config(APP_IMAGE)["config"] == {
            "Entrypoint": ["/app"],
            "Env": [f"PATH={oci.PATH}", "HOME=/"],
            "User": "107",
            "WorkingDir": "/",
        }
        assert layout.config(BASE_IMAGE)["config"]["Cmd"] == ["/bin/sh"]
        assert "User" not in layout.config(BASE_IMAGE)["config"]

    def test_an_image_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(KeyError, match="none"):
            write_layout(tmp_path).manifest("none")
