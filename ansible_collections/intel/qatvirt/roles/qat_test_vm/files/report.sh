#!/bin/sh
# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Run in a guest, as root: prints one line of JSON that says which PCI functions the guest has, and whether its QAT
# functions do their work. Needs no more than a POSIX shell and readlink, also of busybox.
# QATVIRT_SYSFS and QATVIRT_PROC: where to look instead of /sys and /proc.
sysfs=${QATVIRT_SYSFS:-/sys}
proc=${QATVIRT_PROC:-/proc}
seconds=60 # that cpa_sample_code may take

plain() { # TEXT...: one line without what JSON would have to escape
    printf '%s' "$*" | tr '\n\t' '  ' | tr -cd '\40-\176' | tr -d '"\134'
}

pci='' comma=''
functions='' drivers='' # of QAT: vendor:device, and the driver of each ("none" without one)

look() { # DIRECTORY: one PCI device
    read -r vendor <"$1/vendor"
    read -r device <"$1/device"
    read -r class <"$1/class"
    if driver=$(readlink "$1/driver"); then
        driver=${driver##*/}
        shown="\"$driver\""
    else
        driver=none
        shown=null
    fi
    pci="$pci$comma{\"slot\":\"${1##*/}\",\"vendor\":\"$vendor\",\"device\":\"$device\",\"class\":\"$class\",\"driver\":$shown}"
    comma=,
    case $vendor:$class in
    0x8086:0x0b40*)
        functions="$functions ${vendor#0x}:${device#0x}"
        drivers="$drivers $driver"
        ;;
    esac
}

bound() { # PATTERN: the first driver of a QAT function that is like it
    for driver in $drivers; do
        # shellcheck disable=SC2254  # it is a pattern
        case $driver in $1)
            echo "$driver"
            return
            ;;
        esac
    done
    return 1
}

crypto() { # what QAT drivers offer the kernel
    [ -r "$proc/crypto" ] || return
    names=''
    while read -r key _ value; do
        case $key:$value in driver:qat[_-]*) names="$names $value" ;; esac
    done <"$proc/crypto"
    echo "${names# }"
}

verdict() { # VERDICT REASON...
    verdict=$1
    shift
    reason=$(plain "$@")
}

sample() { # the user space way: Intel's own sample, on functions that vfio-pci has
    if said=$(timeout "$seconds" cpa_sample_code signOfLife=1 2>&1); then
        verdict pass "cpa_sample_code ran to its end on the functions on vfio-pci"
    else
        verdict fail "cpa_sample_code failed with exit code $? (124: after $seconds seconds): ...$(plain "$said" | tail -c 200)"
    fi
}

judge() {
    kernel_driver=$(bound '*vf')
    if [ -z "$functions" ]; then
        verdict impossible "the guest has no QAT function"
    elif [ -n "$kernel_driver" ] && [ -n "$(crypto)" ]; then
        verdict pass "driver $kernel_driver has the function, and the kernel offers $(crypto)"
    elif bound vfio-pci >/dev/null && command -v cpa_sample_code >/dev/null; then
        sample
    else
        case $kernel_driver in
        c6xxvf | c3xxxvf | dh895xccvf)
            verdict fail "driver $kernel_driver has the function, but /proc/crypto lists nothing of QAT; see dmesg in the guest"
            ;;
        ?*)
            verdict impossible "driver $kernel_driver has the function, but it offers the kernel nothing (builds without LKCF do not)" \
                "and there is no cpa_sample_code to try it from user space"
            ;;
        *)
            verdict impossible "functions$functions are on driver$drivers; the guest has no kernel driver for them," \
                "and not both cpa_sample_code (qatlib) and vfio-pci with an IOMMU or unsafe no-IOMMU mode"
            ;;
        esac
    fi
}

for directory in "$sysfs"/bus/pci/devices/*; do
    if [ -d "$directory" ]; then look "$directory"; fi
done
judge
read -r uptime _ <"$proc/uptime"
read -r release <"$proc/sys/kernel/osrelease"
printf '{"uptime":%s,"kernel":"%s","pci":[%s],"functional":{"verdict":"%s","reason":"%s"}}\n' \
    "$uptime" "$(plain "$release")" "$pci" "$verdict" "$reason"
