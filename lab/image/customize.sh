#!/bin/sh
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# customize.sh ROOT MODULES: turns an unpacked Debian root file system into a lab node's.
set -eu
root=$1
modules=$2
release=$(ls "$root/lib/modules")
qat=drivers/crypto/intel/qat

in_root() { chroot "$root" "$@"; }

# Never checked at boot: a repaired root file system would reboot the node once more.
echo '/dev/vda / ext4 noatime 0 0' >"$root/etc/fstab"
in_root passwd -d root >/dev/null
in_root systemctl --quiet enable qatlab-identity.service
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf"
# Nothing that starts by itself in the middle of a test, and no console to log in.
in_root systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer systemd-timesyncd.service serial-getty@ttyS0.service getty@tty1.service \
    systemd-random-seed.service systemd-pstore.service systemd-update-done.service

# The emulated hardware: always there.
mkdir -p "$root/tmp/build"
cp -r "$modules/machine" "$modules/linux-source" "$root/tmp/build/"
build() { in_root make --silent -C "/lib/modules/$release/build" "$@" modules; }
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
build M=/tmp/build/machine
install -D -m 644 -t "$root/lib/modules/$release/updates" "$root"/tmp/build/machine/*.ko

# The driver stand-in: as source, the way a distribution ships a kernel's, …
tar -C "$root/tmp/build" --sort=name --owner=0 --group=0 -cJf "$root/usr/src/qatlab-kernel-source.tar.xz" linux-source
# … and prebuilt, out of the way of modprobe (install-driver puts it there).
for driver in 4xxx:4XXX 420xx:420XX 6xxx:6XXX c62x:C62X; do
    build "M=/tmp/build/linux-source/$qat/qat_${driver%:*}" "CONFIG_CRYPTO_DEV_QAT_${driver#*:}=m" \
        "KCFLAGS=-I/tmp/build/linux-source/$qat/qat_common -Wall -Werror"
    install -D -m 644 -t "$root/usr/lib/qatlab/$release" \
        "$root/tmp/build/linux-source/$qat/qat_${driver%:*}/qat_${driver%:*}.ko"
done
for firmware in qat_4xxx qat_402xx qat_420xx qat_6xxx qat_c62x; do
    mkdir -p "$root/lib/firmware"
    echo 'no firmware, only a file of its name' | tee "$root/lib/firmware/$firmware.bin" >"$root/lib/firmware/${firmware}_mmp.bin"
done
rm -r "$root/tmp/build"
in_root depmod "$release"
