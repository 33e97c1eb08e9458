"""What is said to a SOCKS proxy, version 5. Sans-I/O.

The proxy looks names up, so that no name is asked for on this side.

Source: RFC 1928 3, 4, 6; RFC 1929 2.
"""

import ipaddress
from collections.abc import Generator
from typing import Final

from twisted_chainws.websocket.tunnel import ProxyRefused

__all__ = ["Socks5"]

_VERSION: Final = 5
_ANONYMOUS: Final = 0
_PASSWORD: Final = 2
_CONNECT: Final = 1
_IPV4: Final = 1
_NAME: Final = 3
_IPV6: Final = 4
_ADDRESS_BYTES: Final = {_IPV4: 4, _IPV6: 16}
_REFUSALS: Final = {
    1: "general failure",
    2: "connection not allowed by ruleset",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}


class Socks5:
    """Asks for a tunnel, with user and password if there are any.

    Attributes:
        surplus: see ``Dialogue``.
    """

    surplus: bytes | None = None

    def __init__(self, host: str, port: int, credentials: tuple[str, str] | None = None) -> None:
        """Prepare.

        Args:
            host: of the target, ASCII; names have at most 255 bytes.
            port: of the target.
            credentials: user and password for the proxy, each of 1 to 255 bytes of UTF-8; None to
                offer none.
        """
        self._target = _address(host) + port.to_bytes(2, "big")
        self._credentials = credentials
        self._read = b""
        self._say = b""
        self._steps = self._dialogue()
        self._wanted = next(self._steps)

    def begin(self) -> bytes:
        """Return the greeting."""
        methods = [_ANONYMOUS] if self._credentials is None else [_ANONYMOUS, _PASSWORD]
        return bytes([_VERSION, len(methods), *methods])

    def receive(self, data: bytes) -> bytes:
        """Take a part of the answers and return what to say next. Raises ProxyRefused."""
        self._read += data
        while self.surplus is None and len(self._read) >= self._wanted:
            piece, self._read = self._read[: self._wanted], self._read[self._wanted :]
            try:
                self._wanted = self._steps.send(piece)
            except StopIteration:
                self.surplus, self._read = self._read, b""
        say, self._say = self._say, b""
        return say

    def _dialogue(self) -> Generator[int, bytes, None]:
        """Yield how many bytes to wait for; what to say meanwhile goes to ``_say``."""
        version, method = yield 2
        _check_version(version)
        if method == _PASSWORD and self._credentials is not None:
            user, password = (each.encode() for each in self._credentials)
            self._say += b"".join(
                (b"\x01", bytes([len(user)]), user, bytes([len(password)]), password)
            )
            _, status = yield 2
            if status:
                raise ProxyRefused("the SOCKS proxy does not accept the credentials")
        elif method != _ANONYMOUS:
            raise ProxyRefused("the SOCKS proxy wants another authentication")
        self._say += bytes([_VERSION, _CONNECT, 0]) + self._target
        version, refusal, _, kind = yield 4
        _check_version(version)
        if refusal:
            words = _REFUSALS.get(refusal, f"code {refusal}")
            raise ProxyRefused(f"the SOCKS proxy says: {words}")
        if kind == _NAME:
            (length,) = yield 1
        elif kind in _ADDRESS_BYTES:
            length = _ADDRESS_BYTES[kind]
        else:
            raise ProxyRefused("the SOCKS proxy answers with an unknown kind of address")
        yield length + 2


def _check_version(version: int) -> None:
    if version != _VERSION:
        raise ProxyRefused("the proxy does not speak SOCKS 5")


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed  # noqa: PLR2004 - IPv4
