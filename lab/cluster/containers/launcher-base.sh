#!/bin/sh
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# launcher-base.sh ROOT VIRTQEMUD: gives a Debian root file system the paths and ids that KubeVirt's code expects,
# and takes out what its containers never run.
set -eu
root=$1
virtqemud=$2

# Upstream's user of QEMU; fails where Debian gave the numbers to somebody else.
chroot "$root" groupadd -g 107 qemu
chroot "$root" useradd -u 107 -g 107 -d /home/qemu -s /bin/bash -m qemu
mkdir -p "$root/var/log/libvirt/qemu" "$root/var/lib/libvirt" "$root/var/cache/libvirt" "$root/etc/libvirt/hooks" \
    "$root/var/lib/kubevirt-node-labeller"
rm -f "$root/etc/libvirt/libvirtd.conf"
mkdir -p "$root/usr/lib/qatlab"
mv "$root/usr/sbin/libvirtd" "$root/usr/lib/qatlab/virtqemud"
install -m 755 "$virtqemud" "$root/usr/sbin/virtqemud"
# Relative: virt-handler goes through it from outside, by /proc/PID/root.
ln -sfn ../run "$root/var/run"

drop_package() { # removes a package's files; directories stay
    for list in "$root/var/lib/dpkg/info/$1.list" "$root/var/lib/dpkg/info/$1:amd64.list"; do
        if [ -e "$list" ]; then
            while read -r file; do
                if [ -L "$root$file" ] || [ ! -d "$root$file" ]; then rm -f "$root$file"; fi
            done <"$list"
        fi
    done
}

# Packages that others depend on for a service manager, a login or an installation, none of which a container has.
for package in adduser apt dbus-bin dbus-daemon dbus-session-bus-common dbus-system-bus-common debconf dpkg \
    gettext-base libpam-systemd libsystemd-shared login logrotate ncurses-bin openssl passwd perl-base polkitd \
    systemd systemd-container; do
    drop_package $package
done
# Emulators of other machines: libvirt would ask each of them for its abilities when it starts.
(cd "$root/usr/bin" && rm -f qemu-system-i386 qemu-system-x86_64-microvm qemu-io qemu-nbd qemu-pr-helper \
    qemu-vmsr-helper elf2dmp)
(cd "$root/usr/share/qemu" && rm -rf skiboot.lid openbios-* slof.bin u-boot* hppa-* palcode-* s390-* vof* npcm* \
    ./*.dtb QEMU,* opensbi-* trace-events-all linux-user-vdso.tar.gz)
(cd "$root/usr/share/qemu" && rm -f ./*-ne2k_pci.rom ./*-pcnet.rom ./*-eepro100.rom ./*-vmxnet3.rom)
# Character sets: the ones in use are part of the C library.
rm -rf "$root/usr/lib/x86_64-linux-gnu/gconv"
(cd "$root/usr/share" && rm -rf bash-completion bug doc info lintian locale man menu perl perl5 polkit-1 zsh)
(cd "$root/var" && rm -rf backups cache/apt cache/debconf cache/ldconfig lib/apt lib/dpkg lib/systemd log/apt \
    log/*.log log/journal log/README)
rm -rf "${root:?}"/dev/* "$root"/etc/apt "$root"/etc/cron* "$root"/etc/init.d "$root"/etc/rc?.d "$root"/etc/systemd
find "$root/usr/lib/systemd" -type d -empty -delete
