# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI addresses: reading what people write, and computing where a VF will appear. Pure."""

from __future__ import annotations

import re

DEVICES = "/sys/bus/pci/devices"
DRIVERS = "/sys/bus/pci/drivers"

_ADDRESS = re.compile(r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])")
"""[domain:]bus:device.function. Domains above ffff exist (Hyper-V, VMD): four to eight digits."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def parse_address(text: object) -> str:
    """``6b:00.0`` or ``0000:6B:00.0`` -> ``0000:6b:00.0``. Raises ValueError that names the text."""
    match = _ADDRESS.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if not match:
        raise ValueError(
            f"{text!r} is not a PCI address; expected domain:bus:device.function such as 0000:6b:00.0{_quotes(text)}"
        )
    return "{0}:{1}:{2}.{3}".format(match[1] or "0000", match[2], match[3], match[4])


def _quotes(text: object) -> str:
    """YAML 1.1 counts in sixties: it reads ``0000:19:00.0`` without quotes as 19 * 60 = 1140.0."""
    is_number = _NUMBER.fullmatch(str(text)) is not None
    return " (in quotes: YAML reads an address of digits only as a number)" if is_number else ""


def device_path(address: str) -> str:
    """sysfs directory of a PCI function."""
    return f"{DEVICES}/{address}"


def vf_address(pf: str, offset: int, stride: int, index: int) -> str:
    """Address of VF number ``index`` (from 0): routing id of the PF + First VF Offset + index * VF Stride (PCIe SR-IOV,
    9.3.3.9)."""
    domain, bus, rest = pf.split(":")
    device, function = rest.split(".")
    routing_id = (int(bus, 16) << 8 | int(device, 16) << 3 | int(function)) + offset + index * stride
    return f"{domain}:{routing_id >> 8 & 0xFF:02x}:{routing_id >> 3 & 0x1F:02x}.{routing_id & 7:x}"
