"""PEM files with certificates and keys: what is missing, and what is unfit, before anything else.

Files are read anew for each connection and each start, for they rotate. Reading blocks, but small
regular files only. No key is ever given to OpenSSL encrypted: it would ask on the terminal for the
password and hold up the reactor.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto
from twisted.internet.ssl import Certificate, CertificateOptions

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError

__all__ = ["Identity", "PemFile", "unfit_is_internal"]

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN (X509 )?CERTIFICATE-----.+?-----END \1?CERTIFICATE-----", re.DOTALL
)
_KEY: Final = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]+ )*)PRIVATE KEY-----.+?-----END \1PRIVATE KEY-----", re.DOTALL
)
_UNFIT: Final = (ValueError, TypeError, UnsupportedAlgorithm, SSL.Error, crypto.Error)


@contextmanager
def unfit_is_internal(path: str) -> Iterator[None]:
    """Turn what the cryptographic libraries raise into WebSocketError 2302999 that names a file."""
    try:
        yield
    except _UNFIT as mistake:
        detail = f"{path}: {_words(mistake)}"
        raise WebSocketError(ErrorCode.INTERNAL_ERROR, data=detail) from mistake


class PemFile:
    """The blocks of one kind in a file.

    Raises:
        WebSocketError: 2302002, the file is missing, unreadable, or holds no such block.
    """

    def __init__(self, path: str, kind: re.Pattern[bytes]) -> None:
        self.path = path
        self._blocks = [found[0] for found in kind.finditer(_read(path))]
        if not self._blocks:
            raise WebSocketError(ErrorCode.CERT_NOT_FOUND, data=f"{path}: no PEM block")

    @classmethod
    def of_certificates(cls, path: str) -> "PemFile":
        """Read a file for its certificates."""
        return cls(path, _CERTIFICATE)

    @classmethod
    def of_key(cls, path: str) -> "PemFile":
        """Read a file for its private key, the first if there are several."""
        return cls(path, _KEY)

    def certificates(self) -> list[x509.Certificate]:
        """Return all certificates in their order. Raises WebSocketError 2302999."""
        with unfit_is_internal(self.path):
            return [x509.load_pem_x509_certificate(block) for block in self._blocks]

    def roots(self) -> list[Certificate]:
        """Return all certificates as Twisted wants those to trust. Raises WebSocketError 2302999.

        One by one, because Twisted reads the first block of what it is given and ignores the rest.
        """
        with unfit_is_internal(self.path):
            return [Certificate.loadPEM(block) for block in self._blocks]

    def key(self, password: str) -> Any:
        """Return the private key; a password for a key that needs none is ignored.

        Raises:
            WebSocketError: 2302999, wrong or missing password, or no key that can be used.
        """
        with unfit_is_internal(self.path):
            try:
                return load_pem_private_key(self._blocks[0], password.encode() or None)
            except TypeError:
                # Either a password is missing, and so it stays, or it is one too many.
                return load_pem_private_key(self._blocks[0], None)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its key and its intermediates.

    Attributes:
        options: as ``CertificateOptions`` takes them.
    """

    options: dict[str, Any] = field(repr=False)

    @classmethod
    def load(cls, certificates: PemFile, key: PemFile, password: str = "") -> "Identity":
        """Parse two files and try whether they belong together.

        Raises:
            WebSocketError: 2302999, one of them is unfit, or the key is another certificate's.
        """
        leaf, *chain = certificates.certificates()
        options = {
            "privateKey": key.key(password),
            "certificate": leaf,
            "extraCertChain": chain,
        }
        with unfit_is_internal(certificates.path):
            CertificateOptions(**options).getContext()
        return cls(options)


def _read(path: str) -> bytes:
    try:
        file = Path(path)
        # A pipe or a device might never end.
        if not file.is_file():
            raise FileNotFoundError(path)
        return file.read_bytes()
    except (OSError, ValueError) as mistake:
        detail = f"{path!r}: {type(mistake).__name__}"
        raise WebSocketError(ErrorCode.CERT_NOT_FOUND, data=detail) from mistake


def _words(mistake: Exception) -> str:
    if isinstance(mistake, (SSL.Error, crypto.Error)) and mistake.args:
        return ", ".join(entry[-1] for entry in mistake.args[0]) or "refused by OpenSSL"
    return str(mistake)
