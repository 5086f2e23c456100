# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: python -m lab."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import get_args

import click
from rich.console import Console
from rich.table import Table

from lab import faults
from lab.core import Lab
from lab.errors import LabError
from lab.progress import stage
from lab.spec import Boot, NodeSpec

DEFAULT_INVENTORY = Path(__file__).parent.parent / "inventories" / "lab"

lab_name = click.option("--name", default="default", show_default=True, help="The lab.")


class Group(click.Group):
    """Says a LabError as a message, not as a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except LabError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Group)
def main() -> None:
    """Virtual machines with emulated QAT devices: no hardware, no KVM needed."""


@main.command()
@lab_name
@click.option("--nodes", default=2, show_default=True, help="How many nodes qat1, qat2... without --node.")
@click.option("--node", "specs", multiple=True, metavar="SPEC", help="A node: NAME[:KEY=VALUE,...], see lab/README.md.")
@click.option("--boot", type=click.Choice(get_args(Boot)), help="How nodes start that do not say it themselves.")
@click.option("--from", "source", metavar="SNAPSHOT", help="Start the nodes from a saved one.")
@click.option("--inventory", type=click.Path(path_type=Path), help="Where to write the Ansible inventory.")
def up(
    name: str, nodes: int, specs: tuple[str, ...], boot: Boot | None, source: str | None, inventory: Path | None
) -> None:
    """Start the lab; what runs already stays as it is, what is broken is made anew."""
    texts = specs or tuple(f"qat{number}" for number in range(1, nodes + 1))
    lab = Lab(name)
    with stage(f"lab {name}"):
        lab.start_all([NodeSpec.parse(text, boot) for text in texts], source)
    if inventory is None and name == "default":
        inventory = DEFAULT_INVENTORY
    if inventory:
        lab.inventory(inventory)
    _print_status(lab)


@main.command()
@lab_name
def down(name: str) -> None:
    """End the lab and remove all it made, but not the cache."""
    with stage(f"end lab {name}"):
        Lab(name).down()


@main.command()
@lab_name
def status(name: str) -> None:
    """Show the nodes."""
    _print_status(Lab(name))


@main.command(context_settings={"ignore_unknown_options": True})
@lab_name
@click.argument("node")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(name: str, node: str, command: tuple[str, ...]) -> None:
    """Log in to a node, or run a command there."""
    found = Lab(name).node(node)
    os.execvp("ssh", ["ssh", "-F", str(found.ssh_config), found.address, *command])


@main.command()
@lab_name
@click.option("--follow", "-f", is_flag=True, help="Go on as the node writes.")
@click.argument("node")
def console(name: str, follow: bool, node: str) -> None:
    """Print a node's serial console."""
    file = Lab(name).node(node).machine.console
    if follow:
        os.execvp("tail", ["tail", "-n", "+1", "-f", str(file)])
    sys.stdout.write(file.read_text(errors="replace"))


@main.command()
@lab_name
@click.argument("node")
@click.option("--as", "snapshot_name", required=True, metavar="SNAPSHOT", help="The name to save it under.")
def snapshot(name: str, node: str, snapshot_name: str) -> None:
    """Save a running node, for 'up --from'."""
    Lab(name).snapshot(node, snapshot_name)


@main.command()
@lab_name
@click.argument("node")
@click.option("--from", "source", metavar="SNAPSHOT", help="A saved node, instead of what the node started from.")
def restore(name: str, node: str, source: str | None) -> None:
    """Throw away what has become of a node and start it again."""
    Lab(name).restore(node, source)


@main.command()
@lab_name
@click.argument("node")
@click.argument("fault", type=click.Choice(sorted(faults.NAMES)))
@click.argument("switch", type=click.Choice(["on", "off"]), default="on")
def fault(name: str, node: str, fault: str, switch: str) -> None:
    """Make something go wrong on a node, or take it back."""
    faults.NAMES[fault](Lab(name).node(node), switch == "on")


def _print_status(lab: Lab) -> None:
    table = Table(title=f"lab {lab.name}")
    for column in ("node", "address", "PFs", "VFs/PF", "IOMMU", "started by", "state"):
        table.add_column(column)
    for node in lab.nodes.values():
        spec = node.spec
        state = "[green]running[/]" if node.machine.pid() is not None else "[red]dead[/]"
        iommu = "on" if spec.iommu else "off"
        table.add_row(spec.name, node.address, " ".join(spec.ids), str(spec.vfs), iommu, spec.boot, state)
    Console().print(table)
