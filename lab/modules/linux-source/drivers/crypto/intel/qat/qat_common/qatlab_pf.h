/* SPDX-FileCopyrightText: 2026 The intel.qatvirt authors */
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the PF drivers of Intel QAT.  FOR TEST LABS ONLY.
 *
 * Binds a PF under the name of the real driver and offers the interface
 * described in Documentation/ABI/testing/{sysfs,debugfs}-driver-qat, with the
 * rules of qat_common/{adf_sysfs,adf_sriov,adf_init,adf_cfg_services}.c as read
 * in Linux 6.1.192, 6.12.95 and 7.3.4.  There is no accelerator behind it.
 *
 * Each driver module includes this file once, after it has defined LAB_DRIVER:
 * unlike with the real drivers there is no common module, so qat_devN is
 * counted by driver.
 */
#ifndef QATLAB_PF_H
#define QATLAB_PF_H

#include <linux/bitops.h>
#include <linux/debugfs.h>
#include <linux/firmware.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <linux/seq_file.h>
#include <linux/sysfs.h>

#define RING_PAIRS	64
#define NO_RING		UINT_MAX
#define MAX_SERVICES	32	/* characters of a services string */

/* Bit order is the order in which new kernels print services. */
enum { ASYM, SYM, DC, DECOMP, DCC, SERVICES };
static const char * const service_names[SERVICES] = { "asym", "sym", "dc", "decomp", "dcc" };

struct lab_family {
	const char *firmware;
	bool has_sysfs;			/* the group qat/ is there from gen4 on */
	u8 services;			/* bit mask of what it knows */
	u8 max_services;		/* how many of them at a time */
};

#define LAB_FAMILY_GEN2(fw) { .firmware = (fw) }
#define LAB_FAMILY_GEN4(fw) { .firmware = (fw), .has_sysfs = true, .max_services = 2, \
			      .services = BIT(ASYM) | BIT(SYM) | BIT(DC) | BIT(DCC) }
#define LAB_FAMILY_GEN6(fw) { .firmware = (fw), .has_sysfs = true, .max_services = 3, \
			      .services = BIT(ASYM) | BIT(SYM) | BIT(DC) | BIT(DECOMP) | BIT(DCC) }
#define LAB_ID(dev, family) \
	PCI_VDEVICE(INTEL, dev), .driver_data = (kernel_ulong_t)&(family)

/* ---- knobs: /sys/module/<module>/parameters; a bit N speaks of qat_devN ---- */

static unsigned int fail_up;
module_param(fail_up, uint, 0644);
MODULE_PARM_DESC(fail_up, "bit mask: bringing the device up fails with EFAULT");

static unsigned int fail_up_times;
module_param(fail_up_times, uint, 0644);
MODULE_PARM_DESC(fail_up_times, "after so many failures fail_up clears itself (0: never)");

static unsigned int busy;
module_param(busy, uint, 0644);
MODULE_PARM_DESC(busy, "bit mask: in use by the kernel's own crypto or compression");

static unsigned int dead;
module_param(dead, uint, 0644);
MODULE_PARM_DESC(dead, "bit mask: heartbeat status reads -1");

enum { COMPAT_6_1, COMPAT_6_12, COMPAT_7_X };
static const char * const compat_names[] = { "6.1", "6.12", "7.x" };
static int compat = COMPAT_6_12;

static int compat_set(const char *val, const struct kernel_param *kp)
{
	int i = __sysfs_match_string(compat_names, ARRAY_SIZE(compat_names), val);

	if (i < 0)
		return i;
	WRITE_ONCE(compat, i);
	return 0;
}

static int compat_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", compat_names[READ_ONCE(compat)]);
}

static const struct kernel_param_ops compat_ops = { .set = compat_set, .get = compat_get };
module_param_cb(compat, &compat_ops, NULL, 0644);
MODULE_PARM_DESC(compat, "behave as the drivers of Linux 6.1, 6.12 (default) or 7.x");

/* ---- the device ---- */

struct qat {
	struct pci_dev *pdev;
	const struct lab_family *family;
	struct dentry *debugfs;
	struct mutex lock;		/* state, services and VFs */
	unsigned int id, ring;
	char services[MAX_SERVICES];
	bool up, vfs, pm_idle, auto_reset;
};

static DEFINE_IDA(lab_ida);

static struct qat *to_qat(struct device *dev)
{
	return pci_get_drvdata(to_pci_dev(dev));
}

