// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Package definitions: the validator of KubeVirt's objects, made beside what a program does and not before it.
//
// Upstream makes it while the package is initialized: ten seconds of a real processor, three to four minutes of an
// emulated one, in virt-operator, in its job, and in virt-api, before any of them begins its work.
package definitions

import (
	"os"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"kubevirt.io/kubevirt/pkg/util/openapi"
)

// Validator has upstream's methods. Who asks before it is made waits.
var Validator = validator{sync.OnceValue(func() *openapi.Validator {
	return openapi.CreateOpenAPIValidator(ComposeAPIDefinitions())
})}

type validator struct{ made func() *openapi.Validator }

func init() {
	// The job validates nothing.
	if !slices.Contains(os.Args, "--dump-install-strategy") {
		go Validator.made()
	}
}

func (v validator) Validate(gvk schema.GroupVersionKind, object map[string]interface{}) []error {
	return v.made().Validate(gvk, object)
}

func (v validator) ValidateStatus(gvk schema.GroupVersionKind, object map[string]interface{}) []error {
	return v.made().ValidateStatus(gvk, object)
}
