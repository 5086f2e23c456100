# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the lab's cluster that only compute, or only write files."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from lab import LabError
from lab.cluster import images, manifests, oci, profiles
from lab.cluster.control_plane import ControlPlane
from lab.cluster.pki import Pki
from lab.network import Network

BASE_IMAGE = f"{images.REGISTRY}/base:lab"
APP_IMAGE = f"{images.REGISTRY}/app:lab"


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def archive(directory: Path, **files: str) -> Path:
    tree = directory / "-".join(files)
    tree.mkdir(parents=True)
    for name, text in files.items():
        (tree / name).write_text(text)
    return oci.tar(tree, tree.with_suffix(".tar"))


def write_layout(directory: Path) -> oci.Layout:
    """An image, and a second one on top of its layer."""
    base = archive(directory / "layers", base="below")
    app = archive(directory / "layers", app="above")
    layout = oci.Layout(directory / "layout")
    layout.add(BASE_IMAGE, [base], command=["/bin/sh"])
    layout.add(APP_IMAGE, [base, app], ["/app"], user="107", env={"HOME": "/"})
    return layout


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


class TestArchive:
    def test_the_same_tree_gives_the_same_bytes_whenever_it_was_made(self, tmp_path: Path) -> None:
        tree = tmp_path / "tree"
        (tree / "b").mkdir(parents=True)
        (tree / "a").write_text("1")
        first = oci.tar(tree, tmp_path / "first.tar").read_bytes()
        (tree / "a").unlink()
        (tree / "a").write_text("1")
        assert oci.tar(tree, tmp_path / "second.tar").read_bytes() == first

    def test_modes_stay_and_times_go(self, tmp_path: Path) -> None:
        tree = tmp_path / "tree"
        tree.mkdir(mode=0o755)
        (tree / "tmp").mkdir()
        (tree / "tmp").chmod(0o1777)
        (tree / "program").write_text("x")
        (tree / "program").chmod(0o750)
        with tarfile.open(oci.tar(tree, tmp_path / "tree.tar")) as made:
            modes = {member.name: oct(member.mode) for member in made}
            assert {member.mtime for member in made} == {0}
        assert modes == {".": "0o755", "./program": "0o750", "./tmp": "0o1777"}


