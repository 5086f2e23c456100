# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the lab that only compute."""

from __future__ import annotations

import ipaddress
import subprocess
from pathlib import Path

import pytest
import yaml

from lab import LabError, NodeSpec, acpi, apt_sources, inventory, qemu
from lab.identity import BLOB_SIZE, Identity, SshKey, nameservers
from lab.image import DiskImage
from lab.network import CLUSTER_NODES, SUBNETS, Network
from lab.paths import cached, digest

IMAGE = DiskImage(Path("/cache/image/0123"))


class TestSpec:
    def test_a_name_is_enough(self) -> None:
        assert NodeSpec.parse("qat1") == NodeSpec("qat1", "igb", ("4940", "4940"), 0, True, False, 1024, "snapshot")

    def test_all_words(self) -> None:
        text = "n:donor=nvme,ids=4940+37c8+4946,iommu=off,driver=on,memory=1536,boot=grub"
        assert NodeSpec.parse(text) == NodeSpec("n", "nvme", ("4940", "37c8", "4946"), 0, False, True, 1536, "grub")

    @pytest.mark.parametrize(
        ("text", "ids"),
        [
            ("n:pfs=4", ("4940",) * 4),
            ("n:ids=4944", ("4944",) * 2),
            ("n:ids=37C8,pfs=1", ("37c8",)),
            ("n:ids=4940+4942", ("4940", "4942")),
        ],
    )
    def test_ids_and_number_of_pfs(self, text: str, ids: tuple[str, ...]) -> None:
        assert NodeSpec.parse(text).ids == ids

    def test_nvme_is_booted_since_it_cannot_be_snapshot(self) -> None:
        assert NodeSpec.parse("n:donor=nvme").boot == "cold"
        assert NodeSpec.parse("n", boot="grub").boot == "grub"
        assert NodeSpec.parse("n:boot=cold", boot="grub").boot == "cold"

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("Qat_1", "Qat_1"),
            ("n:donor=e1000", "e1000"),
            ("n:ids=1234", "1234"),
            ("n:ids=4940+4942,pfs=3", "pfs=3"),
            ("n:pfs=0", "0 PFs"),
            ("n:pfs=13", "13 PFs"),
            ("n:pfs=two", "pfs=two"),
            ("n:iommu=maybe", "iommu=maybe"),
            ("n:memory=64", "memory=64"),
            ("n:domain=65536", "domain=65536"),
            ("n:domain=1,boot=grub", "PCI domain"),
            ("n:color=red", "color"),
            ("n:iommu", "iommu"),
            ("n:donor=nvme,boot=snapshot", "nvme"),
        ],
    )
    def test_what_it_does_not_understand_is_named(self, text: str, named: str) -> None:
        with pytest.raises(LabError, match=named):
            NodeSpec.parse(text)


class TestMachine:
    def test_each_pf_is_alone_below_its_own_port(self) -> None:
        words = qemu.hardware(NodeSpec("n", ids=("4940", "37c8", "4944")))
        ports = [word for word in words if word.startswith("pcie-root-port")]
        pfs = [word for word in words if word.startswith("igb")]
        assert len(ports) == len(set(ports)) == 3
        assert [pf.split(",")[1] for pf in pfs] == ["bus=rp0", "bus=rp1", "bus=rp2"]
        assert "type=11,value=qatlab.pf=4940+37c8+4944" in words

    def test_never_more_than_one_processor_and_never_kvm(self) -> None:
        words = qemu.command(NodeSpec("n"), IMAGE, Network(3), 0, restore=False)
        assert words[words.index("-smp") + 1] == "1"
        assert words[words.index("-accel") + 1].startswith("tcg")
        assert not any("kvm" in word for word in words)

    def test_iommu_off_is_a_kernel_argument_and_on_is_the_kernels_default(self) -> None:
        on, off = (
            qemu.command(NodeSpec("n", iommu=iommu), IMAGE, Network(3), 0, restore=False) for iommu in (True, False)
        )
        assert "intel_iommu" not in on[on.index("-append") + 1]
        assert off[off.index("-append") + 1].endswith(" intel_iommu=off")

    def test_grub_decides_on_kernel_arguments_itself(self) -> None:
        words = qemu.command(NodeSpec("n", boot="grub"), IMAGE, Network(3), 0, restore=False)
        assert words[words.index("-kernel") + 1] == str(IMAGE.grub)
        assert "-append" not in words

    def test_hardware_does_not_depend_on_the_name_or_the_lab(self) -> None:
        assert qemu.hardware(NodeSpec("a")) == qemu.hardware(NodeSpec("b", boot="cold", driver=True))


