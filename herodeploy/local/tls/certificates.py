"""The certificates of one platform: an authority that can vouch for this platform and nothing else.

The authority's key is thrown away once it has signed the platform's certificate, and its name constraints forbid it any
other host; so whoever trusts it trusts nobody but this platform.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from herodeploy.local import disk

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

KOLKRABBI = "kolkrabbi.heroku.com"
"""The host of Heroku's GitHub side, whose name is fixed in the Heroku CLI."""
GITHUB = "api.github.com"
"""The host that the Heroku CLI asks what lies between two commits; its name is fixed there, too."""
NAMES = (KOLKRABBI, GITHUB, "localhost")
ADDRESS = ipaddress.IPv4Network("127.0.0.1/32")
LIFE = timedelta(days=397)
LEFT = timedelta(days=30)
"""Certificates that last no longer than this are made anew."""


class TlsUnavailable(Exception):
    """The package that makes certificates is not installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Material:
    """Files of one folder: who trusts `authority` can talk TLS with who holds `certificate` and `key`."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Certificate of the authority, for clients."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """Certificate of the platform, with the authority's behind it."""
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        """Key of the platform; nobody but its owner may read it."""
        return self.folder / "key.pem"

    @property
    def is_there(self) -> bool:
        """Whether it has been made."""
        return self.authority.exists() and self.certificate.exists() and self.key.exists()

    def context(self) -> ssl.SSLContext:
        """Return what serves TLS with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def ensure(folder: Path) -> Material:
    """Return the certificates of a folder, made where they are missing, about to expire, or of other names.

    Raises:
        TlsUnavailable: they cannot be made here.
        OSError: they cannot be written.
    """
    material = Material(folder)
    if not material.is_there or _is_outdated(material):
        _make(material)
    return material


def _is_outdated(material: Material) -> bool:
    """Tell by what needs no import of size, as it is asked at every start; both certificates end and name the same.

    Names lie in a certificate as they are: each is an IA5String.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(material.authority)
    end = ssl.cert_time_to_seconds(str(context.get_ca_certs()[0]["notAfter"]))
    (content,) = context.get_ca_certs(binary_form=True)
    return end - time.time() < LEFT.total_seconds() or any(name.encode() not in content for name in NAMES)


def _make(material: Material) -> None:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise TlsUnavailable(
            "TLS needs the package cryptography, which is not installed: pip install 'herodeploy[tls]'"
        ) from None
    signing, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(signing)
    certificate = _certificate(authority, signing, key)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    vouching = authority.public_bytes(pem)
    material.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    disk.write_private(material.key, secret)
    disk.write_private(material.certificate, certificate.public_bytes(pem) + vouching)
    disk.write_private(material.authority, vouching)


def _authority(key: EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    name = _name("herodeploy local platform (this machine only)")
    only = [*map(x509.DNSName, NAMES), x509.IPAddress(ADDRESS)]
    return (
        _begun(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=only, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    authority: x509.Certificate, signing: EllipticCurvePrivateKey, key: EllipticCurvePrivateKey
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    names = [*map(x509.DNSName, NAMES), x509.IPAddress(ADDRESS.network_address)]
    server = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    return (
        _begun(_name("127.0.0.1"), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(server, critical=False)
        .add_extension(by, critical=False)
        .sign(signing, hashes.SHA256())
    )


def _begun(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, common)])
