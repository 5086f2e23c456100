# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Kubernetes cluster on the lab's nodes: see README.md here.

profiles                               which releases a cluster is made of
site_variables                         pure: the variables of a cluster's inventory
programs, oci, images, node_image      what is built, each cached by a hash of what it is made from
pki, manifests                         what is written for a cluster: certificates and kubeconfigs; what is applied
registry, control_plane, join          what runs: images for nodes, the API, and nodes that join it
saved_cluster                          a whole cluster on disk, as of one moment
"""
