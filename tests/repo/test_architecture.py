# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the edge touches the world, pure modules do not reach it, and rooms import in one direction."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "ansible_collections/intel/qatvirt/plugins/module_utils"
WORLD = {
    *("os", "io.open", "open", "pathlib", "shutil", "tempfile", "glob", "fcntl", "mmap"),
    *("subprocess", "multiprocessing", "pty", "ctypes"),
    *("socket", "select", "ssl", "http", "urllib.request", "urllib3", "requests", "websocket", "kubernetes"),
    *("time", "datetime.now", "signal", "random", "secrets", "uuid", "platform", "importlib", "threading"),
}
"""Files, processes, network, clock, signals, chance: for the edge only."""
FORBIDDEN = {
    "node": {"cluster", "test_vm", "proof", "support"},
    "cluster": {"test_vm", "proof", "support"},
    "test_vm": {"proof", "support"},
}
"""Rooms that a room must not import."""


def edge() -> set[str]:
    """The modules that the rules of CONTRIBUTING.md call the edge, as dotted names."""
    rules = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Rules")[1]
    text = " ".join(rules.split())  # wherever a line ends
    sentence = text[text.index("The edge is this whole list") : text.index("The other files")]
    return {path.replace("/", ".") for path in re.findall(r"`(\w+/\w+)\.py`", sentence)}


EDGE = edge()
TREES = {
    ".".join(path.relative_to(HOUSE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
    for path in HOUSE.rglob("*.py")
}


class Imports(ast.NodeVisitor):
    """What a module imports and, where an import says too little, what it uses: ``os.getpid``, ``open``, the clock."""

    def __init__(self, module: str) -> None:
        self.found: set[str] = set()
        self.aliases: set[str] = set()
        self._package = module.split(".")[:-1]
        self.visit(TREES[module])

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names if alias.name != "os"}
        self.aliases |= {alias.asname for alias in node.names if alias.asname}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        above = self._package[: len(self._package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        self.found |= {base if base in TREES else f"{base}.{alias.name}".lstrip(".") for alias in node.names}
        self.aliases |= {alias.asname for alias in node.names if alias.asname and alias.name.lower() == alias.name}

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "os":
            self.found.add(f"os.{node.attr}")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "open":
            self.found.add("open")
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("now", "utcnow", "today"):
            self.found.add("datetime.now")
        self.generic_visit(node)


IMPORTS = {module: Imports(module) for module in TREES}
PURE = sorted(module for module, tree in TREES.items() if re.search(r"\bPure\b", ast.get_docstring(tree) or ""))


def uses(module: str) -> set[str]:
    """The names of WORLD that a module uses, by themselves or by what is in them, as ``os.getpid`` is in ``os``."""
    return {name for name in WORLD for used in IMPORTS[module].found if f"{used}.".startswith(f"{name}.")}


def reached(module: str, found: dict[str, str]) -> dict[str, str]:
    """The modules of the house that a module imports, directly or through others, each with the module importing it."""
    for other in sorted(IMPORTS[module].found & TREES.keys()):
        if other not in found:
            found[other] = module
            reached(other, found)
    return found


def test_contributing_names_modules_that_exist() -> None:
    assert EDGE
    assert TREES.keys() >= EDGE


@pytest.mark.parametrize("module", sorted(TREES.keys() - EDGE))
def test_only_the_edge_touches_the_world(module: str) -> None:
    assert uses(module) == set()


@pytest.mark.parametrize("module", sorted(EDGE))
def test_contributing_names_no_module_that_could_be_pure(module: str) -> None:
    assert uses(module)


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_do_not_reach_the_edge(module: str) -> None:
    found = reached(module, {module: ""})
    assert {other: by for other, by in found.items() if other in EDGE} == {}


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_rooms_import_in_one_direction(room: str) -> None:
    arrows = {
        (module, other)
        for module in TREES
        if module.startswith(room + ".")
        for other in IMPORTS[module].found
        if other.split(".")[0] in FORBIDDEN[room]
    }
    assert arrows == set()


@pytest.mark.parametrize("module", sorted(TREES))
def test_modules_are_imported_under_their_own_names(module: str) -> None:
    assert IMPORTS[module].aliases == set()
