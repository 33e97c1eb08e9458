"""TLS of clients and servers, out of PEM files.

Unlike the reference, a client verifies the chain, the dates **and** the name, unless it is told to
skip all three. What is wrong with a file is known before anything is dialled or bound.

Source: ``ohos-websocket.md`` 2.2, 2.6, 4.2, 4.3.
"""

from typing import Any, Final, Protocol

import idna
from OpenSSL import SSL
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    CertificateOptions,
    TLSVersion,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.logger import Logger
from zope.interface import implementer

from twisted_chainws.websocket.codes import ErrorCode, TlsVersion, UrlError, WebSocketError
from twisted_chainws.websocket.fields import refuse
from twisted_chainws.websocket.pem import Identity, PemFile, unfit_is_internal
from twisted_chainws.websocket.values import ClientCert, ServerCert

__all__ = [
    "ClientTls", "ClientTlsOptions", "ServerTlsOptions", "client_creator", "server_context",
]  # fmt: skip

_FLOORS: Final[dict[TlsVersion, dict[str, Any]]] = {
    TlsVersion.TLS_V_1_0: {"insecurelyLowerMinimumTo": TLSVersion.TLSv1_0},
    TlsVersion.TLS_V_1_1: {"insecurelyLowerMinimumTo": TLSVersion.TLSv1_1},
    TlsVersion.TLS_V_1_2: {"raiseMinimumTo": TLSVersion.TLSv1_2},
    TlsVersion.TLS_V_1_3: {"raiseMinimumTo": TLSVersion.TLSv1_3},
}


class ClientTlsOptions(Protocol):
    """What a client's options say about TLS; see ``WebSocketRequestOptions``."""

    @property
    def ca_path(self) -> str | None:
        """PEM file with the roots to trust instead of the system's; None or "" for the system's."""

    @property
    def client_cert(self) -> ClientCert | None:
        """Who we are; None or an empty path for nobody."""

    @property
    def skip_server_cert_verification(self) -> bool:
        """Whether to take any certificate."""

    @property
    def min_tls_version(self) -> TlsVersion | None:
        """The least version to accept, None for Twisted's choice, 1.2."""


class ServerTlsOptions(Protocol):
    """What a server's configuration says about TLS; see ``WebSocketServerConfig``."""

    @property
    def server_cert(self) -> ServerCert | None:
        """Who the server is; None for no TLS."""

    @property
    def client_ca_path(self) -> str | None:
        """PEM file with the roots that clients' certificates must come from; None to ask none."""


class ClientTls:
    """What a client's options say about TLS, with every file read and tried.

    Raises:
        WebSocketError: 2302002, a file is missing, unreadable or holds no PEM block; 2302999, it
            cannot be used, the password is wrong, or the key belongs to another certificate.
    """

    _log = Logger()

    def __init__(self, options: ClientTlsOptions) -> None:
        roots = PemFile.of_certificates(options.ca_path) if options.ca_path else None
        ours = options.client_cert
        files = None
        if ours is not None and ours.cert_path:
            files = PemFile.of_certificates(ours.cert_path), PemFile.of_key(ours.key_path)
        self._skip = options.skip_server_cert_verification
        self._trust: Any = platformTrust()
        if roots is not None:
            self._trust = trustRootFromCertificates(roots.roots())
        floor = options.min_tls_version
        self._floor = {} if floor is None else _FLOORS[floor]
        self._identity: dict[str, Any] = {}
        if ours is not None and files is not None:
            self._identity = Identity.load(*files, ours.key_password).options

    def creator(self, host: str) -> IOpenSSLClientConnectionCreator:
        """Return what makes the connection to a target; made anew for each dial.

        Args:
            host: the name or address in the URL, without brackets, which the certificate must be
                for. Never the proxy's.

        Raises:
            WebSocketError: 2302001, the host can be no name.
        """
        name = _verifiable(host)
        if self._skip:
            self._log.warn("the certificate of {host} is not verified", host=name)
            return _Unverified(CertificateOptions(**self._identity, **self._floor), name)
        return self._verified(name, {**self._identity, **self._floor})

    def proxy_creator(self, host: str) -> IOpenSSLClientConnectionCreator:
        """Return what makes the connection to a proxy that speaks TLS.

        It trusts the same roots as for targets and is always verified; our certificate is none of
        its business.

        Args:
            host: of the proxy.

        Raises:
            WebSocketError: 401, the host can be no name.
        """
        try:
            return self._verified(_verifiable(host), {})
        except UrlError as mistake:
            raise refuse(f"proxy: {mistake.data}") from mistake

    def _verified(self, name: str, options: dict[str, Any]) -> IOpenSSLClientConnectionCreator:
        creator: IOpenSSLClientConnectionCreator = optionsForClientTLS(
            name, trustRoot=self._trust, extraCertificateOptions=options
        )
        return creator


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """Takes any certificate. Unlike bare ``CertificateOptions`` it tells the server the name."""

    def __init__(self, options: CertificateOptions, name: str) -> None:
        self._options = options
        self._name = None if _is_address(name) else name.encode("ascii")

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: ARG002, N802, N803
        """Return a new connection."""
        connection = SSL.Connection(self._options.getContext(), None)
        if self._name is not None:
            connection.set_tlsext_host_name(self._name)
        return connection


def client_creator(options: ClientTlsOptions, host: str) -> IOpenSSLClientConnectionCreator:
    """Return what makes the TLS connection to ``host``. Raises as ``ClientTls`` does."""
    return ClientTls(options).creator(host)


def server_context(options: ServerTlsOptions) -> CertificateOptions | None:
    """Return the TLS side of a listener, its files read and tried; None for a plain one.

    With ``client_ca_path`` a client without a certificate from those roots is refused, which under
    TLS 1.3 it only notices after its own handshake.

    Raises:
        WebSocketError: 2302002, a file is missing, unreadable or holds no PEM block; 2302999, it
            cannot be used, is encrypted, or the key belongs to another certificate.
    """
    ours = options.server_cert
    if ours is None:
        return None
    certificates, key = PemFile.of_certificates(ours.cert_path), PemFile.of_key(ours.key_path)
    roots = PemFile.of_certificates(options.client_ca_path) if options.client_ca_path else None
    identity = Identity.load(certificates, key).options
    trust = None if roots is None else trustRootFromCertificates(roots.roots())
    with unfit_is_internal(ours.cert_path):
        context = CertificateOptions(**identity, trustRoot=trust)
        context.getContext()
    return context


def _is_address(host: str) -> bool:
    return isIPAddress(host) or isIPv6Address(host)


def _verifiable(host: str) -> str:
    """Return a host as certificates and SNI spell it: no zone, no final dot, in A-labels."""
    bare = host.partition("%")[0] if ":" in host else host.removesuffix(".")
    if _is_address(bare):
        return bare
    try:
        return idna.encode(bare).decode("ascii")
    except idna.IDNAError as mistake:
        raise WebSocketError(ErrorCode.URL_ERROR, data=f"no host name: {mistake}") from mistake
