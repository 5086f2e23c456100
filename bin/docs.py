#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the generated parts of the documents: docs/checks.md, docs/drills.md, the option tables in READMEs of roles.

.venv/bin/python bin/docs.py            write the files whose text has changed
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.intel.qatvirt.plugins.module_utils.proof.checks_doc import catalogue  # noqa: E402
from tests.drills import table  # noqa: E402

COLLECTION = ROOT / "ansible_collections/intel/qatvirt"
OPTIONS_BEGIN = "<!-- options: written by `make docs` from meta/argument_specs.yml -->\n"
OPTIONS_END = "<!-- end of the options -->\n"


def documents() -> dict[Path, str]:
    """Every file that is generated, whole or in part, with the text that it has to have."""
    roles = sorted(path.parent for path in COLLECTION.glob("roles/*/README.md"))
    return {
        COLLECTION / "docs/checks.md": catalogue(),
        COLLECTION / "docs/drills.md": table(),
        **{role / "README.md": readme(role) for role in roles},
    }


def readme(role: Path) -> str:
    """The README of a role: what people wrote, with the table of the role's options between the two marks."""
    text = (role / "README.md").read_text(encoding="utf-8")
    if text.count(OPTIONS_BEGIN) != 1 or text.count(OPTIONS_END) != 1:
        raise ValueError(f"{role}/README.md: expected once each of the lines\n{OPTIONS_BEGIN}{OPTIONS_END}")
    before, rest = text.split(OPTIONS_BEGIN)
    _, after = rest.split(OPTIONS_END)
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    return f"{before}{OPTIONS_BEGIN}\n{options_table(specs)}\n{OPTIONS_END}{after}"


def options_table(specs: dict[str, Any]) -> str:
    """The options of all entry points of a role as a table in Markdown, each option once."""
    options = {name: option for spec in specs.values() for name, option in spec.get("options", {}).items()}
    lines = ["| option | type | default | meaning |", "|---|---|---|---|", *option_rows(options)]
    return "".join(f"{line}\n" for line in lines)


def option_rows(options: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """A row for each option, followed by those of its suboptions."""
    for name, option in options.items():
        cells = [f"`{prefix}{name}`", type_of(option), default_of(option), meaning_of(option)]
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
        inner = "[]." if option["type"] == "list" else "."
        yield from option_rows(option.get("options", {}), f"{prefix}{name}{inner}")


def type_of(option: dict[str, Any]) -> str:
    """For example `list of str`."""
    elements = f" of {option['elements']}" if "elements" in option else ""
    return f"{option['type']}{elements}"


def default_of(option: dict[str, Any]) -> str:
    """The default as YAML on one line; nothing where there is none, or where the meaning tells it."""
    if option.get("required"):
        return "**required**"
    return code(option["default"]) if "default" in option else ""


def meaning_of(option: dict[str, Any]) -> str:
    """The description in Markdown, then the choices."""
    sentences = [markdown(" ".join(paragraph.split())) for paragraph in option["description"]]
    if "choices" in option:
        sentences.append(f"One of {', '.join(code(choice) for choice in option['choices'])}.")
    return " ".join(sentences)


def code(value: Any) -> str:
    """A value as YAML on one line, in a code span."""
    text = yaml.safe_dump(value, default_flow_style=True, width=sys.maxsize, sort_keys=False)
    return "`" + text.removesuffix("...\n").strip().replace("''", '""') + "`"


def markdown(text: str) -> str:
    """A text with Ansible's markup, such as V(absent) or M(intel.qatvirt.qat_vf), in Markdown."""
    text = re.sub(r"\bB\(([^)]*)\)", r"**\1**", text)
    text = re.sub(r"\bI\(([^)]*)\)", r"*\1*", text)
    text = re.sub(r"\b[MP]\(([^)#]*)(?:#[a-z]+)?\)", r"`\1`", text)
    text = re.sub(r"\bO\((?:[^)]*:)?([^):]*)\)", r"`\1`", text)
    return re.sub(r"\b[CV]\(([^)]*)\)", r"`\1`", text)


def main() -> None:
    """Write the files whose text has changed, and print their paths."""
    for path, text in documents().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
