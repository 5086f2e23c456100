# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection is whole however it is built: from its own directory, and from the root through the links."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = ROOT / "ansible_collections/intel/qatvirt"
BIN = Path(sys.executable).parent


def ansible(command: str, *arguments: str | Path, cwd: Path, collections: Path) -> str:
    """Run an ansible command that sees only ``collections`` and what ours depends on, nothing of this checkout.

    Returns what it printed.
    """
    config = cwd / "empty.cfg"
    config.touch()
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_COLLECTIONS_PATH": f"{collections}:{ROOT / '.collections'}",
    }
    result = subprocess.run(
        [BIN / command, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module", params=[COLLECTION, ROOT], ids=["nested", "root"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the collection installed from a tarball built in one of the two places."""
    tmp = tmp_path_factory.mktemp("built")
    ansible("ansible-galaxy", "collection", "build", "--output-path", tmp, request.param, cwd=tmp, collections=tmp)
    (tarball,) = tmp.glob("intel-qatvirt-*.tar.gz")
    ansible("ansible-galaxy", "collection", "install", "--no-deps", "-p", tmp, tarball, cwd=tmp, collections=tmp)
    return tmp


def test_root_links_lead_into_the_collection() -> None:
    for name in ("galaxy.yml", "plugins", "roles", "meta", "docs"):
        assert (ROOT / name).is_symlink()
        assert (ROOT / name).resolve() == COLLECTION / name


def test_namespace_stays_open() -> None:
    """An __init__.py would hide the collections in .collections from Python (PEP 420)."""
    for directory in (COLLECTION, *COLLECTION.parents[: len(COLLECTION.relative_to(ROOT).parts) - 1]):
        assert not (directory / "__init__.py").exists()


@pytest.mark.parametrize("module", sorted(path.stem for path in (COLLECTION / "plugins/modules").glob("*.py")))
def test_module_is_documented_in_what_was_installed(installed: Path, module: str) -> None:
    name = f"intel.qatvirt.{module}"
    # The text form of ansible-doc returns 0 even for a plugin it does not find: the answer counts.
    shown = json.loads(ansible("ansible-doc", "--json", "--type", "module", name, cwd=installed, collections=installed))
    source = COLLECTION / "plugins/modules" / f"{module}.py"
    assert shown[name]["doc"]["short_description"] in source.read_text(encoding="utf-8")


@pytest.mark.parametrize("playbook", sorted(path.stem for path in (COLLECTION / "playbooks").glob("*.yml")))
def test_playbook_runs_by_its_full_name(installed: Path, playbook: str) -> None:
    shown = ansible(
        "ansible-playbook", "--syntax-check", f"intel.qatvirt.{playbook}", cwd=installed, collections=installed
    )
    assert f"playbook: {installed}/ansible_collections/intel/qatvirt/playbooks/{playbook}.yml" in shown


def test_every_role_is_in_what_was_installed(installed: Path) -> None:
    def roles(collection: Path) -> set[str]:
        return {path.name for path in (collection / "roles").iterdir()}

    assert roles(installed / "ansible_collections/intel/qatvirt") == roles(COLLECTION)


def test_nothing_of_the_house_is_in_what_was_installed(installed: Path) -> None:
    """Neither environments nor the lab belong into a release, and one galaxy.yml is enough."""
    there = installed / "ansible_collections/intel/qatvirt"
    for name in (".venv", ".collections", ".git", "bin", "lab", "inventories", "requirements"):
        assert not (there / name).exists()
    assert not list(there.rglob("galaxy.yml"))


def test_root_entry_points_exist_in_the_collection() -> None:
    """Each playbook of the root is a thin wrapper: nothing but an import of the real one by its path."""
    for wrapper in (ROOT / "playbooks").glob("*.yml"):
        for play in yaml.safe_load(wrapper.read_text(encoding="utf-8")):
            target = play["ansible.builtin.import_playbook"]
            assert (wrapper.parent / target).resolve() == COLLECTION / "playbooks" / wrapper.name
