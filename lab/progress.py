# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages on standard error: which step the lab is at, and how long each step took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True)
"""Lines are not wrapped: a message stays on one line of a log."""


@contextmanager
def stage(text: str) -> Iterator[None]:
    """Show a step while the block runs: on a terminal as a spinner, elsewhere as a line before and a line after it."""
    start = time.monotonic()
    try:
        if console.is_terminal:
            with console.status(text):
                yield
        else:
            console.print(f"  … {text}")
            yield
    except BaseException:
        console.print(f"  [red]✘[/] {text}  {time.monotonic() - start:.1f} s")
        raise
    console.print(f"  [green]✔[/] {text}  [dim]{time.monotonic() - start:.1f} s[/]")
