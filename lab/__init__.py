# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardware-free lab: virtual machines with emulated QAT devices, for people and for tests.

>>> with Lab("mine") as lab:
...     node = lab.start(NodeSpec("qat1"))
...     print(node.run("lspci -nn -d 8086:4940").stdout)

The lab's vocabulary, one word for one thing:

host        the computer that the lab runs on
lab         nodes on a network of their own, found by the lab's name (Lab); with a profile also a Kubernetes cluster
node        one virtual machine of a lab as people and tests use it (Node): run a command, read and write files, reboot
spec        what a node is to be like (NodeSpec); what a person writes after --node
record      what the lab keeps of a node between two commands: its spec, its index and its source (lab._NodeRecord)
index       number of a node in its lab, from which its addresses and its tap device follow
machine     the virtual machine that is a node: its QEMU process and that process's files (qemu.Machine)
donor       the emulated SR-IOV device that a node's kernel is made to see as a QAT PF
image       the disk image that nodes start from (image.DiskImage); images of containers are called container images
snapshot    a disk with the state of a running machine in it; the golden snapshot is of a machine that has just booted
source      the name of the snapshot that a node was started from
fault       something that goes wrong on a node on request (faults)
profile     the releases that a cluster is made of (Profile)
"""

from lab.errors import LabError
from lab.lab import Lab
from lab.node import Node
from lab.spec import NodeSpec

__all__ = ["Lab", "LabError", "Node", "NodeSpec"]