class TestNetwork:
    def test_names_fit_the_kernel_and_are_apart(self) -> None:
        networks = [Network(number) for number in SUBNETS]
        names = [network.tap(index) for network in networks for index in range(201)]
        assert max(map(len, names)) <= 15
        assert len({network.bridge for network in networks}) == len(networks)
        assert len({network.subnet for network in networks}) == len(networks)

    def test_addresses_are_in_the_subnet_and_apart(self) -> None:
        network = Network(7)
        addresses = [network.gateway, *(network.address(index) for index in range(201))]
        assert len(set(addresses)) == len(addresses)
        assert all(address.startswith("10.90.7.") for address in addresses)
        assert network.mac(200) == "52:54:00:90:07:d2"

    def test_pods_of_all_nodes_of_all_labs_are_apart(self) -> None:
        networks = [Network(number) for number in SUBNETS]
        subnets = [network.pod_subnet(index) for network in networks for index in range(CLUSTER_NODES)]
        assert len(set(subnets)) == len(subnets)
        for network in networks:
            pods = ipaddress.ip_network(network.pods)
            assert all(
                ipaddress.ip_network(network.pod_subnet(index)).subnet_of(pods) for index in range(CLUSTER_NODES)
            )

    def test_a_cluster_has_room_for_so_many_nodes(self) -> None:
        with pytest.raises(LabError, match=f"at most {CLUSTER_NODES} nodes"):
            Network(0).pod_subnet(CLUSTER_NODES)


class TestAcpi:
    def test_domain_0_is_qemus_own(self) -> None:
        assert acpi.early_initramfs(0) == b""

    def test_the_kernel_finds_whole_tables_in_a_cpio_archive(self, tmp_path: Path) -> None:
        archive = acpi.early_initramfs(0xABCD)
        subprocess.run(["cpio", "--quiet", "-idm"], cwd=tmp_path, input=archive, check=True)
        tables = {file.name: file.read_bytes() for file in (tmp_path / "kernel/firmware/acpi").iterdir()}
        assert sorted(tables) == ["dmar.aml", "mcfg.aml", "ssdt.aml"]
        for table in tables.values():
            assert int.from_bytes(table[4:8], "little") == len(table)
            assert sum(table) % 256 == 0
            assert b"\xcd\xab" in table
        assert len(archive) % 4 == 0, "the real initramfs follows"


class TestIdentity:
    def test_the_blob_always_has_one_size(self) -> None:
        key = SshKey("-----BEGIN\nx\n-----END\n", "ssh-ed25519 AAAA")
        who = Identity(
            "a", "10.90.0.10", "10.90.0.1", "52:54:00:90:00:0a", "0" * 32, key, "ssh-ed25519 B", ("1.1.1.1",)
        )
        assert len(who.blob()) == BLOB_SIZE
        assert who.blob().startswith(b"NAME=a\nADDRESS=10.90.0.10\n")

    def test_only_name_servers_that_a_node_can_reach(self) -> None:
        text = "search x\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver 192.0.2.2\n"
        assert nameservers(text) == ("192.0.2.1", "192.0.2.2")


