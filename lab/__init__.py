# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardware-free lab: virtual machines with emulated QAT devices, for people and for tests.

>>> with Lab("mine") as lab:
...     node = lab.start(NodeSpec("qat1"))
...     print(node.run("lspci -nn -d 8086:4940").stdout)
"""

from lab.errors import LabError
from lab.lab import Lab
from lab.node import Node
from lab.spec import NodeSpec

__all__ = ["Lab", "LabError", "Node", "NodeSpec"]
