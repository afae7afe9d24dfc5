"""The cluster's certificate authority, certificates and kubeconfigs; made once, renewed in time."""

from __future__ import annotations

import base64
import ipaddress
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from embedded.ports import LOOPBACK

_LIFE = timedelta(days=365)
_RENEW_BEFORE = timedelta(days=30)
_BACKDATE = timedelta(minutes=5)  # a clock set back by a little must not stop the cluster
_ADMINS = "system:masters"


class Pki:
    """Key pairs in one folder: `NAME.crt` and `NAME.key`, the authority's being `ca`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._authority()

    def certificate(self, name: str) -> Path:
        return self._folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self._folder / f"{name}.key"

    @property
    def ca(self) -> Path:
        return self.certificate("ca")

    @property
    def ca_base64(self) -> str:
        """The authority as the API's `caBundle` wants it."""
        return base64.b64encode(self.ca.read_bytes()).decode()

    def server(self, name: str, *, hosts: tuple[str, ...] = ()) -> None:
        """Make sure of a pair that serves on the loopback and under the given host names."""
        self._pair(name, _subject(name), (*hosts, "localhost"))

    def client(self, name: str) -> None:
        """Make sure of a pair with which `name` signs in as an administrator of the cluster."""
        self._pair(name, _subject(name, _ADMINS), ())

    def signing_key(self, name: str) -> None:
        """Make sure of a bare key pair, for tokens: the public half stands in `NAME.crt`."""
        if not self.key(name).exists():
            key = ec.generate_private_key(ec.SECP256R1())
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            write_private(self.certificate(name), public)
            write_private(self.key(name), _pem(key))

    def kubeconfig(self, file: Path, *, server: str, user: str) -> None:
        """Write a kubeconfig for a client of that name; it holds the key, so only its owner may read it."""
        self.client(user)
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "embedded",
            "clusters": [
                {
                    "name": "embedded",
                    "cluster": {"server": server, "certificate-authority-data": self.ca_base64},
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": _base64(self.certificate(user)),
                        "client-key-data": _base64(self.key(user)),
                    },
                }
            ],
            "contexts": [{"name": "embedded", "context": {"cluster": "embedded", "user": user}}],
        }
        write_private(file, json.dumps(content, indent=1).encode())

    def _authority(self) -> None:
        if _expires_soon(self.ca) or not self.key("ca").exists():
            for old in self._folder.iterdir():
                old.unlink()
            key = ec.generate_private_key(ec.SECP256R1())
            name = _subject("onprem-coding-agents embedded cluster")
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = (
                _builder(name, name, key)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(usage, critical=True)
            )
            write_private(self.key("ca"), _pem(key))
            write_private(
                self.ca, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            )

    def _pair(self, name: str, subject: x509.Name, hosts: tuple[str, ...]) -> None:
        if not _expires_soon(self.certificate(name)) and self.key(name).exists():
            return
        ca_key = serialization.load_pem_private_key(self.key("ca").read_bytes(), None)
        if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self.key('ca')} is not a key of this cluster")
        ca = x509.load_pem_x509_certificate(self.ca.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, ca.subject, key).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        if hosts:
            names = [x509.IPAddress(ipaddress.ip_address(LOOPBACK)), *(x509.DNSName(host) for host in hosts)]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        write_private(self.key(name), _pem(key))
        certificate = builder.sign(ca_key, hashes.SHA256())
        write_private(self.certificate(name), certificate.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + _LIFE)
    )


def _subject(name: str, group: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _expires_soon(certificate: Path) -> bool:
    if not certificate.exists():
        return True
    try:
        end = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except ValueError:
        return True
    return end - datetime.now(UTC) < _RENEW_BEFORE


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read, unless it holds just that: some programs watch theirs."""
    if file.exists() and file.read_bytes() == content:
        return
    draft = file.with_name(file.name + ".new")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(file)


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
