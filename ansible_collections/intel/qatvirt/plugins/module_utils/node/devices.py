# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The QAT device families: the one table of ids, drivers, firmware and services. Pure.

Sources: PCI ids, module and driver names from the Linux 7.3 sources (``include/linux/pci_ids.h``,
``drivers/crypto/intel/qat/*/adf_drv.c``) and pci.ids; firmware from ``MODULE_FIRMWARE`` in the same drivers; VF counts
from DPDK ``doc/guides/cryptodevs/qat.rst``; the vfio denylist from ``drivers/vfio/pci/vfio_pci.c`` (same in Linux 5.9
to 7.3); services from Intel's QuickAssist in-tree release notes and ``adf_cfg_services.c``. Families without an in-tree
driver (d15xx, 200xx, c4xxx) are known from Intel's out-of-tree packages.
"""

from __future__ import annotations

from dataclasses import dataclass

VENDOR = "8086"
SERVICES = ("sym", "asym", "dc", "decomp", "dcc")
"""Every service, in the order in which services are written to cfg_services: that of the pairs which Linux 6.0 to 6.12
take (``sym;asym``, ``sym;dc``, ``asym;dc``). Newer kernels take any order."""


@dataclass(frozen=True)
class Family:
    """One QAT family.

    ``pf``, ``vf``: PCI device ids; a PF id and the id of its VFs have the same position. ``module``: kernel module of
    the PF driver. ``pf_driver``: name of the PF driver below ``/sys/bus/pci/drivers`` (not the module's name).
    ``vf_driver``, ``vf_module``: kernel driver of the VFs, in-tree or out-of-tree, None where there is none.
    ``max_vfs``: VFs of one PF by the documentation; ``sriov_totalvfs`` decides. ``denylist``: vfio-pci refuses the VF
    ids unless it runs with ``disable_denylist=1``. ``sysfs``: the PF driver has the ``qat/`` group (state,
    cfg_services). ``intree_since``: first mainline kernel that takes each PF id, empty where no kernel does.
    ``max_services``: how many different services one PF takes at once.
    """

    name: str
    pf: tuple[str, ...]
    vf: tuple[str, ...]
    module: str
    pf_driver: str
    vf_driver: str | None
    vf_module: str | None
    firmware: tuple[str, ...]
    max_vfs: int
    denylist: bool
    sysfs: bool
    intree_since: tuple[str, ...]
    services: tuple[str, ...] = ()
    max_services: int = 0

    def vf_of(self, pf_device: str) -> str:
        """Device id of the VFs of a PF device id."""
        return self.vf[self.pf.index(pf_device)]

    def since(self, pf_device: str) -> str | None:
        """First mainline kernel whose driver takes this PF id, None where no kernel does."""
        return dict(zip(self.pf, self.intree_since)).get(pf_device)


_GEN4 = ("sym", "asym", "dc", "dcc")

FAMILIES: tuple[Family, ...] = (
    Family(
        "dh895xcc", ("0435",), ("0443",), "qat_dh895xcc", "dh895xcc", "dh895xccvf", "qat_dh895xccvf",
        ("qat_895xcc.bin", "qat_895xcc_mmp.bin"), 32, True, False, ("4.4",),
    ),
    Family(
        "c62x", ("37c8",), ("37c9",), "qat_c62x", "c6xx", "c6xxvf", "qat_c62xvf",
        ("qat_c62x.bin", "qat_c62x_mmp.bin"), 16, True, False, ("4.5",),
    ),
    Family(
        "c3xxx", ("19e2",), ("19e3",), "qat_c3xxx", "c3xxx", "c3xxxvf", "qat_c3xxxvf",
        ("qat_c3xxx.bin", "qat_c3xxx_mmp.bin"), 16, True, False, ("4.5",),
    ),
    Family(
        "d15xx", ("6f54",), ("6f55",), "qat_d15xx", "d15xx", "d15xxvf", "qat_d15xxvf",
        ("qat_d15xx.bin", "qat_d15xx_mmp.bin"), 16, False, False, (),
    ),
    Family(
        "200xx", ("18ee",), ("18ef",), "qat_200xx", "200xx", "200xxvf", "qat_200xxvf",
        ("qat_200xx.bin", "qat_200xx_mmp.bin"), 16, False, False, (),
    ),
    Family(
        "c4xxx", ("18a0",), ("18a1",), "qat_c4xxx", "c4xxx", "c4xxxvf", "qat_c4xxxvf",
        ("qat_c4xxx.bin", "qat_c4xxx_mmp.bin"), 128, False, False, (),
    ),
    Family(
        "4xxx", ("4940", "4942"), ("4941", "4943"), "qat_4xxx", "4xxx", None, None,
        ("qat_4xxx.bin", "qat_4xxx_mmp.bin"), 16, False, True, ("5.11", "5.19"), _GEN4, 2,
    ),
    Family(
        "402xx", ("4944",), ("4945",), "qat_4xxx", "4xxx", None, None,
        ("qat_402xx.bin", "qat_402xx_mmp.bin"), 16, False, True, ("6.4",), _GEN4, 2,
    ),
    Family(
        "420xx", ("4946",), ("4947",), "qat_420xx", "420xx", None, None,
        ("qat_420xx.bin", "qat_420xx_mmp.bin"), 16, False, True, ("6.8",), _GEN4, 2,
    ),
    Family(
        "6xxx", ("4948",), ("4949",), "qat_6xxx", "6xxx", None, None,
        ("qat_6xxx.bin", "qat_6xxx_mmp.bin"), 16, False, True, ("6.15",), SERVICES, 3,
    ),
)  # fmt: skip

_BY_PF = {device: family for family in FAMILIES for device in family.pf}
_BY_NAME = {family.name: family for family in FAMILIES}


def family_of_pf(device: str) -> Family | None:
    """Family of a PF device id (four lower-case hex digits), None for a device that is no QAT PF."""
    return _BY_PF.get(device)


def family_named(name: str) -> Family:
    """The family of that name. Raises KeyError."""
    return _BY_NAME[name]
