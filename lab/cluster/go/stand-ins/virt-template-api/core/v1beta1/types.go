// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Package v1beta1 stands in for kubevirt.io/virt-template-api/core/v1beta1: just enough of VirtualMachineTemplate
// for KubeVirt's export code to compile. The lab never serves or exports templates.
package v1beta1

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var GroupVersion = schema.GroupVersion{Group: "template.kubevirt.io", Version: "v1beta1"}

const ConditionReady = "Ready"

type Parameter struct {
	Name     string `json:"name"`
	Value    string `json:"value,omitempty"`
	Generate string `json:"generate,omitempty"`
	From     string `json:"from,omitempty"`
	Required bool   `json:"required,omitempty"`
}

type VirtualMachineTemplateSpec struct {
	VirtualMachine *runtime.RawExtension `json:"virtualMachine"`
	Parameters     []Parameter           `json:"parameters,omitempty"`
	Message        string                `json:"message,omitempty"`
}

type VirtualMachineTemplateStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

type VirtualMachineTemplate struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              VirtualMachineTemplateSpec   `json:"spec"`
	Status            VirtualMachineTemplateStatus `json:"status,omitempty"`
}

func (t *VirtualMachineTemplate) DeepCopy() *VirtualMachineTemplate {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	out := new(VirtualMachineTemplate)
	if err := json.Unmarshal(b, out); err != nil {
		panic(err)
	}
	return out
}

func (t *VirtualMachineTemplate) DeepCopyObject() runtime.Object { return t.DeepCopy() }
