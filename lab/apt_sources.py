# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian mirror that the host uses, read from the host's apt sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError


@dataclass(frozen=True)
class DebianMirror:
    """URLs of Debian's packages and of its security updates; security is None when the host has no source for them."""

    packages: str
    security: str | None

    def lines(self, suite: str) -> list[str]:
        """One-line apt sources for a Debian release."""
        sources = [f"deb {self.packages} {suite} main"]
        if self.security:
            sources.append(f"deb {self.security} {suite}-security main")
        return sources


def mirror(etc: Path = Path("/etc")) -> DebianMirror:
    """The mirror in the host's apt sources. Raises LabError when they have none for the host's own release."""
    release = _codename((etc / "os-release").read_text())
    files = [etc / "apt/sources.list", *sorted((etc / "apt/sources.list.d").glob("*"))]
    known: dict[str, str] = {}
    for file in files:
        if file.is_file():
            for uri, suite in entries(file.name, file.read_text()):
                known.setdefault(suite, uri)
    if release not in known:
        raise LabError(f"no apt source for '{release}' in {etc}/apt: the lab takes its Debian packages from there.")
    return DebianMirror(known[release], known.get(f"{release}-security"))


def entries(file_name: str, text: str) -> Iterator[tuple[str, str]]:
    """URI and suite of each source of binary packages in one file of apt sources (sources.list(5), both formats)."""
    if file_name.endswith(".sources"):
        for stanza in text.split("\n\n"):
            yield from _stanza_entries(stanza)
    elif file_name.endswith(".list"):
        for line in text.splitlines():
            yield from _line_entries(line)


def _stanza_entries(stanza: str) -> Iterator[tuple[str, str]]:
    fields = _deb822(stanza.splitlines())
    if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes") == "no":
        return
    for uri in fields.get("uris", "").split():
        for suite in fields.get("suites", "").split():
            yield uri.rstrip("/"), suite


def _deb822(lines: Iterable[str]) -> dict[str, str]:
    """The fields of a deb822 stanza by lower-case name, with continuation lines joined and without comments."""
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.lower()
            fields[name] = value.strip()
    return fields


def _line_entries(line: str) -> Iterator[tuple[str, str]]:
    line = line.partition("#")[0].strip()
    if not line.startswith("deb ") and not line.startswith("deb\t"):
        return
    rest = line[3:].strip()
    if rest.startswith("["):
        rest = rest.partition("]")[2].strip()
    words = rest.split()
    if len(words) >= 2:
        yield words[0].rstrip("/"), words[1]


def _codename(os_release: str) -> str:
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    raise LabError("/etc/os-release has no VERSION_CODENAME: the lab's image is built on Debian or a relative of it.")
