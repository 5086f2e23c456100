#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""qatlab-hold PCI_ADDRESS: open a VF the way QEMU does and hold it until this program is ended. Runs on a node.

The program goes on in the background once it has the VF, and prints the id of that process.
The numbers of the ioctls are those of include/uapi/linux/vfio.h.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import sys
from pathlib import Path

VFIO_GROUP_GET_DEVICE_FD = 0x3B6A
VFIO_GROUP_SET_CONTAINER = 0x3B68
VFIO_SET_IOMMU = 0x3B66
VFIO_TYPE1V2_IOMMU = 3


def open_device(address: str) -> None:
    """Open a VF through vfio; its file descriptors stay open as long as the process lives."""
    group_name = Path(f"/sys/bus/pci/devices/{address}/iommu_group").readlink().name
    container = os.open("/dev/vfio/vfio", os.O_RDWR)
    group = os.open(f"/dev/vfio/{group_name}", os.O_RDWR)
    fcntl.ioctl(group, VFIO_GROUP_SET_CONTAINER, struct.pack("i", container))
    fcntl.ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1V2_IOMMU)
    fcntl.ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bytearray(address.encode() + b"\0"))


def main() -> None:
    open_device(sys.argv[1])
    child = os.fork()
    if child:
        print(child)
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    signal.pause()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"{error.filename or sys.argv[1]}: {error.strerror}")
