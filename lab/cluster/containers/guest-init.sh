#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# /init of the lab's test guest: says on the console which PCI devices the guest sees, again every ten seconds.
# Started as anything but init it only prints the report's JSON; QATVIRT_SYSFS is then where to look.
b=/bin/busybox
sysfs=${QATVIRT_SYSFS:-/sys}

device() { # DIRECTORY: one PCI device
    read -r vendor <"$1/vendor"
    read -r id <"$1/device"
    read -r class <"$1/class"
    driver=null
    if link=$($b readlink "$1/driver"); then driver="\"${link##*/}\""; fi
    printf '{"slot":"%s","vendor":"%s","device":"%s","class":"%s","driver":%s}' \
        "${1##*/}" "$vendor" "$id" "$class" "$driver"
}

devices() { # all PCI devices, with commas between them
    comma=
    for directory in "$sysfs"/bus/pci/devices/*; do
        if [ -d "$directory" ]; then
            printf '%s' "$comma"
            device "$directory"
            comma=,
        fi
    done
}

report() {
    read -r uptime _ </proc/uptime
    printf '{"uptime":%s,"pci":[%s]}\n' "$uptime" "$(devices)"
}

if [ $$ != 1 ]; then
    report
    exit
fi
$b mkdir -p /proc /sys /dev
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
while :; do
    echo "QATVIRT-RESULT $(report)" >/dev/console
    $b sleep 10
done
