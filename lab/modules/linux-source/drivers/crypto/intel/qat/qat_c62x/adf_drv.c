// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-2.0-only
#define LAB_DRIVER "c6xx"
#include "qatlab_pf.h"

static const struct lab_family family = LAB_FAMILY_GEN2("qat_c62x");

static const struct pci_device_id lab_ids[] = {
	{ LAB_ID(0x37c8, family) },
	{ }
};
LAB_PF_DRIVER(lab_ids);
MODULE_FIRMWARE("qat_c62x.bin");
MODULE_FIRMWARE("qat_c62x_mmp.bin");
