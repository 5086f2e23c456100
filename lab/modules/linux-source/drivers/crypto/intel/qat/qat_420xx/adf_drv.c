// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-2.0-only
#define LAB_DRIVER "420xx"
#include "qatlab_pf.h"

static const struct lab_family family = LAB_FAMILY_GEN4("qat_420xx");

static const struct pci_device_id lab_ids[] = {
	{ LAB_ID(0x4946, family) },
	{ }
};
LAB_PF_DRIVER(lab_ids);
MODULE_FIRMWARE("qat_420xx.bin");
MODULE_FIRMWARE("qat_420xx_mmp.bin");
