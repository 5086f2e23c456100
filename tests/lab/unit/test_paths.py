# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/paths.py: artefacts in the cache, and the digests that name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import LabError
from lab.paths import cached, digest


class TestCache:
    @pytest.fixture(autouse=True)
    def own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QATVIRT_CACHE", str(tmp_path / "cache"))

    def test_made_once(self) -> None:
        made = []
        for _ in range(2):
            directory = cached("kind", "key", lambda work: made.append((work / "file").write_text("x")))
            assert (directory / "file").read_text() == "x"
        assert len(made) == 1

    def test_a_failed_making_leaves_nothing_that_counts(self) -> None:
        def fail(work: Path) -> None:
            (work / "half").touch()
            raise LabError("no")

        with pytest.raises(LabError):
            cached("kind", "key", fail)
        assert not list(cached("kind", "key", lambda _work: None).iterdir())

    def test_the_digest_sees_names_contents_and_modes(self, tmp_path: Path) -> None:
        file = tmp_path / "tree" / "file"
        file.parent.mkdir()
        file.write_text("x")
        seen = {digest(file.parent)}
        file.chmod(0o755)
        seen.add(digest(file.parent))
        file.write_text("y")
        seen.add(digest(file.parent))
        file.rename(file.with_name("other"))
        seen.add(digest(file.parent))
        assert len(seen) == 4