static bool is_busy(const struct qat *q)
{
	return READ_ONCE(busy) & BIT(q->id);
}

/* ---- debugfs: qat_<driver>_<address>/heartbeat/status, there while up ---- */

static int heartbeat_show(struct seq_file *s, void *unused)
{
	const struct qat *q = s->private;

	seq_printf(s, "%d\n", READ_ONCE(dead) & BIT(q->id) ? -1 : 0);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(heartbeat);

static void debugfs_add(struct qat *q)
{
	char name[64];

	snprintf(name, sizeof(name), "qat_" LAB_DRIVER "_%s", pci_name(q->pdev));
	q->debugfs = debugfs_create_dir(name, NULL);
	debugfs_create_file("status", 0400, debugfs_create_dir("heartbeat", q->debugfs), q,
			    &heartbeat_fops);
}

/* ---- up and down ---- */

static int load_firmware(struct qat *q, const char *suffix, const char *what)
{
	const struct firmware *fw;
	char name[48];

	snprintf(name, sizeof(name), "%s%s.bin", q->family->firmware, suffix);
	if (request_firmware(&fw, name, &q->pdev->dev)) {
		dev_err(&q->pdev->dev, "Failed to load %s firmware %s\n", what, name);
		return -EFAULT;
	}
	release_firmware(fw);
	return 0;
}

static bool injected_failure(struct qat *q)
{
	if (!(fail_up & BIT(q->id)))
		return false;
	if (fail_up_times && !--fail_up_times)
		fail_up = 0;
	dev_err(&q->pdev->dev, "qat_dev%u does not answer (injected failure)\n", q->id);
	return true;
}

static int qat_up(struct qat *q)
{
	int ret;

	lockdep_assert_held(&q->lock);
	ret = load_firmware(q, "_mmp", "MMP") ?: load_firmware(q, "", "UOF");
	if (!ret && injected_failure(q))
		ret = -EFAULT;
	if (ret) {
		dev_err(&q->pdev->dev, "Failed to start qat_dev%u\n", q->id);
		return ret;
	}
	debugfs_add(q);
	q->up = true;
	return 0;
}

/* Takes the VFs away, too: so does the real driver (adf_dev_stop, disable_iov). */
static void qat_down(struct qat *q)
{
	lockdep_assert_held(&q->lock);
	if (q->vfs) {
		pci_disable_sriov(q->pdev);
		q->vfs = false;
	}
	if (q->up) {
		debugfs_remove(q->debugfs);
		q->up = false;
	}
}

/* ---- services ---- */

/* What Linux 6.1 and 6.12 take and keep, letter by letter; 6.1 knows the first two. */
static const char * const literal_services[] = {
	"sym;asym", "dc", "asym;sym", "dcc", "sym", "asym", "dc;asym", "asym;dc", "dc;sym", "sym;dc",
};

static int service_mask(const char *list)
{
	char copy[MAX_SERVICES], *rest = copy, *word;
	unsigned int mask = 0;
	int i;

	strscpy(copy, list, sizeof(copy));
	while ((word = strsep(&rest, ";"))) {
		i = match_string(service_names, SERVICES, word);
		if (i < 0 || mask & BIT(i))
			return -EINVAL;
		mask |= BIT(i);
	}
	return mask;
}

/* The rule of the parser in Linux 7.x: any order, no duplicates, dcc only alone. */
static bool services_allowed(const struct lab_family *family, unsigned int mask)
{
	if (mask & ~family->services)
		return false;
	return mask == BIT(DCC) || (!(mask & BIT(DCC)) && hweight32(mask) <= family->max_services);
}

static void print_services(unsigned int mask, char *out)
{
	unsigned int i, n = 0;

	for (i = 0; i < SERVICES; i++)
		if (mask & BIT(i))
			n += scnprintf(out + n, MAX_SERVICES - n, "%s%s", n ? ";" : "",
				       service_names[i]);
}

/* Checks what was written and gives it as it will be read back. */
static int parse_services(const struct lab_family *family, const char *buf, char *out)
{
	unsigned int known = READ_ONCE(compat) == COMPAT_6_1 ? 2 : ARRAY_SIZE(literal_services);
	int i;

	/* gen6 came after the parser: it has no older behaviour */
	if (READ_ONCE(compat) != COMPAT_7_X && !(family->services & BIT(DECOMP))) {
		i = __sysfs_match_string(literal_services, known, buf);
		if (i < 0)
			return i;
		strscpy(out, literal_services[i], MAX_SERVICES);
		return 0;
	}
	if (strscpy(out, buf, MAX_SERVICES) < 0)
		return -EINVAL;
	i = service_mask(strim(out));
	if (i < 0 || !services_allowed(family, i))
		return -EINVAL;
	print_services(i, out);
	return 0;
}

/* ---- sysfs ---- */

static ssize_t state_show(struct device *dev, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_qat(dev)->up ? "up" : "down");
}

