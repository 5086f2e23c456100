# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point of the command line: python -m lab."""

from lab.cli import main

main(prog_name="python -m lab")
