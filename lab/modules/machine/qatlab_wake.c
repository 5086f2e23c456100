// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-2.0-only
/*
 * qatlab_wake - run a program when this machine wakes up as a copy of a
 * snapshot.  FOR TEST LABS ONLY.
 *
 * The kernel learns of that through the VM generation id device, and tells its
 * own parts (drivers/char/random.c), but up to Linux 6.12 not user space.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/umh.h>

static int qatlab_woke_up(struct notifier_block *nb, unsigned long action, void *data)
{
	static char *argv[] = { "/usr/lib/qatlab/identity", NULL };
	static char *envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	call_usermodehelper(argv[0], argv, envp, UMH_NO_WAIT);
	return NOTIFY_DONE;
}

static struct notifier_block qatlab_notifier = { .notifier_call = qatlab_woke_up };

static int __init qatlab_wake_init(void)
{
	return register_random_vmfork_notifier(&qatlab_notifier);
}

static void __exit qatlab_wake_exit(void)
{
	unregister_random_vmfork_notifier(&qatlab_notifier);
}

module_init(qatlab_wake_init);
module_exit(qatlab_wake_exit);
MODULE_DESCRIPTION("Gives a copied lab machine its own identity (test labs only)");
MODULE_LICENSE("GPL");