static ssize_t state_store(struct device *dev, struct device_attribute *a, const char *buf,
			   size_t n)
{
	struct qat *q = to_qat(dev);
	int ret = 0;

	if (is_busy(q)) {
		dev_info(dev, "Device qat_dev%u is busy\n", q->id);
		return -EBUSY;
	}
	guard(mutex)(&q->lock);
	if (sysfs_streq(buf, "up")) {
		if (!q->up)
			ret = qat_up(q);
	} else if (sysfs_streq(buf, "down")) {
		if (!q->up && READ_ONCE(compat) == COMPAT_6_1)
			ret = -EINVAL;
		qat_down(q);
	} else {
		ret = -EINVAL;
	}
	return ret ?: n;
}
static DEVICE_ATTR_RW(state);

static ssize_t cfg_services_show(struct device *dev, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_qat(dev)->services);
}

static ssize_t cfg_services_store(struct device *dev, struct device_attribute *a, const char *buf,
				  size_t n)
{
	struct qat *q = to_qat(dev);
	char services[MAX_SERVICES];
	int ret = parse_services(q->family, buf, services);

	if (ret)
		return ret;
	guard(mutex)(&q->lock);
	if (q->up) {
		dev_info(dev, "Device qat_dev%u must be down to reconfigure the service.\n", q->id);
		return -EINVAL;
	}
	strscpy(q->services, services, sizeof(q->services));
	return n;
}
static DEVICE_ATTR_RW(cfg_services);

static ssize_t pm_idle_enabled_show(struct device *dev, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_qat(dev)->pm_idle);
}

static ssize_t pm_idle_enabled_store(struct device *dev, struct device_attribute *a,
				     const char *buf, size_t n)
{
	struct qat *q = to_qat(dev);
	bool on;
	int ret = kstrtobool(buf, &on);

	if (ret)
		return ret;
	guard(mutex)(&q->lock);
	if (q->up) {
		dev_info(dev, "Device qat_dev%u must be down to set pm_idle_enabled.\n", q->id);
		return -EINVAL;
	}
	q->pm_idle = on;
	return n;
}
static DEVICE_ATTR_RW(pm_idle_enabled);

static ssize_t auto_reset_show(struct device *dev, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_qat(dev)->auto_reset ? "on" : "off");
}

static ssize_t auto_reset_store(struct device *dev, struct device_attribute *a, const char *buf,
				size_t n)
{
	return kstrtobool(buf, &to_qat(dev)->auto_reset) ?: n;
}
static DEVICE_ATTR_RW(auto_reset);

/* The lab deals the services out to the ring pairs in turn; real families have their own maps. */
static ssize_t rp2srv_show(struct device *dev, struct device_attribute *a, char *buf)
{
	struct qat *q = to_qat(dev);
	int mask = service_mask(q->services), i;
	unsigned int turn;

	if (q->ring == NO_RING)
		return -EINVAL;
	turn = q->ring % hweight32(mask);
	for (i = 0; i < SERVICES; i++)
		if (mask & BIT(i) && !turn--)
			break;
	return sysfs_emit(buf, "%s\n", i == DCC ? "dc" : service_names[i]);
}

static ssize_t rp2srv_store(struct device *dev, struct device_attribute *a, const char *buf,
			    size_t n)
{
	unsigned int ring;
	int ret = kstrtouint(buf, 10, &ring);

	if (ret)
		return ret;
	if (ring >= RING_PAIRS)
		return -EINVAL;
	to_qat(dev)->ring = ring;
	return n;
}
static DEVICE_ATTR_RW(rp2srv);

static ssize_t num_rps_show(struct device *dev, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%u\n", RING_PAIRS);
}
static DEVICE_ATTR_RO(num_rps);

static struct attribute *qat_attrs[] = {
	&dev_attr_state.attr, &dev_attr_cfg_services.attr, &dev_attr_pm_idle_enabled.attr,
	&dev_attr_auto_reset.attr, &dev_attr_rp2srv.attr, &dev_attr_num_rps.attr, NULL
};

