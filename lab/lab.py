# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: nodes on a network, kept in a state directory."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qemu.qmp import QMPError

from lab import acpi, identity, image, inventory, network, qemu, resources, snapshots
from lab.cluster import node_image, site_variables
from lab.cluster.control_plane import ControlPlane
from lab.cluster.join import await_ready, has_joined, join
from lab.cluster.profiles import Profile, profile
from lab.errors import LabError
from lab.network import Network
from lab.node import PATIENCE, Node
from lab.paths import cache_root, cached, digest, labs_root, locked, remove_tree
from lab.progress import console, stage
from lab.qemu import Machine
from lab.shell import copy_sparse, require_program
from lab.snapshots import Snapshot
from lab.spec import NodeSpec

PLAIN_GB = 5.0
"""Of the cache: packages, image and snapshot of plain nodes."""
NODE_GB = 1.5
"""Of the state, a node: what it writes, and the memory of the snapshot it started from."""
HELPER = 200
"""Index of the node that is started only to be saved."""


@dataclass(frozen=True)
class _NodeRecord:
    """What the lab remembers of a node."""

    spec: NodeSpec
    index: int
    source: str | None

    def save(self, directory: Path) -> None:
        (directory / "node.json").write_text(json.dumps(dataclasses.asdict(self), indent=1))

    @classmethod
    def load(cls, directory: Path) -> _NodeRecord:
        fields = json.loads((directory / "node.json").read_text())
        spec = NodeSpec(**{**fields["spec"], "ids": tuple(fields["spec"]["ids"])})
        return cls(spec, fields["index"], fields["source"])