class TestLayout:
    def test_every_blob_is_named_by_its_digest_and_described_with_its_size(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        blobs = {path.name: path.read_bytes() for path in (layout.directory / "blobs/sha256").iterdir()}
        for name, content in blobs.items():
            assert sha256(content) == f"sha256:{name}"
        described = json.loads((layout.directory / "index.json").read_text())["manifests"]
        for image in layout.names():
            manifest = layout.manifest(image)
            described += [manifest["config"], *manifest["layers"]]
        assert {one["digest"].removeprefix("sha256:"): one["size"] for one in described} == {
            name: len(content) for name, content in blobs.items()
        }

    def test_layers_are_the_archives_that_the_configuration_names(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        for image in layout.names():
            archives = [layout.blob(layer["digest"]) for layer in layout.manifest(image)["layers"]]
            assert layout.config(image)["rootfs"]["diff_ids"] == [sha256(file.read_bytes()) for file in archives]
        files = []
        for file in archives:
            with tarfile.open(file) as made:
                files += made.getnames()
        assert files == [".", "./base"]

    def test_images_share_the_layer_they_have_in_common(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        below, app = layout.manifest(BASE_IMAGE)["layers"], layout.manifest(APP_IMAGE)["layers"]
        assert app[:1] == below
        # Two layers, two configurations, two manifests.
        assert len(list((layout.directory / "blobs/sha256").iterdir())) == 6

    def test_the_same_input_gives_the_same_bytes(self, tmp_path: Path) -> None:
        first, second = (write_layout(tmp_path / name).directory for name in ("one", "two"))
        assert bytes_of(first) == bytes_of(second)

    def test_nothing_but_the_layout_is_left(self, tmp_path: Path) -> None:
        directory = write_layout(tmp_path).directory
        assert {path.name for path in directory.iterdir()} == {"blobs", "index.json", "oci-layout"}

    def test_names_are_full_and_read_back_from_the_files(self, tmp_path: Path) -> None:
        directory = write_layout(tmp_path).directory
        assert images.names(directory) == [APP_IMAGE, BASE_IMAGE]
        for entry in json.loads((directory / "index.json").read_text())["manifests"]:
            # What ctr's import and what other tools read.
            assert set(entry["annotations"]) == {"io.containerd.image.name", "org.opencontainers.image.ref.name"}
            assert len(set(entry["annotations"].values())) == 1

    def test_an_image_added_again_is_replaced(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        layout.add(APP_IMAGE, [], ["/other"])
        assert layout.names() == [APP_IMAGE, BASE_IMAGE]
        assert layout.config(APP_IMAGE)["config"]["Entrypoint"] == ["/other"]

    def test_configuration(self, tmp_path: Path) -> None:
        layout = write_layout(tmp_path)
        assert layout.config(APP_IMAGE)["config"] == {
            "Entrypoint": ["/app"],
            "Env": [f"PATH={oci.PATH}", "HOME=/"],
            "User": "107",
            "WorkingDir": "/",
        }
        assert layout.config(BASE_IMAGE)["config"]["Cmd"] == ["/bin/sh"]
        assert "User" not in layout.config(BASE_IMAGE)["config"]

    def test_an_image_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(KeyError, match="none"):
            write_layout(tmp_path).manifest("none")


class TestImages:
    @pytest.mark.parametrize(("version", "user"), [("v1.8.4", ""), ("v1.9.0", "107"), ("v1.10.1", "107")])
    def test_the_launcher_runs_as_the_node_labeller_of_its_release_needs(self, version: str, user: str) -> None:
        assert images.KubeVirtRelease(version, Path(), Path()).launcher_user == user

    def test_names_have_the_registry_of_every_lab(self) -> None:
        assert images.name("virt-api", "v1.8.4") == "registry.lab:5000/virt-api:v1.8.4"
        assert images.qat_plugin() == "registry.lab:5000/intel-qat-plugin:0.36.0"


def pci_device(sysfs: Path, slot: str, device: str, driver: str | None = None) -> None:
    directory = sysfs / "bus/pci/devices" / slot
    directory.mkdir(parents=True)
    for name, text in (("vendor", "0x8086"), ("device", device), ("class", "0x0b4000")):
        (directory / name).write_text(f"{text}\n")
    if driver:
        (directory / "driver").symlink_to(f"../../../bus/pci/drivers/{driver}")


def guest_report(sysfs: Path, *prefix: str | Path) -> dict[str, Any]:
    """What the guest would say. prefix: words of a command before the shell."""
    done = subprocess.run(
        [*prefix, "/bin/busybox", "sh", images.GUEST_REPORT if not prefix else "/report.sh"],
        env={"QATVIRT_SYSFS": str(sysfs), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    report: dict[str, Any] = json.loads(done.stdout)
    return report


class TestGuest:
    def test_it_reports_every_device_and_its_driver(self, tmp_path: Path) -> None:
        pci_device(tmp_path, "0000:00:01.0", "0x1041", driver="virtio-pci")
        pci_device(tmp_path, "0000:03:00.0", "0x4941")
        report = guest_report(tmp_path)
        common = {"vendor": "0x8086", "class": "0x0b4000"}
        assert report["pci"] == [
            {"slot": "0000:00:01.0", "device": "0x1041", "driver": "virtio-pci", **common},
            {"slot": "0000:03:00.0", "device": "0x4941", "driver": None, **common},
        ]
        assert report["uptime"] > 0
        assert report["functional"]["verdict"] == "impossible"

    def test_without_devices_it_is_still_json(self, tmp_path: Path) -> None:
        assert guest_report(tmp_path)["pci"] == []

    def test_its_image_has_the_collections_script_and_all_it_needs(self, tmp_path: Path) -> None:
        (tmp_path / "vmlinuz").write_text("kernel")
        layout = oci.Layout(tmp_path / "layout")
        images.add_guest(layout, tmp_path / "vmlinuz")
        (layer,) = layout.manifest(images.QAT_GUEST)["layers"]
        root = tmp_path / "root"
        root.mkdir()
        with tarfile.open(layout.blob(layer["digest"])) as made:
            initrd = made.extractfile("./boot/initrd")
            assert initrd
            subprocess.run(["cpio", "-id", "--quiet"], cwd=root, input=initrd.read(), check=True)
        assert (root / "report.sh").read_text() == images.GUEST_REPORT.read_text()
        # In the place of what the kernel makes there.
        (root / "dev").mkdir()
        (root / "dev/null").touch()
        pci_device(root / "sysfs", "0000:03:00.0", "0x4941", driver="vfio-pci")
        (root / "proc/sys/kernel").mkdir(parents=True)
        (root / "proc/sys/kernel/osrelease").write_text("6.12.0\n")
        (root / "proc/uptime").write_text("1.5 1.0\n")
        report = guest_report(Path("/sysfs"), "chroot", root)
        assert [device["driver"] for device in report["pci"]] == ["vfio-pci"]
        assert (report["kernel"], report["uptime"]) == ("6.12.0", 1.5)


OPERATOR = """
---
apiVersion: v1
kind: Namespace
metadata: {name: kubevirt}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: virt-operator}
spec:
  replicas: 2
  template:
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      containers:
      - name: virt-operator
        image: registry.lab:5000/virt-operator:v1.8.4
        readinessProbe:
          httpGet: {path: /metrics, port: 8443, scheme: HTTPS}
          initialDelaySeconds: 5
          timeoutSeconds: 10
"""


class TestManifests:
    def test_slow_nodes_get_one_replica_and_patience_and_nothing_else(self) -> None:
        before = list(yaml.safe_load_all(OPERATOR))
        after = list(yaml.safe_load_all(manifests.for_slow_nodes(OPERATOR)))
        assert after[0] == next(document for document in before if document)
        spec = after[1]["spec"]
        (container,) = spec["template"]["spec"]["containers"]
        assert spec["replicas"] == 1
        assert container["readinessProbe"]["httpGet"] == {"path": "/metrics", "port": 8443, "scheme": "HTTPS"}
        assert container["readinessProbe"]["timeoutSeconds"] >= 30
        assert "livenessProbe" not in container
        assert spec["template"]["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}

    def test_cr_permits_the_vfs_and_patches_what_it_names(self) -> None:
        spec = manifests.kubevirt_cr("v1.8.4")["spec"]
        assert spec["configuration"]["permittedHostDevices"] == {
            "pciHostDevices": [{"pciVendorSelector": "8086:4941", "resourceName": "intel.com/qat"}]
        }
        assert spec["infra"] == {"replicas": 1}
        # KubeVirt's own plugin stays off the nodes whose VFs containers get; no node is named.
        assert spec["workloads"] == {"nodePlacement": {"nodeSelector": {manifests.WORKLOAD_LABEL: "vm"}}}
        assert "kubernetes.io/hostname" not in json.dumps(spec)
        for patch in spec["customizeComponents"]["patches"]:
            (container,) = json.loads(patch["patch"])["spec"]["template"]["spec"]["containers"]
            assert container["name"] == patch["resourceName"]

    def test_cr_with_other_devices(self) -> None:
        spec = manifests.kubevirt_cr("v1.8.4", resource="example.com/qat", selector="8086:4947")["spec"]
        (device,) = spec["configuration"]["permittedHostDevices"]["pciHostDevices"]
        assert device == {"pciVendorSelector": "8086:4947", "resourceName": "example.com/qat"}

    @pytest.mark.parametrize(("version", "disabled"), [("v1.8.4", None), ("v1.9.0", ["ImageVolume", "Template"])])
    def test_cr_disables_only_the_gates_of_the_release(self, version: str, disabled: list[str] | None) -> None:
        developer = manifests.kubevirt_cr(version)["spec"]["configuration"]["developerConfiguration"]
        assert developer["featureGates"] == ["HostDevices"]
        assert developer.get("disabledFeatureGates") == disabled

    def test_plugin_is_confined_and_goes_where_it_is_told(self) -> None:
        pod = manifests.qat_plugin({"qatvirt.intel.com/workload": "container"})["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["nodeSelector"]["qatvirt.intel.com/workload"] == "container"
        assert container["image"] == images.qat_plugin()
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}

    def test_vmi_asks_for_one_vf_and_for_a_node_only_when_told(self) -> None:
        spec = manifests.qat_vmi("vm")["spec"]
        assert spec["domain"]["devices"]["hostDevices"] == [{"name": "qat0", "deviceName": "intel.com/qat"}]
        assert spec["domain"]["firmware"]["kernelBoot"]["container"]["image"] == images.QAT_GUEST
        assert "nodeSelector" not in spec
        assert manifests.qat_vmi("vm", node="qat1")["spec"]["nodeSelector"] == {"kubernetes.io/hostname": "qat1"}


class TestPki:
    def test_a_kubelet_is_a_client_and_a_server_of_the_clusters_own_authority(self, tmp_path: Path) -> None:
        plane = ControlPlane(tmp_path / "control-plane", Network(3))
        pair = plane.kubelet_pair("qat1", "10.90.3.10")
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(plane.pki.authority("ca").certificate.read_bytes())
        certificate.verify_directly_issued_by(authority)
        assert certificate.subject.rfc4514_string() == "CN=system:node:qat1,O=system:nodes"
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.90.3.10")]

    def test_keys_are_made_once_and_for_nobody_else_to_read(self, tmp_path: Path) -> None:
        pki = Pki(tmp_path)
        pair = pki.pair("admin", "admin", group="system:masters")
        content = pair.key.read_bytes()
        assert pki.pair("admin", "admin", group="system:masters").key.read_bytes() == content
        pki.signing_key()
        assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("*.key")} == {0o600}

    def test_a_kubeconfig_needs_no_other_file(self, tmp_path: Path) -> None:
        pki = Pki(tmp_path)
        config = yaml.safe_load(pki.kubeconfig(pki.pair("admin", "admin"), "https://10.90.3.1:6443"))
        (cluster,), (user,) = config["clusters"], config["users"]
        assert cluster["cluster"]["server"] == "https://10.90.3.1:6443"
        authority = pki.authority("ca").certificate.read_bytes()
        assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == authority
        assert base64.b64decode(user["user"]["client-key-data"]) == (tmp_path / "admin.key").read_bytes()


class TestProfiles:
    def test_an_unknown_profile_is_said(self) -> None:
        with pytest.raises(LabError, match=r"no profile 'kubevirt-2': expected one of kubevirt-1\.8"):
            profiles.profile("kubevirt-2")

    @pytest.mark.parametrize("profile", profiles.PROFILES.values(), ids=lambda profile: profile.name)
    def test_a_profile_has_the_release_of_its_name(self, profile: profiles.Profile) -> None:
        if profile.kubevirt:
            assert profile.kubevirt.version.startswith(f"v{profile.name.removeprefix('kubevirt-')}.")
