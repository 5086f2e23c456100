# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest of the lab's virtual machines and the report it prints. Needs busybox, cpio and root."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from lab.cluster import images, oci


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
