# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab/cluster/pki.py: certificates and kubeconfigs of a cluster."""

from __future__ import annotations

import base64
import ipaddress
from pathlib import Path

import yaml
from cryptography import x509

from lab.cluster.control_plane import ControlPlane
from lab.cluster.pki import Pki
from lab.network import Network


class TestPki:
    def test_a_kubelet_is_a_client_and_a_server_of_the_clusters_own_authority(self, tmp_path: Path) -> None:
        plane = ControlPlane(tmp_path / "control-plane", Network(3))
        pair = plane.kubelet_pair("qat1", "10.90.3.10")
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(plane.pki.authority("ca").certificate.read_bytes())
        certificate.verify_directly_issued_by(authority)
        assert certificate.subject.rfc4514_string() == "CN=system:node:qat1,O=system:nodes"
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.90.3.10")]

    def test_keys_are_made_once_and_for_nobody_else_to_read(self, tmp_path: Path) -> None:
        pki = Pki(tmp_path)
        pair = pki.pair("admin", "admin", group="system:masters")
        content = pair.key.read_bytes()
        assert pki.pair("admin", "admin", group="system:masters").key.read_bytes() == content
        pki.signing_key()
        assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("*.key")} == {0o600}

    def test_a_kubeconfig_needs_no_other_file(self, tmp_path: Path) -> None:
        pki = Pki(tmp_path)
        config = yaml.safe_load(pki.kubeconfig(pki.pair("admin", "admin"), "https://10.90.3.1:6443"))
        (cluster,), (user,) = config["clusters"], config["users"]
        assert cluster["cluster"]["server"] == "https://10.90.3.1:6443"
        authority = pki.authority("ca").certificate.read_bytes()
        assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == authority
        assert base64.b64decode(user["user"]["client-key-data"]) == (tmp_path / "admin.key").read_bytes()
