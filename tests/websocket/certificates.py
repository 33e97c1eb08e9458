"""A certificate authority for tests: roots, intermediates, leaves good and bad, keys in all forms."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Issued", "authority", "leaf", "write"]

_LONG_AGO: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_YESTERYEAR: Final = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
_FAR_OFF: Final = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate, its key, and who signed it (None: itself)."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuer: "Issued | None" = None

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain(self) -> bytes:
        """The certificate and its intermediates, leaf first, without the root."""
        if self.issuer is None or self.issuer.issuer is None:
            return self.pem
        return self.pem + self.issuer.chain

    def key_pem(self, password: str = "", *, traditional: bool = False) -> bytes:
        """The key: PKCS#8 or the traditional form, encrypted if there is a password."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL
            if traditional
            else serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode())
            if password
            else serialization.NoEncryption(),
        )


def authority(name: str, issuer: Issued | None = None) -> Issued:
    """Return a new root, or an intermediate below ``issuer``."""
    return _issue(
        name,
        issuer,
        [(x509.BasicConstraints(ca=True, path_length=None), True)],
        _FAR_OFF,
    )


def leaf(
    issuer: Issued | None,
    *,
    name: str = "leaf",
    dns: Sequence[str] = ("localhost",),
    addresses: Sequence[str] = (),
    expired: bool = False,
) -> Issued:
    """Return a certificate for a server or a client; without an issuer it is self-signed.

    Args:
        issuer: who signs.
        name: common name, which nobody should compare.
        dns: host names in the SAN.
        addresses: IP addresses in the SAN.
        expired: ended years ago.
    """
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in dns]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True)
    ]
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    return _issue(name, issuer, extensions, _YESTERYEAR if expired else _FAR_OFF)


def write(folder: Path, name: str, *parts: bytes) -> str:
    """Write PEM blocks into one file and return its path."""
    path = folder / name
    path.write_bytes(b"".join(parts))
    return str(path)


def _issue(
    name: str,
    issuer: Issued | None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    end: dt.datetime,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_LONG_AGO)
        .not_valid_after(end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Issued(certificate=signed, key=key, issuer=issuer)
