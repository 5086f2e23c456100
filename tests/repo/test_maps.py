# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What maps and texts of the repository name exists, and the map in CONTRIBUTING.md leaves nothing out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.tracked import DOCUMENTS, FILES, ROOT, name_of

COLLECTION = ROOT / "ansible_collections/intel/qatvirt"
# Everybody knows what these are, or they only hold the map.
WITHOUT_ENTRY = {".gitignore", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "ansible_collections", "tests"}
PATHS_START_AT = (ROOT, COLLECTION, COLLECTION / "plugins", COLLECTION / "plugins/module_utils")
TEXTS = [path for path in FILES if path.suffix in {".md", ".py", ".sh", ".toml", ".yml"}]
PACKAGES_WITH_A_MAP = [ROOT / "lab/cluster/__init__.py"]


def map_of_the_house() -> Iterator[str]:
    """The paths of the map in CONTRIBUTING.md from the root; an indented one is below the last that is not."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.split("## The map of the house")[1].split("```text\n")[1].split("```")[0]
    above = ""
    for line in block.splitlines():
        entry = re.match(r"(  )?(\S+(?:,? \S+)*)  +\S", line)
        if entry:
            paths = [path.rstrip("/") for path in re.split(r",? ", entry[2])]
            yield from (f"{above}/{path}" if entry[1] else path for path in paths)
            above = above if entry[1] else paths[0]


MAP = list(map_of_the_house())


def is_in_the_map(path: str) -> bool:
    return path in MAP or any(entry.startswith(f"{path}/") for entry in MAP)


def tracked_children(directory: Path) -> set[str]:
    """The names of what git tracks in a directory."""
    below = (path.relative_to(directory) for path in FILES if path.is_relative_to(directory))
    return {path.parts[0] for path in below}


@pytest.mark.parametrize("path", MAP)
def test_path_in_the_map_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", sorted(tracked_children(ROOT) - WITHOUT_ENTRY))
def test_what_lies_at_the_root_is_in_the_map(name: str) -> None:
    assert is_in_the_map(name), f"CONTRIBUTING.md's map of the house has no {name}"


@pytest.mark.parametrize("directory", ["tests", "plugins", "plugins/module_utils"])
def test_rooms_are_in_the_map(directory: str) -> None:
    parent = (ROOT / directory).resolve()
    rooms = {name for name in tracked_children(parent) if (parent / name).is_dir()}
    assert [room for room in sorted(rooms) if not is_in_the_map(name_of(parent / room))] == []


@pytest.mark.parametrize("package", PACKAGES_WITH_A_MAP, ids=name_of)
def test_map_in_the_docstring_of_a_package_names_its_modules(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
    lines = re.findall(r"^([a-z_]+(?:, [a-z_]+)*)  +\S", docstring, re.MULTILINE)
    named = [module for line in lines for module in line.split(", ")]
    assert sorted(named) == sorted(path.stem for path in package.parent.glob("*.py") if path != package)


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_path_of_a_file_in_a_text_exists(path: Path) -> None:
    """A path between backticks that has a slash and ends as a source file, from a root or from where the text is."""
    named = re.findall(
        r"`([\w.-]+(?:/[\w.-]+)*/[\w.-]+\.(?:css|j2|md|py|sh|toml|txt))`", path.read_text(encoding="utf-8")
    )
    starts = (*PATHS_START_AT, *path.parents)
    assert [name for name in named if not any((start / name).exists() for start in starts)] == []


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=name_of)
def test_links_between_documents_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{name_of(path)} links to {target}"
