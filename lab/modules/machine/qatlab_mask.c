// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-2.0-only
/*
 * qatlab_mask - show emulated SR-IOV functions as Intel QAT accelerators.
 * FOR TEST LABS ONLY.
 *
 * QEMU has no QAT model, but it has SR-IOV capable devices (igb, nvme).  For
 * each of them that sits alone below a PCIe root port, this module puts a
 * filter in front of the config space accessors of its bus, takes the function
 * off the bus and rescans it.  From then on everyone, the PCI core, sysfs,
 * udev, lspci, vfio-pci and so a nested guest, reads the QAT identity.
 *
 * The PF device ids come from the machine, as those of real hardware do: an
 * SMBIOS OEM string "qatlab.pf=4940+4942" gives them in the order of the PCI
 * addresses.  A VF id is its PF's id plus one, as in all QAT families
 * (include/linux/pci_ids.h and qat_common/adf_accel_devices.h of Linux 6.12).
 */
#include <linux/dmi.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

#define MAX_PFS		16
#define OEM_PREFIX	"qatlab.pf="
#define QAT_CLASS	0x0b4000	/* co-processor */
#define QAT_REVISION	0x40

static const struct pci_device_id donor_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, 0x10c9) },	/* QEMU igb */
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, 0x0010) },	/* QEMU nvme */
	{ }
};

struct masked {
	struct pci_bus *bus;
	struct pci_ops ops, *orig;
	unsigned int devfn;		/* of the PF */
	int iov;			/* offset of its SR-IOV capability */
	u16 pf_device;
};

static struct masked pfs[MAX_PFS];
static int npfs;

static struct masked *find_bus(struct pci_bus *bus)
{
	int i;

	for (i = 0; i < npfs; i++)
		if (pfs[i].bus == bus)
			return &pfs[i];
	return NULL;
}

/* The identity, dword by dword.  Returns false for all other dwords. */
static bool identity(const struct masked *m, unsigned int devfn, int reg, u32 *v)
{
	bool pf = devfn == m->devfn;

	switch (reg) {
	case PCI_VENDOR_ID:
		if (pf)		/* a VF reads ffff:ffff, as the SR-IOV standard says */
			*v = m->pf_device << 16 | PCI_VENDOR_ID_INTEL;
		return pf;
	case PCI_CLASS_REVISION:
		*v = QAT_CLASS << 8 | QAT_REVISION;
		return true;
	case PCI_SUBSYSTEM_VENDOR_ID:
		*v = PCI_VENDOR_ID_INTEL;
		return true;
	}
	if (pf && reg == m->iov + (PCI_SRIOV_VF_DID & ~3)) {
		*v = (m->pf_device + 1) << 16;
		return true;
	}
	return false;
}

static int masked_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	struct masked *m = find_bus(bus);
	u32 v;
	int ret;

	if (WARN_ON_ONCE(!m))
		return PCIBIOS_FUNC_NOT_SUPPORTED;
	ret = m->orig->read(bus, devfn, where, size, val);
	if (ret)
		return ret;
	/* nothing may answer at this devfn: leave the all-ones alone */
	if (where < 4 && devfn != m->devfn)
		return ret;
	if (identity(m, devfn, where & ~3, &v)) {
		v >>= 8 * (where & 3);
		if (size < 4)
			v &= (1U << 8 * size) - 1;
		*val = v;
	}
	return ret;
}

static int masked_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	struct masked *m = find_bus(bus);

	if (WARN_ON_ONCE(!m))
		return PCIBIOS_FUNC_NOT_SUPPORTED;
	return m->orig->write(bus, devfn, where, size, val);
}

/* Takes the PF off its bus, changes the accessors of the bus and finds the PF anew. */
static void reenumerate(struct masked *m, struct pci_ops *ops)
{
	struct pci_dev *pdev;

	pci_lock_rescan_remove();
	pdev = pci_get_slot(m->bus, m->devfn);
	if (pdev) {
		pci_stop_and_remove_bus_device(pdev);
		pci_dev_put(pdev);
	}
	pci_bus_set_ops(m->bus, ops);
	pci_rescan_bus(m->bus);
	pci_unlock_rescan_remove();
}

static void find_donors(void)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (!pci_match_id(donor_ids, pdev) || !pdev->is_physfn ||
		    !pci_is_pcie(pdev) || pci_is_root_bus(pdev->bus))
			continue;
		if (npfs == MAX_PFS) {
			pr_warn("more than %d donors: the others stay as they are\n", MAX_PFS);
			pci_dev_put(pdev);
			return;
		}
		pfs[npfs++] = (struct masked) {
			.bus = pdev->bus,
			.devfn = pdev->devfn,
			.iov = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_SRIOV),
			.orig = pdev->bus->ops,
			.ops = *pdev->bus->ops,
		};
	}
}

static const char *machine_ids(void)
{
	const struct dmi_device *dev = NULL;

	while ((dev = dmi_find_device(DMI_DEV_TYPE_OEM_STRING, NULL, dev)))
		if (!strncmp(dev->name, OEM_PREFIX, strlen(OEM_PREFIX)))
			return dev->name + strlen(OEM_PREFIX);
	return NULL;
}

/* Reads one hexadecimal id a donor from the machine's list. */
static int assign_ids(void)
{
	const char *list = machine_ids();
	char buf[8 * MAX_PFS], *rest = buf, *id;
	int i;

	if (!list || strscpy(buf, list, sizeof(buf)) < 0) {
		pr_err("no usable SMBIOS OEM string \"" OEM_PREFIX "ID+ID...\"\n");
		return -EINVAL;
	}
	for (i = 0; i < npfs; i++) {
		id = strsep(&rest, "+");
		if (!id || kstrtou16(id, 16, &pfs[i].pf_device)) {
			pr_err("\"%s%s\" does not name a PF device id for each of %d donors\n",
			       OEM_PREFIX, list, npfs);
			return -EINVAL;
		}
	}
	return 0;
}

static int __init qatlab_mask_init(void)
{
	struct masked *m;
	int ret;

	find_donors();
	if (!npfs) {
		pr_err("no SR-IOV capable donor (igb, nvme) below a root port\n");
		return -ENODEV;
	}
	ret = assign_ids();
	if (ret)
		return ret;
	for (m = pfs; m < pfs + npfs; m++) {
		m->ops.read = masked_read;
		m->ops.write = masked_write;
		reenumerate(m, &m->ops);
		pr_info("%s: PF 8086:%04x, VFs 8086:%04x\n", dev_name(&m->bus->dev),
			m->pf_device, m->pf_device + 1);
	}
	return 0;
}

static void __exit qatlab_mask_exit(void)
{
	struct masked *m;

	for (m = pfs; m < pfs + npfs; m++)
		reenumerate(m, m->orig);
	synchronize_rcu();
}

module_init(qatlab_mask_init);
module_exit(qatlab_mask_exit);
MODULE_DESCRIPTION("Shows emulated SR-IOV functions as Intel QAT (test labs only)");
MODULE_LICENSE("GPL");
