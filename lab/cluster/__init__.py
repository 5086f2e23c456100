# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Kubernetes cluster on the lab's nodes: see README.md here.

programs, oci, images, node_image   what is built, each cached by a hash of what it is made from
addresses, pki, manifests           pure: text from names and numbers
control_plane, join, cluster        what runs
"""
