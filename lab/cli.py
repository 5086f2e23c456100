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
from lab.cluster import manifests, profiles
from lab.cluster.control_plane import component
from lab.errors import LabError
from lab.lab import Lab
from lab.progress import stage
from lab.spec import Boot, NodeSpec

DEFAULT_INVENTORY = Path(__file__).parent.parent / "inventories" / "lab"

lab_name = click.option(
    "--name", default="default", envvar="QATVIRT_LAB", show_default=True, show_envvar=True, help="Name of the lab."
)

profile_option = click.option(
    "--profile",
    type=click.Choice(list(profiles.PROFILES)),
    help=f"Releases that the cluster is made of, by default {profiles.DEFAULT}. With up, implies --cluster.",
)


class CommandGroup(click.Group):
    """The group of all commands, which prints an error as a message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (LabError, OSError) as error:  # OSError: for example when the disk is full
            raise click.ClickException(str(error)) from None


@click.group(cls=CommandGroup)
def main() -> None:
    """Virtual machines with emulated QAT devices, without QAT hardware and without KVM."""


@main.command()
@lab_name
@click.option("--nodes", default=2, show_default=True, help="Number of nodes qat1, qat2, ...; not used with --node.")
@click.option(
    "--node", "specs", multiple=True, metavar="SPEC", help="Spec of a node, NAME[:KEY=VALUE,...]; see lab/README.md."
)
@click.option("--boot", type=click.Choice(get_args(Boot)), help="How nodes start whose spec has no boot.")
@click.option("--from", "source", metavar="SNAPSHOT", help="Start the nodes from a snapshot.")
@click.option("--cluster", is_flag=True, help="Make the nodes a Kubernetes cluster.")
@profile_option
@click.option("--inventory", type=click.Path(path_type=Path), help="Where to write the Ansible inventory.")
def up(
    name: str,
    nodes: int,
    specs: tuple[str, ...],
    boot: Boot | None,
    source: str | None,
    cluster: bool,
    profile: str | None,
    inventory: Path | None,
) -> None:
    """Start the lab. Nodes that run are left alone, nodes that do not answer are made anew."""
    texts = specs or tuple(f"qat{number}" for number in range(1, nodes + 1))
    chosen = profiles.profile(profile or profiles.DEFAULT) if cluster or profile else None
    lab = Lab(name, chosen)
    memory = chosen.memory if chosen else None
    with stage(f"start lab {name}"):
        lab.start_all([NodeSpec.parse(text, boot, memory) for text in texts], source)
    if inventory is None and name == "default":
        inventory = DEFAULT_INVENTORY
    if inventory:
        lab.inventory(inventory)
    _print_status(lab)


@main.command()
@lab_name
def down(name: str) -> None:
    """End the lab and remove its nodes, network and files. The cache stays."""
    with stage(f"end lab {name}"):
        Lab(name).down()


@main.command()
@lab_name
def status(name: str) -> None:
    """Show the lab's nodes."""
    _print_status(Lab(name))


@main.command(context_settings={"ignore_unknown_options": True})
@lab_name
@click.argument("node")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(name: str, node: str, command: tuple[str, ...]) -> None:
    """Log in to a node, or run a command on it."""
    found = Lab(name).node(node)
    os.execvp("ssh", ["ssh", "-F", str(found.ssh_config), found.address, *command])


@main.command()
@lab_name
@click.option("--follow", "-f", is_flag=True, help="Go on printing what the node writes.")
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
@click.option("--as", "snapshot_name", required=True, metavar="SNAPSHOT", help="Name of the snapshot.")
def snapshot(name: str, node: str, snapshot_name: str) -> None:
    """Save a running node as a snapshot, for 'up --from'."""
    Lab(name).snapshot(node, snapshot_name)


@main.command()
@lab_name
@click.argument("node")
@click.option(
    "--from", "source", metavar="SNAPSHOT", help="Snapshot to start the node from, instead of what it was started from."
)
def restore(name: str, node: str, source: str | None) -> None:
    """Discard a node's disk and start the node again."""
    Lab(name).restore(node, source)


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@lab_name
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kubectl(name: str, arguments: tuple[str, ...]) -> None:
    """Run kubectl as the administrator of the lab's cluster."""
    os.execv(component("kubectl"), ["kubectl", "--kubeconfig", str(Lab(name).control_plane.kubeconfig), *arguments])


@main.command()
@lab_name
def kubeconfig(name: str) -> None:
    """Print the path of the kubeconfig of the lab's cluster."""
    click.echo(Lab(name).control_plane.kubeconfig)


@main.command("manifests")
@profile_option
@click.argument("directory", type=click.Path(path_type=Path))
def write_manifests(profile: str | None, directory: Path) -> None:
    """Write manifests for the lab's cluster: KubeVirt's operator and CR, Intel's QAT device plugin, a test VM."""
    for file in manifests.write(directory, profiles.profile(profile or profiles.DEFAULT)):
        click.echo(file)


@main.command()
@lab_name
@click.argument("node")
@click.argument("fault", type=click.Choice(sorted(faults.FAULTS)))
@click.argument("switch", type=click.Choice(["on", "off"]), default="on")
def fault(name: str, node: str, fault: str, switch: str) -> None:
    """Switch a fault on a node on or off."""
    faults.FAULTS[fault](Lab(name).node(node), switch == "on")


def _print_status(lab: Lab) -> None:
    cluster = f", a cluster of profile {lab.profile.name}" if lab.profile else ""
    table = Table(title=f"lab {lab.name}{cluster}")
    for column in ("node", "address", "PFs", "VFs/PF", "IOMMU", "started by", "state"):
        table.add_column(column)
    for node in lab.nodes.values():
        spec = node.spec
        state = "[green]running[/]" if node.machine.pid() is not None else "[red]dead[/]"
        iommu = "on" if spec.iommu else "off"
        table.add_row(spec.name, node.address, " ".join(spec.ids), str(spec.vfs), iommu, spec.boot, state)
    Console().print(table)
