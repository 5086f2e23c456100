// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-2.0-only
#define LAB_DRIVER "4xxx"
#include "qatlab_pf.h"

static const struct lab_family fw_4xxx = LAB_FAMILY_GEN4("qat_4xxx");
static const struct lab_family fw_402xx = LAB_FAMILY_GEN4("qat_402xx");

static const struct pci_device_id lab_ids[] = {
	{ LAB_ID(0x4940, fw_4xxx) },
	{ LAB_ID(0x4942, fw_4xxx) },	/* 401xx */
	{ LAB_ID(0x4944, fw_402xx) },
	{ }
};
LAB_PF_DRIVER(lab_ids);
MODULE_FIRMWARE("qat_4xxx.bin");
MODULE_FIRMWARE("qat_4xxx_mmp.bin");
MODULE_FIRMWARE("qat_402xx.bin");
MODULE_FIRMWARE("qat_402xx_mmp.bin");
