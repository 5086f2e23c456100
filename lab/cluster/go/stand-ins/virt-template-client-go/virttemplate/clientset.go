// SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Package virttemplate stands in for kubevirt.io/virt-template-client-go/virttemplate: a bare REST client for the
// template group, which KubeVirt's informer factory asks for.
package virttemplate

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

type Clientset struct{ c rest.Interface }

func NewForConfig(c *rest.Config) (*Clientset, error) {
	cfg := rest.CopyConfig(c)
	cfg.APIPath = "/apis"
	cfg.GroupVersion = &schema.GroupVersion{Group: "template.kubevirt.io", Version: "v1beta1"}
	cfg.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	rc, err := rest.RESTClientFor(cfg)
	if err != nil {
		return nil, err
	}
	return &Clientset{rc}, nil
}

func (c *Clientset) TemplateV1beta1() *Clientset { return c }
func (c *Clientset) RESTClient() rest.Interface  { return c.c }