class Lab:
    """A lab by its name. As a context manager it ends with the block.

    profile: makes its nodes a cluster of these releases; None leaves a lab what it is, which is plain nodes when it is
    new.
    All methods may be called for a lab that is up, half up or not there, from any process.
    """

    def __init__(self, name: str = "default", profile: Profile | None = None) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,30}", name):
            raise LabError(f"lab name '{name}': expected at most 31 lower-case letters, digits, '_' and '-'.")
        self.name = name
        self.directory = labs_root() / name
        self._wanted = profile

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # ---- what there is ----

    @property
    def nodes(self) -> dict[str, Node]:
        """Its nodes by name, running or not."""
        found = self._network()
        if found is None:
            return {}
        return {record.spec.name: self._node(record, found) for record in self._records() if record.index != HELPER}

    def node(self, name: str) -> Node:
        """A node by its name. Raises LabError where there is none."""
        nodes = self.nodes
        if name not in nodes:
            raise LabError(f"lab '{self.name}' has no node '{name}'. It has: {', '.join(nodes) or 'none'}.")
        return nodes[name]

    @property
    def profile(self) -> Profile | None:
        """What its cluster is, or will be, made of; None where there is none. Raises LabError where it is another."""
        known = self._remembered()
        if known is None:
            return self._wanted
        is_now = profile(known["profile"]) if known["profile"] else None
        if self._wanted and self._wanted != is_now:
            raise LabError(
                f"lab '{self.name}' is {f'of profile {is_now.name}' if is_now else 'no cluster'}, not of profile "
                f"{self._wanted.name}: end it first with 'python -m lab down --name {self.name}'."
            )
        return is_now

    @property
    def control_plane(self) -> ControlPlane:
        """Its cluster's control plane. Raises LabError where there is none."""
        net = self._network()
        if net is None or self.profile is None:
            raise LabError(
                f"lab '{self.name}' is no cluster: 'python -m lab up --cluster --name {self.name}' makes one."
            )
        return ControlPlane(self._servers, net)

    @property
    def _servers(self) -> Path:
        return self.directory / "control-plane"

    # ---- up and down ----

    def start(self, spec: NodeSpec, source: str | None = None) -> Node:
        """Start one node (see start_all)."""
        return self.start_all([spec], source)[0]

    def start_all(self, specs: Sequence[NodeSpec], source: str | None = None) -> list[Node]:
        """Make these nodes run and answer, beside those that run already; one that is dead or deaf is made anew.

        specs: none makes a cluster that is only a control plane.
        source: name of a snapshot to start from; of each spec only the name counts then.
        Raises LabError where a running node is not as its spec says.
        """
        require_program(qemu.PROGRAM)
        with self._locked():
            if source:
                snapshot = snapshots.find(source, self._image.key)
                specs = [snapshot.spec(spec.name) for spec in specs]
            self._require_resources(specs)
            _ = self._image  # the long work first: where it fails, nothing was started
            net = self._repair_network()
            if self.profile:
                self.control_plane.start(node_image.container_images(self.profile))
            records = [self._record(spec, source) for spec in specs]
            todo = [record for record in records if not self._answers(record, net)]
            prepared = [(record, self._disk(record, net)) for record in todo]
            if todo:
                with stage(f"start {', '.join(record.spec.name for record in todo)}"):
                    self._boot(prepared, net)
            if self.profile:
                self._join(records, todo, net)
            return [self._node(record, net) for record in records]

    def restore(self, name: str, source: str | None = None) -> Node:
        """Throw away what has become of a node and start it again, from a snapshot or as it started before."""
        node = self.node(name)
        self.stop(name)
        return self.start(node.spec, source or node.source)

    def stop(self, name: str) -> None:
        """End one node and forget it."""
        with self._locked():
            record = next((record for record in self._records() if record.spec.name == name), None)
            net = self._network()
            if record and net:
                self._remove(record, net)
                self._write_access(net)

    def down(self) -> None:
        """End the lab: no process, no network device, no file of it stays (cached artefacts do)."""
        with self._locked():
            net = self._network()
            if net:
                ControlPlane(self._servers, net).stop()
                for record in self._records():
                    self._remove(record, net)
                network.remove(net)
            for socket in self.directory.glob("cm/*"):
                subprocess.run(["ssh", "-S", socket, "-O", "exit", "lab"], capture_output=True, check=False)
            remove_tree(self.directory)

    # ---- snapshots, inventory ----

    def snapshot(self, node: str, name: str) -> None:
        """Save a running node under a name, for start(..., source=name); the node goes on, ssh connections do not."""
        saved = self.node(node)
        if saved.spec.boot == "grub" or saved.spec.donor == "nvme":
            raise LabError(f"{node}: only igb nodes that are not started by GRUB can be snapshot.")
        if saved.machine.pid() is None:
            raise LabError(f"{node} does not run.")
        parent = snapshots.named(name).parent
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(suffix=".new", dir=parent) as work, stage(f"save {node} as {name}"):
            new = Path(work, "made")
            new.mkdir()
            snapshots.write(new, saved.spec, self._image.key)
            saved.run("sync")
            saved.end_connections()
            saved.machine.save(new / "disk.qcow2")
            snapshots.replace(new, name)

    def inventory(self, directory: Path) -> Path:
        """Write an Ansible inventory of the nodes into a directory and give its hosts.yml."""
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "hosts.yml"
        addresses = {node.name: node.address for node in self.nodes.values()}
        cluster = site_variables.variables(self.directory, self.profile) if self.profile else None
        file.write_text(inventory.hosts_yml(addresses, self.directory, cluster))
        return file

    # ---- state ----

    def _locked(self) -> AbstractContextManager[None]:
        """One process at a time changes a lab. The lock file stays: another process may wait for it."""
        return locked(labs_root() / ".locks" / self.name)

    @cached_property
    def _image(self) -> image.DiskImage:
        return image.build(node_image.addition(self.profile)) if self.profile else image.build()

    def _remembered(self) -> dict[str, Any] | None:
        """What lab.json says: the number of its network and the name of its profile; None where there is no lab."""
        file = self.directory / "lab.json"
        return json.loads(file.read_text()) if file.exists() else None

    def _network(self) -> Network | None:
        known = self._remembered()
        return Network(known["network"]) if known else None

    def _repair_network(self) -> Network:
        net = self._network()
        if net is None:
            if os.geteuid():
                raise LabError("the lab makes network devices: run this as root, or with sudo.")
            net = network.claim()
            (self.directory / "cm").mkdir(parents=True, exist_ok=True)
            known = {"network": net.number, "profile": self._wanted and self._wanted.name}
            (self.directory / "lab.json").write_text(json.dumps(known))
        network.repair(net)
        return net

    def _records(self) -> list[_NodeRecord]:
        files = self.directory.glob("nodes/*/node.json")
        return sorted((_NodeRecord.load(file.parent) for file in files), key=lambda record: record.index)

    def _record(self, spec: NodeSpec, source: str | None) -> _NodeRecord:
        """The remembered node of that name, or a new one with the next free index."""
        known = self._records()
        for record in known:
            if record.spec.name == spec.name:
                if (record.spec, record.source) != (spec, source) and self._machine(spec.name).pid() is not None:
                    raise LabError(
                        f"{spec.name} runs as {record.spec}, not as {spec}: "
                        f"end it first with 'python -m lab down --name {self.name}'."
                    )
                record = _NodeRecord(spec, record.index, source)
                break
        else:
            taken = {record.index for record in known}
            record = _NodeRecord(spec, next(index for index in range(HELPER) if index not in taken), source)
        directory = self._machine(spec.name).directory
        directory.mkdir(parents=True, exist_ok=True)
        record.save(directory)
        return record

    def _machine(self, node: str) -> Machine:
        return Machine(self.directory / "nodes" / node)

    def _node(self, record: _NodeRecord, net: Network) -> Node:
        machine = self._machine(record.spec.name)
        return Node(record.spec, net.address(record.index), machine, self.directory / "ssh_config", record.source)

    def _require_resources(self, specs: Sequence[NodeSpec]) -> None:
        """Raise LabError where this machine has not what the nodes that do not run yet will take."""
        profile = self.profile
        starting = [spec.memory for spec in specs if self._machine(spec.name).pid() is None]
        if starting:
            disk = {
                cache_root(): node_image.disk(profile) if profile else PLAIN_GB,
                labs_root(): len(starting) * NODE_GB,
            }
            resources.require(resources.RequiredResources(starting, profile is not None, disk))

    # ---- the cluster ----

    def _join(self, records: Sequence[_NodeRecord], started: Sequence[_NodeRecord], net: Network) -> None:
        """Make nodes of the cluster of those that are none, and wait until all are Ready."""
        for record in records:
            network.route_pods(net, record.index)
            node = self._node(record, net)
            if record in started or not has_joined(node):
                join(node, net.pod_subnet(record.index), self.control_plane)
        if records:
            await_ready([record.spec.name for record in records], self.control_plane)

    # ---- starting ----

    def _answers(self, record: _NodeRecord, net: Network) -> bool:
        """Whether the node runs and lets us in."""
        node = self._node(record, net)
        return node.machine.pid() is not None and node.run("true", check=False).returncode == 0

    def _disk(self, record: _NodeRecord, net: Network) -> Path:
        """What the node's disk is to be a copy of: a snapshot's disk (with its machine state) or a plain base."""
        spec = record.spec
        if record.source:
            return snapshots.find(record.source, self._image.key).disk
        if spec.boot == "snapshot":
            return self._golden(spec, net).disk
        if spec.boot == "grub":
            return self._grub_disk(spec, net)
        return self._image.disk

    def _golden(self, spec: NodeSpec, net: Network) -> Snapshot:
        """The snapshot of a freshly booted machine like this, made if the cache has none."""

        def make(directory: Path) -> None:
            with stage("boot a machine once and save it (later starts take seconds)"):
                node = self._helper(dataclasses.replace(spec, name="qatlab-golden", boot="cold"), net)
                node.run("systemctl is-system-running --wait; udevadm settle; sync", check=False)
                # Less to save: what the page cache holds is on the disk, too. But a copy is to wake up quickly.
                node.run("echo 3 > /proc/sys/vm/drop_caches; /usr/lib/qatlab/identity; python3 -c pass")
                snapshots.write(directory, spec, self._image.key)
                node.machine.save(directory / "disk.qcow2")

        try:
            return snapshots.load(cached("golden", snapshots.ticket(spec, self._image.key), make))
        finally:
            self._remove_helper(net)

    def _grub_disk(self, spec: NodeSpec, net: Network) -> Path:
        """A disk with a grub.cfg that the node's own update-grub has written."""

        def make(directory: Path) -> None:
            with stage("let a node write its GRUB configuration"):
                node = self._helper(NodeSpec("qatlab-grub", boot="cold"), net)
                if not spec.iommu:
                    node.run("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=off /' /etc/default/grub")
                node.run("mkdir -p /boot/grub && update-grub")
                # In order: a disk that was not unmounted is checked at boot, and then booted once more.
                node.run("systemctl poweroff", check=False)
                node.machine.wait()
                copy_sparse(node.machine.directory / "disk.qcow2", directory / "disk.qcow2")

        try:
            return cached("grub", digest(self._image.key, str(spec.iommu)), make) / "disk.qcow2"
        finally:
            self._remove_helper(net)

    def _helper(self, spec: NodeSpec, net: Network) -> Node:
        self._remove_helper(net)  # of a process that was killed
        record = _NodeRecord(spec, HELPER, None)
        self._machine(spec.name).directory.mkdir(parents=True)
        record.save(self._machine(spec.name).directory)
        self._boot([(record, self._image.disk)], net)
        return self._node(record, net)

    def _remove_helper(self, net: Network) -> None:
        for record in self._records():
            if record.index == HELPER:
                self._remove(record, net)

    def _boot(self, prepared: Sequence[tuple[_NodeRecord, Path]], net: Network) -> None:
        for record, disk in prepared:
            self._launch(record, disk, net)
        self._write_access(net)
        for record, disk in prepared:
            self._await(record, disk, net)

    def _launch(self, record: _NodeRecord, disk: Path, net: Network) -> None:
        """Start a node's QEMU on a fresh copy of disk."""
        machine = self._machine(record.spec.name)
        machine.stop()
        own = machine.directory / "disk.qcow2"
        own.unlink(missing_ok=True)
        restore = snapshots.is_snapshot(disk)
        if restore:  # it is inside the disk image, and an overlay would hide it
            copy_sparse(disk, own)
        else:
            qemu.make_overlay(disk, own)
        initrd = acpi.early_initramfs(record.spec.domain) + self._image.initrd.read_bytes()
        (machine.directory / "initrd.cpio").write_bytes(initrd)
        (machine.directory / "identity").write_bytes(self._identity(record, net).blob())
        network.add_tap(net, record.index)
        machine.start(qemu.command(record.spec, self._image, net, record.index, restore))

    def _await(self, record: _NodeRecord, disk: Path, net: Network) -> None:
        node = self._node(record, net)
        try:
            self._await_once(node, record, net)
        except LabError as error:
            if node.machine.pid() is not None:
                raise
            # A QEMU that dies at start without a word was seen once in hundreds of starts.
            console.print(f"  [yellow]![/] {error}\n  [yellow]![/] trying once more")
            self._launch(record, disk, net)
            self._await_once(node, record, net)
        if record.spec.driver and not snapshots.is_snapshot(disk):
            node.run("/usr/lib/qatlab/install-driver")

    def _await_once(self, node: Node, record: _NodeRecord, net: Network) -> None:
        """Wait for a node to have its own address, put it on the network, wait for its sshd."""
        deadline = time.monotonic() + PATIENCE
        while not _has_mac(node.machine, net.mac(record.index)):
            failure = node.machine.failure()
            if failure or time.monotonic() > deadline:
                raise node.silence(failure or "does not take its identity")
            time.sleep(0.05)
        network.attach_tap(net, record.index)
        node.forget_connection()
        node.wait_for_ssh()

    def _remove(self, record: _NodeRecord, net: Network) -> None:
        node = self._node(record, net)
        node.forget_connection()
        node.machine.stop()
        network.remove_tap(net, record.index)
        remove_tree(node.machine.directory)

    # ---- identity and access ----

    def _identity(self, record: _NodeRecord, net: Network) -> identity.Identity:
        directory = self._machine(record.spec.name).directory
        return identity.Identity(
            name=record.spec.name,
            address=net.address(record.index),
            gateway=net.gateway,
            mac=net.mac(record.index),
            machine_id=identity.new_machine_id(),
            host_key=identity.ssh_key(directory / "host_key"),
            authorized_key=identity.ssh_key(self._user_key).public,
            nameservers=identity.nameservers(Path("/etc/resolv.conf").read_text()),
        )

    @property
    def _user_key(self) -> Path:
        return self.directory / "id_ed25519"

    def _write_access(self, net: Network) -> None:
        """Write what ssh needs to know about all nodes."""
        records = self._records()
        addresses = {record.spec.name: net.address(record.index) for record in records}
        keys = {
            net.address(record.index): identity.ssh_key(self._machine(record.spec.name).directory / "host_key").public
            for record in records
        }
        config = inventory.ssh_config(addresses, self.directory, self._user_key)
        (self.directory / "ssh_config").write_text(config)
        (self.directory / "known_hosts").write_text(inventory.known_hosts(keys))


def _has_mac(machine: Machine, mac: str) -> bool:
    """Whether the guest uses this address; False, too, while QEMU does not listen yet."""
    try:
        return machine.mac() == mac
    except (OSError, QMPError):
        return False
