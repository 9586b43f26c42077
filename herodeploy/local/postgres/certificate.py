"""A certificate that nobody vouches for, as Heroku's own databases have: clients encrypt, and verify nothing."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from herodeploy.local.disk import write_private

LIFE = timedelta(days=3650)


def ensure(folder: Path) -> tuple[Path, Path] | None:
    """Return a certificate and its key; None where the package cryptography is not installed.

    They are made where they are missing, empty, broken, or do not belong together.

    Raises:
        OSError: they cannot be written.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not _fit(certificate, key):
        try:
            made, secret = _make()
        except ImportError:
            return None
        write_private(key, secret)
        write_private(certificate, made)
    return certificate, key


def _fit(certificate: Path, key: Path) -> bool:
    """Tell whether a server can use them, as the door will."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError:  # an SSLError is one, too
        return False
    return True


def _make() -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), secret
