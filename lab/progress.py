# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab does right now and how long it took, on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True, highlight=False)


@contextmanager
def stage(text: str) -> Iterator[None]:
    """Show a step while it runs; on a terminal as a spinner, elsewhere by a line before and one after."""
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
