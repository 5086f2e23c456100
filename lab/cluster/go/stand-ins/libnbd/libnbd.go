// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Package libnbd stands in for the Go binding of libnbd, which no module proxy serves. Only the backup service of
// virt-launcher calls it; the lab makes no backups, and every call says so.
package libnbd

import "errors"

var errUnavailable = errors.New("libnbd is not built into the lab's virt-launcher")

// Untyped: KubeVirt 1.8 and 1.9 use them as different types.
const (
	CONTEXT_BASE_ALLOCATION   = "base:allocation"
	CONTEXT_QEMU_DIRTY_BITMAP = "qemu:dirty-bitmap:"
	STATE_HOLE                = 1
	STATE_ZERO                = 2
	STATE_DIRTY               = 1
)

type (
	Libnbd       struct{}
	LibnbdExtent struct{ Length, Flags uint64 }

	ExtentCallback       func(metacontext string, offset uint64, entries []LibnbdExtent, err *int) int
	BlockStatus64Optargs struct{}
	PreadOptargs         struct{}
)

func Create() (*Libnbd, error)                            { return nil, errUnavailable }
func (*Libnbd) Close() error                              { return errUnavailable }
func (*Libnbd) AddMetaContext(string) error               { return errUnavailable }
func (*Libnbd) CanMetaContext(string) (bool, error)       { return false, errUnavailable }
func (*Libnbd) SetExportName(string) error                { return errUnavailable }
func (*Libnbd) ConnectUri(string) error                   { return errUnavailable }
func (*Libnbd) ConnectUnix(string) error                  { return errUnavailable }
func (*Libnbd) GetSize() (uint64, error)                  { return 0, errUnavailable }
func (*Libnbd) Pread([]byte, uint64, *PreadOptargs) error { return errUnavailable }
func (*Libnbd) BlockStatus64(uint64, uint64, ExtentCallback, *BlockStatus64Optargs) error {
	return errUnavailable
}