class TestInventory:
    def test_ansible_gets_what_it_needs(self) -> None:
        group = yaml.safe_load(inventory.hosts_yml({"qat1": "10.90.0.10"}, Path("/state/x")))["qat_nodes"]
        assert group["hosts"] == {"qat1": {"ansible_host": "10.90.0.10"}}
        assert group["vars"]["ansible_ssh_common_args"] == "-F /state/x/ssh_config"

    def test_a_plain_lab_says_nothing_of_a_cluster(self) -> None:
        assert list(yaml.safe_load(inventory.hosts_yml({"qat1": "10.90.0.10"}, Path("/state/x")))) == ["qat_nodes"]

    def test_variables_of_a_cluster_are_for_all_hosts_for_rbac_yml_runs_on_localhost(self) -> None:
        addresses, directory = {"qat1": "10.90.0.10"}, Path("/state/x")
        cluster = {"qatvirt_kubeconfig": "/state/x/qatvirt.kubeconfig", "kubevirt_infra_replicas": 1}
        written = yaml.safe_load(inventory.hosts_yml(addresses, directory, cluster))
        assert written["all"] == {"vars": cluster}
        plain = yaml.safe_load(inventory.hosts_yml(addresses, directory))
        assert written["qat_nodes"] == plain["qat_nodes"]

    def test_host_keys_are_pinned(self) -> None:
        config = inventory.ssh_config({"qat1": "10.90.0.10"}, Path("/state/x"), Path("/state/x/key"))
        assert "Host qat1 10.90.0.10\n" in config
        assert "StrictHostKeyChecking yes\n" in config
        assert inventory.known_hosts({"10.90.0.10": "ssh-ed25519 AAAA me"}) == "10.90.0.10 ssh-ed25519 AAAA\n"


class TestAptSources:
    def mirror(self, tmp_path: Path, name: str, text: str) -> apt_sources.DebianMirror:
        directory = tmp_path / "apt" / "sources.list.d"
        directory.mkdir(parents=True)
        (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
        (directory / name).write_text(text)
        return apt_sources.mirror(tmp_path)

    def test_deb822(self, tmp_path: Path) -> None:
        text = (
            "Types: deb deb-src\n# comment\nURIs: http://mirror.test/debian/\nSuites: bookworm bookworm-updates\n"
            "Components: main\n\nTypes: deb\nURIs: http://mirror.test/security\nSuites:\n bookworm-security\n"
            "\nEnabled: no\nTypes: deb\nURIs: http://no.test\nSuites: bookworm-security\n"
        )
        mirror = self.mirror(tmp_path, "debian.sources", text)
        assert mirror == apt_sources.DebianMirror("http://mirror.test/debian", "http://mirror.test/security")
        assert mirror.lines("trixie") == [
            "deb http://mirror.test/debian trixie main",
            "deb http://mirror.test/security trixie-security main",
        ]

    def test_one_line(self, tmp_path: Path) -> None:
        text = (
            "# deb http://no.test bookworm main\ndeb-src http://no.test bookworm main\n"
            "deb [arch=amd64 signed-by=/x.gpg] http://mirror.test/debian bookworm main # yes\n"
        )
        assert self.mirror(tmp_path, "x.list", text) == apt_sources.DebianMirror("http://mirror.test/debian", None)

    def test_no_source_for_this_release(self, tmp_path: Path) -> None:
        with pytest.raises(LabError, match="bookworm"):
            self.mirror(tmp_path, "x.list", "deb http://mirror.test/debian trixie main\n")


class TestCache:
    @pytest.fixture(autouse=True)
    def own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QATVIRT_CACHE", str(tmp_path / "cache"))

    def test_made_once(self) -> None:
        made = []
        for _ in range(2):
            directory = cached("kind", "key", lambda work: made.append((work / "file").write_text("x")))
            assert (directory / "file").read_text() == "x"
        assert len(made) == 1

    def test_a_failed_making_leaves_nothing_that_counts(self) -> None:
        def fail(work: Path) -> None:
            (work / "half").touch()
            raise LabError("no")

        with pytest.raises(LabError):
            cached("kind", "key", fail)
        assert not list(cached("kind", "key", lambda _work: None).iterdir())

    def test_the_digest_sees_names_contents_and_modes(self, tmp_path: Path) -> None:
        file = tmp_path / "tree" / "file"
        file.parent.mkdir()
        file.write_text("x")
        seen = {digest(file.parent)}
        file.chmod(0o755)
        seen.add(digest(file.parent))
        file.write_text("y")
        seen.add(digest(file.parent))
        file.rename(file.with_name("other"))
        seen.add(digest(file.parent))
        assert len(seen) == 4
