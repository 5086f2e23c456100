#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# /init of the lab's test guest: prints the report of the collection's report.sh on the console every ten seconds.
mkdir -p /proc /sys /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
result=$(sh /report.sh)
while :; do
    echo "QATVIRT-RESULT $result" >/dev/console
    sleep 10
done
