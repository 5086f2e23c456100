# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: nodes on a network, whose records and files are kept in a state directory."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qemu.qmp import QMPError

from lab import acpi, identity, image, inventory, network, qemu, resources, snapshots
from lab.cluster import node_image, saved_cluster, site_variables
from lab.cluster.control_plane import ControlPlane
from lab.cluster.join import await_ready, has_joined, join
from lab.cluster.profiles import Profile, profile
from lab.errors import LabError
from lab.network import SUBNETS, Network
from lab.node import PATIENCE, Node
from lab.paths import cache_root, cached, digest, labs_root, locked, remove_tree
from lab.progress import console, stage
from lab.qemu import Machine
from lab.shell import copy_sparse, require_program
from lab.snapshots import Snapshot
from lab.spec import NodeSpec

PLAIN_GB = 5.0
"""GB of the cache that plain nodes take: packages, image and snapshot."""
NODE_GB = 1.5
"""GB of the state directory for each node: what the node writes, and the memory of the snapshot it started from."""
HELPER = 200
"""Index of the helper node, which is started only to make a golden snapshot or a GRUB disk of it."""


@dataclass(frozen=True)
class _NodeRecord:
    """What the lab keeps of a node between two commands. source: name of the snapshot that the node started from."""

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
    """The lab of a name. As a context manager, the lab is ended when the block ends.

    profile: makes the lab a cluster of these releases. None leaves an existing lab as it is, and makes a new lab one of
    plain nodes. network: number of the network that a new lab takes. None takes the first that is free.
    All methods may be called, from any process, for a lab that is up, half up or does not exist.
    """

    def __init__(self, name: str = "default", profile: Profile | None = None, network: int | None = None) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,30}", name):
            raise LabError(f"lab name '{name}': expected at most 31 lower-case letters, digits, '_' and '-'.")
        self.name = name
        self.directory = labs_root() / name
        self._wanted = profile
        self._numbers = SUBNETS if network is None else range(network, network + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # ---- nodes and cluster ----

    @property
    def nodes(self) -> dict[str, Node]:
        """The lab's nodes by name, whether they run or not."""
        found = self._network()
        if found is None:
            return {}
        return {record.spec.name: self._node(record, found) for record in self._records() if record.index != HELPER}

    def node(self, name: str) -> Node:
        """The node of that name. Raises LabError when the lab has no such node."""
        nodes = self.nodes
        if name not in nodes:
            raise LabError(f"lab '{self.name}' has no node '{name}'. It has: {', '.join(nodes) or 'none'}.")
        return nodes[name]

    @property
    def profile(self) -> Profile | None:
        """The profile of the lab's cluster, None for a lab of plain nodes.

        Raises LabError when the lab exists with another profile than the wanted one.
        """
        known = self._remembered()
        if known is None:
            return self._wanted
        existing = profile(known["profile"]) if known["profile"] else None
        if self._wanted and self._wanted != existing:
            raise LabError(
                f"lab '{self.name}' is {f'of profile {existing.name}' if existing else 'no cluster'}, not of profile "
                f"{self._wanted.name}: end it first with 'python -m lab down --name {self.name}'."
            )
        return existing

    @property
    def control_plane(self) -> ControlPlane:
        """The control plane of the lab's cluster. Raises LabError when the lab is no cluster."""
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
        """Start one node, see start_all()."""
        return self.start_all([spec], source)[0]

    def start_all(self, specs: Sequence[NodeSpec], source: str | None = None) -> list[Node]:
        """Start the nodes of these specs that do not run. A node that has ended or does not answer is made anew.

        specs: an empty sequence starts, of a cluster, only the control plane.
        source: name of a snapshot to start the nodes from; of each spec only the name is used then.
        Raises LabError when a running node has another spec.
        """
        require_program(qemu.PROGRAM)
        with self._locked():
            if source:
                snapshot = snapshots.find(source, self._image.key)
                specs = [snapshot.spec(spec.name) for spec in specs]
            self._require_resources(specs)
            self._build_image()  # first: it takes longest, and when it fails nothing has been started
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
        """Discard a node's disk and start the node again.

        source: name of a snapshot to start the node from; None starts it as it was started before.
        """
        node = self.node(name)
        self.stop(name)
        return self.start(node.spec, source or node.source)

    def stop(self, name: str) -> None:
        """End one node and remove its files, its record and its tap device."""
        with self._locked():
            record = next((record for record in self._records() if record.spec.name == name), None)
            net = self._network()
            if record and net:
                self._remove(record, net)
                self._write_access(net)

    def down(self) -> None:
        """End the lab and remove its processes, network devices and files. The cache stays."""
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
        """Save a running node under a name, for start(..., source=name). The node goes on; its ssh connections end."""
        saved = self.node(node)
        if saved.spec.boot == "grub" or saved.spec.donor == "nvme":
            raise LabError(
                f"{node}: cannot be saved as a snapshot, only nodes with donor=igb that GRUB does not start can."
            )
        if saved.machine.pid() is None:
            raise LabError(
                f"{node} does not run, and only a running node can be saved: start it with 'python -m lab up'."
            )
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

    def save_cluster(self, directory: Path) -> None:
        """Save control plane and nodes into a directory, all as of one moment, for start_saved_cluster().

        The cluster goes on, ssh connections do not.
        """
        nodes = list(self.nodes.values())
        with self._locked(), stage("save the cluster"), ExitStack() as still:
            for node in nodes:
                node.run("sync")
                node.end_connections()
                still.enter_context(node.machine.paused())
            saved_cluster.copy_servers(self.directory, directory)
            for node in nodes:
                target = saved_cluster.node_directory(directory, node.name)
                target.mkdir(parents=True)
                snapshots.write(target, node.spec, self._image.key)
                shutil.copy(node.machine.directory / "node.json", target)
                node.machine.save(target / "disk.qcow2")

    def start_saved_cluster(self, directory: Path) -> list[Node]:
        """Start the cluster that save_cluster() left in a directory, as it was at that moment, in a lab that is not up.

        Raises LabError where its network is taken.
        """
        saved = {_NodeRecord.load(path): path / "disk.qcow2" for path in saved_cluster.node_directories(directory)}
        names = [record.spec.name for record in saved]
        with self._locked():
            self._require_resources([record.spec for record in saved])
            self._numbers = saved_cluster.network_numbers(directory)
            net = self._repair_network()
            saved_cluster.restore_servers(directory, self.directory)
            assert self.profile
            self.control_plane.start(node_image.container_images(self.profile))
            for record in saved:
                home = self._machine(record.spec.name).directory
                home.mkdir(parents=True)
                record.save(home)
                network.route_pods(net, record.index)
            with stage(f"start {', '.join(names)} from the saved cluster"):
                self._boot(list(saved.items()), net)
            await_ready(names, self.control_plane)
            return [self._node(record, net) for record in saved]

    def inventory(self, directory: Path) -> Path:
        """Write an Ansible inventory of the nodes into a directory and give the path of its hosts.yml."""
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "hosts.yml"
        addresses = {node.name: node.address for node in self.nodes.values()}
        cluster = site_variables.variables(self.directory, self.profile) if self.profile else None
        file.write_text(inventory.hosts_yml(addresses, self.directory, cluster))
        return file

    # ---- state ----

    def _locked(self) -> AbstractContextManager[None]:
        """A lock under which one process at a time changes the lab. Its file stays: another process may wait for it."""
        return locked(labs_root() / ".locks" / self.name)

    @cached_property
    def _image(self) -> image.DiskImage:
        """The disk image of the lab's nodes, built at its first use if the cache does not have it."""
        return image.build(node_image.addition(self.profile)) if self.profile else image.build()

    def _build_image(self) -> image.DiskImage:
        """Build the disk image now instead of at its first use."""
        return self._image

    def _remembered(self) -> dict[str, Any] | None:
        """The content of lab.json: the number of the network, the name of the profile. None when there is no lab."""
        file = self.directory / "lab.json"
        return json.loads(file.read_text()) if file.exists() else None

    def _network(self) -> Network | None:
        known = self._remembered()
        return Network(known["network"]) if known else None

    def _repair_network(self) -> Network:
        """The lab's network with all its devices; a new lab claims a network and writes lab.json."""
        net = self._network()
        if net is None:
            if os.geteuid():
                raise LabError("the lab makes network devices: run this as root, or with sudo.")
            net = network.claim(self._numbers)
            (self.directory / "cm").mkdir(parents=True, exist_ok=True)
            known = {"network": net.number, "profile": self._wanted and self._wanted.name}
            (self.directory / "lab.json").write_text(json.dumps(known))
        network.repair(net)
        return net

    def _records(self) -> list[_NodeRecord]:
        files = self.directory.glob("nodes/*/node.json")
        return sorted((_NodeRecord.load(file.parent) for file in files), key=lambda record: record.index)

    def _record(self, spec: NodeSpec, source: str | None) -> _NodeRecord:
        """Write the record of a node: with the index of its old record, or for a new node with the first free index."""
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
        """Raise LabError when the host lacks memory, disk or devices for the nodes that do not run yet."""
        profile = self.profile
        starting = [spec.memory for spec in specs if self._machine(spec.name).pid() is None]
        if starting:
            disk = {
                cache_root(): node_image.cache_gb(profile) if profile else PLAIN_GB,
                labs_root(): len(starting) * NODE_GB,
            }
            resources.require(resources.RequiredResources(starting, profile is not None, disk))

    # ---- the cluster ----

    def _join(self, records: Sequence[_NodeRecord], started: Sequence[_NodeRecord], net: Network) -> None:
        """Make the nodes that are not in the cluster join it, and wait until all nodes are Ready."""
        for record in records:
            network.route_pods(net, record.index)
            node = self._node(record, net)
            if record in started or not has_joined(node):
                join(node, net.pod_subnet(record.index), self.control_plane)
        if records:
            await_ready([record.spec.name for record in records], self.control_plane)

    # ---- starting ----

    def _answers(self, record: _NodeRecord, net: Network) -> bool:
        """Whether the node runs and its sshd lets the lab in."""
        node = self._node(record, net)
        return node.machine.pid() is not None and node.run("true", check=False).returncode == 0

    def _disk(self, record: _NodeRecord, net: Network) -> Path:
        """The disk that the node's disk is to be a copy of: a snapshot's, with the machine's state in it, or a base."""
        spec = record.spec
        if record.source:
            return snapshots.find(record.source, self._image.key).disk
        if spec.boot == "snapshot":
            return self._golden(spec, net).disk
        if spec.boot == "grub":
            return self._grub_disk(spec, net)
        return self._image.disk

    def _golden(self, spec: NodeSpec, net: Network) -> Snapshot:
        """The golden snapshot for a spec, of a machine that has just booted; made if the cache does not have it."""

        def make(directory: Path) -> None:
            with stage("boot a node once and save it as a snapshot (later starts take seconds)"):
                node = self._helper(dataclasses.replace(spec, name="qatlab-golden", boot="cold"), net)
                node.run("systemctl is-system-running --wait; udevadm settle; sync", check=False)
                # Save no page cache, since the disk has its content too, except for what a copy runs first.
                node.run("echo 3 > /proc/sys/vm/drop_caches; /usr/lib/qatlab/identity; python3 -c pass")
                snapshots.write(directory, spec, self._image.key)
                node.machine.save(directory / "disk.qcow2")

        try:
            return snapshots.load(cached("golden", snapshots.ticket(spec, self._image.key), make))
        finally:
            self._remove_helper(net)

    def _grub_disk(self, spec: NodeSpec, net: Network) -> Path:
        """A disk with a grub.cfg that update-grub has written on a node. It is made if the cache does not have it."""

        def make(directory: Path) -> None:
            with stage("write the GRUB configuration on a node (once)"):
                node = self._helper(NodeSpec("qatlab-grub", boot="cold"), net)
                if not spec.iommu:
                    node.run("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=off /' /etc/default/grub")
                node.run("mkdir -p /boot/grub && update-grub")
                # Shut down in order: a disk that was not unmounted is checked at boot, and the node then boots again.
                node.run("systemctl poweroff", check=False)
                node.machine.wait()
                copy_sparse(node.machine.directory / "disk.qcow2", directory / "disk.qcow2")

        try:
            return cached("grub", digest(self._image.key, str(spec.iommu)), make) / "disk.qcow2"
        finally:
            self._remove_helper(net)

    def _helper(self, spec: NodeSpec, net: Network) -> Node:
        """Start the helper node."""
        self._remove_helper(net)  # left by a process that was killed
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
        """Start nodes side by side and wait until all of them answer. prepared: records with the disks to copy."""
        for record, disk in prepared:
            self._launch(record, disk, net)
        self._write_access(net)
        for record, disk in prepared:
            self._await(record, disk, net)

    def _launch(self, record: _NodeRecord, disk: Path, net: Network) -> None:
        """Start a node's machine on a new copy of disk."""
        machine = self._machine(record.spec.name)
        machine.stop()
        own = machine.directory / "disk.qcow2"
        own.unlink(missing_ok=True)
        restore = snapshots.is_snapshot(disk)
        if restore:  # the machine's state is inside the disk, where an overlay would hide it
            copy_sparse(disk, own)
        else:
            qemu.make_overlay(disk, own)
        initrd = acpi.early_initramfs(record.spec.domain) + self._image.initrd.read_bytes()
        (machine.directory / "initrd.cpio").write_bytes(initrd)
        (machine.directory / "identity").write_bytes(self._identity(record, net).blob())
        network.add_tap(net, record.index)
        machine.start(qemu.command(record.spec, self._image, net, record.index, restore))

    def _await(self, record: _NodeRecord, disk: Path, net: Network) -> None:
        """Wait until a node answers; start its machine a second time when the machine has ended."""
        node = self._node(record, net)
        try:
            self._await_once(node, record, net)
        except LabError as error:
            if node.machine.pid() is not None:
                raise
            # Once in hundreds of starts, QEMU ended at its start without a message.
            console.print(f"  [yellow]![/] {error}\n  [yellow]![/] starting {record.spec.name} once more")
            self._launch(record, disk, net)
            self._await_once(node, record, net)
        if record.spec.driver and not snapshots.is_snapshot(disk):
            node.run("/usr/lib/qatlab/install-driver")

    def _await_once(self, node: Node, record: _NodeRecord, net: Network) -> None:
        """Wait until a node has its own MAC address, attach it to the network, wait until its sshd answers."""
        deadline = time.monotonic() + PATIENCE
        while not _has_mac(node.machine, net.mac(record.index)):
            failure = node.machine.failure()
            if failure or time.monotonic() > deadline:
                raise node.unreachable(failure or "does not take its own MAC address")
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
        """Write ssh's configuration and the host keys of all nodes."""
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
    """Whether the guest uses this MAC address. False while QEMU's monitor does not listen yet."""
    try:
        return machine.mac() == mac
    except (OSError, QMPError):
        return False
