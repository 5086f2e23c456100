// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-2.0-only
#define LAB_DRIVER "6xxx"
#include "qatlab_pf.h"

static const struct lab_family family = LAB_FAMILY_GEN6("qat_6xxx");

static const struct pci_device_id lab_ids[] = {
	{ LAB_ID(0x4948, family) },
	{ }
};
LAB_PF_DRIVER(lab_ids);
MODULE_FIRMWARE("qat_6xxx.bin");
MODULE_FIRMWARE("qat_6xxx_mmp.bin");
