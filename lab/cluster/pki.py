# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, keys and kubeconfigs of a cluster, made once for each cluster and kept in one directory."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=365)
"""How long certificates are valid."""
SLACK = datetime.timedelta(hours=1)
"""How far the clock of a node may be behind that of the host."""


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its private key, in the files NAME.crt and NAME.key."""

    certificate: Path
    key: Path

    def exists(self) -> bool:
        return self.certificate.exists() and self.key.exists()


@dataclass(frozen=True)
class Pki:
    """The certificates and keys of one cluster in a directory; each is made when it is first asked for."""

    directory: Path

    def authority(self, name: str) -> KeyPair:
        """The key pair of a certificate authority, self-signed."""
        pair = self._pair(name)
        if not pair.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            subject = _name(f"qatvirt-lab-{name}")
            usage = _usage(key_cert_sign=True, crl_sign=True)
            builder = _certificate(subject, subject, key.public_key()).add_extension(
                x509.BasicConstraints(ca=True, path_length=None), critical=True
            )
            _save(pair, builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)
        return pair

    def pair(
        self, name: str, common_name: str, *, group: str = "", hosts: Sequence[str] = (), authority: str = "ca"
    ) -> KeyPair:
        """A key pair that serves as a client and as a server.

        common_name, group: user and group for RBAC. hosts: names and addresses of the server. authority: which
        certificate authority signs the certificate.
        """
        pair = self._pair(name)
        if not pair.exists():
            issuer = self.authority(authority)
            key = ec.generate_private_key(ec.SECP256R1())
            signer = x509.load_pem_x509_certificate(issuer.certificate.read_bytes())
            builder = (
                _certificate(_name(common_name, group), signer.subject, key.public_key())
                .add_extension(_usage(digital_signature=True), critical=True)
                .add_extension(
                    x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                    critical=False,
                )
            )
            if hosts:
                builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_host, hosts))), critical=False)
            signing = serialization.load_pem_private_key(issuer.key.read_bytes(), None)
            assert isinstance(signing, ec.EllipticCurvePrivateKey)
            _save(pair, builder.sign(signing, hashes.SHA256()), key)
        return pair

    def signing_key(self) -> Path:
        """The file of the private key that ServiceAccount tokens are signed with."""
        file = self.directory / "service-accounts.key"
        if not file.exists():
            _write(file, _private(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
        return file

    def kubeconfig(self, client: KeyPair, server: str) -> str:
        """The text of a kubeconfig that has certificates and key inline. server: URL of the API."""

        def inline(file: Path) -> str:
            return base64.b64encode(file.read_bytes()).decode()

        authority = inline(self.authority("ca").certificate)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [
                {
                    "name": client.key.stem,
                    "user": {
                        "client-certificate-data": inline(client.certificate),
                        "client-key-data": inline(client.key),
                    },
                }
            ],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": client.key.stem}}],
            "current-context": "lab",
        }
        return yaml.safe_dump(config, sort_keys=False)

    def _pair(self, name: str) -> KeyPair:
        return KeyPair(self.directory / f"{name}.crt", self.directory / f"{name}.key")


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + VALID)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str, group: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _save(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    _write(pair.key, _private(key))
    _write(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read. A write that is interrupted leaves no half file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.rename(file)
