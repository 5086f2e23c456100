# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACPI tables that move a node into another PCI domain; its kernel takes them from the initramfs (pure).

QEMU's q35 machine has one PCI host bridge, in domain (segment) 0. The kernel takes the domain from the firmware's
tables, so other tables put the whole machine into another domain: _SEG of the host bridge, MCFG (the address of the
configuration space) and DMAR (the IOMMU of the domain). See Documentation/admin-guide/acpi/initrd_table_override.rst
(Linux 6.12), the PCI Firmware Specification (MCFG) and the VT-d specification (DMAR).
"""

from __future__ import annotations

import struct

# The values of QEMU 10.0's own tables: hw/i386/acpi-build.c, hw/i386/x86-iommu.c.
_ECAM = 0xB000_0000
_IOMMU = 0xFED9_0000
_ADDRESS_BITS = 48
_OEM = (b"BOCHS ", b"BXPC    ")
_NEWER = 2
"""OEM revision: the kernel replaces a table of the same names only by one of a higher revision. QEMU's is 1."""


def early_initramfs(domain: int) -> bytes:
    """The archive to put before the real initramfs to move the machine into a PCI domain (0 to 65535); empty for 0."""
    if not domain:
        return b""
    tables = {"mcfg": _mcfg(domain), "dmar": _dmar(domain), "ssdt": _ssdt(domain)}
    files = {f"kernel/firmware/acpi/{name}.aml": table for name, table in tables.items()}
    return b"".join(_cpio_entry(name, content) for name, content in [*files.items(), ("TRAILER!!!", b"")])


def _table(signature: bytes, revision: int, body: bytes, oem: tuple[bytes, bytes] = _OEM) -> bytes:
    """An ACPI table: header and body. The checksum in the header makes all bytes add up to 0 modulo 256."""
    header = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), revision, 0, *oem, _NEWER, b"QLAB", 1)
    checksum = -sum(header + body) % 256
    return header[:9] + bytes([checksum]) + header[10:] + body


def _mcfg(domain: int) -> bytes:
    return _table(b"MCFG", 1, bytes(8) + struct.pack("<QHBB4x", _ECAM, domain, 0, 255))


def _dmar(domain: int) -> bytes:
    ioapic = struct.pack("<BBHBBBB", 3, 8, 0, 0, 0xFF, 0, 0)
    # flags 1: all PCI devices of this domain
    unit = struct.pack("<HHBBHQ", 0, 16 + len(ioapic), 1, 0, domain, _IOMMU) + ioapic
    # flags 1: interrupt remapping
    return _table(b"DMAR", 1, struct.pack("<BB10x", _ADDRESS_BITS - 1, 1) + unit)


def _ssdt(domain: int) -> bytes:
    r"""Scope (\_SB.PCI0) { Name (_SEG, domain) } in AML."""
    name = b"\x08_SEG\x0b" + struct.pack("<H", domain)
    scope = b"\\\x2e_SB_PCI0" + name
    return _table(b"SSDT", 1, b"\x10" + bytes([1 + len(scope)]) + scope, (b"QATLAB", b"DOMAIN  "))


def _cpio_entry(name: str, content: bytes) -> bytes:
    """One file in the cpio format 'newc' (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    fields = (0, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