/* Linux 6.1 has state and cfg_services only. */
static umode_t qat_attr_visible(struct kobject *kobj, struct attribute *a, int n)
{
	return n < 2 || READ_ONCE(compat) != COMPAT_6_1 ? a->mode : 0;
}

/* No group at all for gen2, rather than an empty one. */
static bool qat_group_visible(struct kobject *kobj)
{
	return to_qat(kobj_to_dev(kobj))->family->has_sysfs;
}
DEFINE_SYSFS_GROUP_VISIBLE(qat);

static const struct attribute_group qat_group = {
	.name = "qat", .attrs = qat_attrs, .is_visible = SYSFS_GROUP_VISIBLE(qat),
};
static const struct attribute_group *qat_groups[] = { &qat_group, NULL };

/* ---- SR-IOV ---- */

static int vfs_off(struct qat *q)
{
	if (is_busy(q)) {
		dev_err(&q->pdev->dev, "Cannot disable SR-IOV, device in use\n");
		return -EBUSY;
	}
	qat_down(q);
	return qat_up(q);
}

/* All VFs or none: ring pairs are dealt out among all of them. */
static int vfs_on(struct qat *q)
{
	int total = pci_sriov_get_totalvfs(q->pdev), ret;

	if (q->up && is_busy(q)) {
		dev_err(&q->pdev->dev, "Device busy\n");
		return -EBUSY;
	}
	qat_down(q);
	ret = qat_up(q);
	if (ret)
		return ret;
	ret = pci_enable_sriov(q->pdev, total);
	if (ret) {
		qat_down(q);
		return ret;
	}
	q->vfs = true;
	return total;
}

static int qat_sriov_configure(struct pci_dev *pdev, int numvfs)
{
	struct qat *q = pci_get_drvdata(pdev);
	int ret;

	guard(mutex)(&q->lock);
	if (!device_iommu_mapped(&pdev->dev)) {
		dev_warn(&pdev->dev, "IOMMU should be enabled for SR-IOV to work correctly\n");
		if (numvfs && READ_ONCE(compat) == COMPAT_7_X)
			return -EINVAL;
	}
	if (q->vfs && READ_ONCE(compat) == COMPAT_6_1) {
		dev_info(&pdev->dev, "Already enabled for this device\n");
		return -EINVAL;
	}
	if (!numvfs)
		return vfs_off(q);
	ret = vfs_on(q);
	return ret > 0 && READ_ONCE(compat) == COMPAT_6_1 ? numvfs : ret;
}

/* ---- probe and remove ---- */

static int qat_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct qat *q = devm_kzalloc(&pdev->dev, sizeof(*q), GFP_KERNEL);
	int ret;

	if (!q)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = ida_alloc_max(&lab_ida, 31, GFP_KERNEL);
	if (ret < 0)
		return ret;
	q->id = ret;
	q->pdev = pdev;
	q->family = (const struct lab_family *)id->driver_data;
	q->ring = NO_RING;
	q->pm_idle = true;
	strscpy(q->services, q->id % 2 ? "dc" : "sym;asym", sizeof(q->services));
	mutex_init(&q->lock);
	pci_set_drvdata(pdev, q);
	pci_set_master(pdev);
	scoped_guard(mutex, &q->lock)
		ret = qat_up(q);
	if (ret)
		ida_free(&lab_ida, q->id);
	return ret;
}

static void qat_remove(struct pci_dev *pdev)
{
	struct qat *q = pci_get_drvdata(pdev);

	scoped_guard(mutex, &q->lock)
		qat_down(q);
	ida_free(&lab_ida, q->id);
}

#define LAB_PF_DRIVER(table)					\
MODULE_DEVICE_TABLE(pci, table);				\
static struct pci_driver qat_driver = {				\
	.name = LAB_DRIVER,					\
	.id_table = table,					\
	.probe = qat_probe,					\
	.remove = qat_remove,					\
	.sriov_configure = qat_sriov_configure,			\
	.dev_groups = qat_groups,				\
};								\
module_pci_driver(qat_driver);					\
MODULE_DESCRIPTION("Stand-in for the Intel QAT " LAB_DRIVER " PF driver (test labs only)"); \
MODULE_VERSION("lab");						\
MODULE_LICENSE("GPL")

#endif
