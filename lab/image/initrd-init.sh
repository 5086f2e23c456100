#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# /init of the two-megabyte initramfs that nodes started without a boot loader use.
b=/bin/busybox
$b mount -t devtmpfs d /dev
$b insmod /virtio_blk.ko
while [ ! -b /dev/vda ]; do $b sleep 0.05; done
$b mount -t ext4 -o noatime /dev/vda /mnt
$b umount /dev
exec $b switch_root /mnt /sbin/init
