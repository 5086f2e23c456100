#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the subject of a commit message: a scope, and at most 72 characters. Run by the commit-msg hook.

.venv/bin/python bin/commit_subject.py FILE            FILE holds the message
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

LONGEST = 72
SCOPE = re.compile(r"[a-z][a-z0-9_/-]*: \S")
# Git itself, or a later rebase, writes these subjects.
OF_GIT = ("Merge ", 'Revert "', "fixup! ", "squash! ", "amend! ")


def complaints(message: str) -> list[str]:
    """What is wrong with the subject, the first line of the message; empty if nothing is."""
    subject = message.split("\n", 1)[0]
    if subject.startswith(OF_GIT):
        return []
    found = []
    if not SCOPE.match(subject):
        found.append('the subject has no scope; expected for example "lab: boot nodes from one image"')
    if len(subject) > LONGEST:
        found.append(
            f"the subject has {len(subject)} characters, expected at most {LONGEST}; the reasons go to the body"
        )
    return found


def main(file: str) -> int:
    """Print the complaints about the message in the file; 1 if there are any."""
    found = complaints(Path(file).read_text(encoding="utf-8"))
    for complaint in found:
        print(f"error: {complaint}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
