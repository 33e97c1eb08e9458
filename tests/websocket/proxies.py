"""Proxies written for the tests: HTTP CONNECT and SOCKS 5, strict, and able to misbehave.

Every name leads to loopback, whoever asks: a name that nobody else can look up shows who did.
"""

import struct
from base64 import b64encode
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.websocket.streams import Listener, Talker, reactor

__all__ = ["HttpProxyServer", "SocksProxyServer", "proxies"]


@implementer(IHalfCloseableProtocol)
class _Side(Talker):
    """One side of a relay, which hands on to the other what comes, its end, and its pace."""

    other: "_Side | None" = None

    def dataReceived(self, data: bytes) -> None:
        if self.other is None:
            super().dataReceived(data)
        else:
            self.other.wire.write(data)

    def readConnectionLost(self) -> None:  # noqa: N802
        if self.other is None or not ITCPTransport.providedBy(self.other.wire):
            self.wire.loseConnection()
        else:
            self.other.wire.loseWriteConnection()

    def writeConnectionLost(self) -> None:  # noqa: N802
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if self.other is not None and not self.other.lost.called:
            self.other.wire.loseConnection()

    def couple(self, other: "_Side") -> None:
        """Relay from now on."""
        self.other, other.other = other, self
        if self.received:
            other.wire.write(self.received)
            self.received = b""
        self.wire.registerProducer(other.wire, True)
        other.wire.registerProducer(self.wire, True)


class _Proxy(_Side):
    """A proxy's side of a connection to it.

    Attributes:
        asked: host and port of the target as the client wrote them, None before.
        said: everything the client said to the proxy itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: tuple[str, int] | None = None
        self.said = b""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if self.other is None:
            self.greeted()

    def greeted(self) -> None:
        """Look at ``received``, again and again as it grows."""

    def take(self, count: int) -> bytes | None:
        """Return so many bytes that came, None if there are not as many."""
        if len(self.received) < count:
            return None
        taken, self.received = self.received[:count], self.received[count:]
        self.said += taken
        return taken

    def reach(
        self, host: str, port: int, good: Callable[[Any], bytes], bad: Callable[[], bytes]
    ) -> None:
        """Connect to the target and relay, after telling the client."""
        self.asked = (host, port)
        beyond = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        dialling = cast("Deferred[_Side]", beyond.connect(Factory.forProtocol(_Side)))

        def reached(side: _Side) -> None:
            if self.lost.called:
                side.wire.loseConnection()
                return
            self.wire.write(good(side.wire.getHost()))
            self.couple(side)

        def failed(_: Failure) -> None:
            self.wire.write(bad())
            self.wire.loseConnection()

        dialling.addCallbacks(reached, failed)


class HttpProxyServer(_Proxy):
    """Takes CONNECT and nothing else.

    Attributes:
        head: of the request, empty before.
    """

    def __init__(
        self, credentials: tuple[str, str] | None = None, answer: bytes | None = None
    ) -> None:
        """Make one side.

        Args:
            credentials: that it demands.
            answer: to every request, instead of connecting; it then waits. b"" is no answer.
        """
        super().__init__()
        self._wanted: str | None = None
        if credentials is not None:
            basic = b64encode(":".join(credentials).encode()).decode()
            self._wanted = f"Basic {basic}"
        self._answer = answer
        self.head: dict[str, str] = {}

    def greeted(self) -> None:
        end = self.received.find(b"\r\n\r\n")
        if self.head or end < 0:
            return
        head = self.take(end + 4) or b""
        first, *lines = head[:-4].decode("ascii").split("\r\n")
        self.head = dict(line.split(": ", 1) for line in lines)
        method, target, version = first.split(" ")
        host, _, port = target.rpartition(":")
        assert (method, version, self.head["Host"]) == ("CONNECT", "HTTP/1.1", target)
        assert len(self.head) == len(lines)
        if self._answer is not None:
            self.wire.write(self._answer)
        elif self._wanted not in (None, self.head.get("Proxy-Authorization")):
            self.wire.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Basic realm="here"\r\nContent-Length: 3\r\n\r\nno\n'
            )
        else:
            self.reach(
                host,
                int(port),
                lambda _: b"HTTP/1.1 200 Connection established\r\n\r\n",
                lambda: b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            )


class SocksProxyServer(_Proxy):
    """Speaks SOCKS 5, one step after the other.

    Attributes:
        kind: of the address in the request: 1, 3 or 4 as in RFC 1928.
    """

    kind = 0

    def __init__(
        self,
        credentials: tuple[str, str] | None = None,
        bound: IPv4Address | IPv6Address | str = "",
    ) -> None:
        """Make one side.

        Args:
            credentials: that it demands; None to take none.
            bound: what it says it has bound; "" for the truth.
        """
        super().__init__()
        self._credentials = credentials
        self._bound = bound
        self._step = self._greeting

    def greeted(self) -> None:
        step = None
        while self.received and step != self._step and self.other is None:
            step = self._step
            step()

    def _greeting(self) -> None:
        if len(self.received) < 2 + self.received[1]:
            return
        methods = (self.take(2 + self.received[1]) or b"")[2:]
        assert self.said[0] == 5
        chosen = 0 if self._credentials is None else 2
        if chosen not in methods:
            self.wire.write(b"\x05\xff")
            self.wire.loseConnection()
            return
        self.wire.write(bytes([5, chosen]))
        self._step = self._login if chosen else self._request

    def _login(self) -> None:
        user_end = 2 + self.received[1]
        if len(self.received) <= user_end:
            return
        if len(self.received) < user_end + 1 + self.received[user_end]:
            return
        said = self.take(user_end + 1 + self.received[user_end]) or b""
        assert said[0] == 1
        good = (said[2:user_end].decode(), said[user_end + 1 :].decode()) == self._credentials
        self.wire.write(b"\x01\x00" if good else b"\x01\x01")
        if good:
            self._step = self._request
        else:
            self.wire.loseConnection()

    def _request(self) -> None:
        if len(self.received) < 5:
            return
        kind = self.received[3]
        start, size = (5, self.received[4]) if kind == 3 else (4, {1: 4, 4: 16}[kind])
        said = self.take(start + size + 2)
        if said is None:
            return
        assert said[:3] == b"\x05\x01\x00"
        self.kind = kind
        name = said[start:-2]
        host = {
            1: lambda: str(IPv4Address(name)),
            3: name.decode,
            4: lambda: str(IPv6Address(name)),
        }
        (port,) = struct.unpack("!H", said[-2:])
        self.reach(host[kind](), port, self._reached, lambda: self._reply(5, IPv4Address(0), 0))

    def _reached(self, host: Any) -> bytes:
        return self._reply(0, self._bound or IPv4Address(host.host), host.port)

    def _reply(self, code: int, address: IPv4Address | IPv6Address | str, port: int) -> bytes:
        if isinstance(address, str):
            packed = bytes([3, len(address)]) + address.encode()
        else:
            packed = bytes([1 if address.version == 4 else 4]) + address.packed
        return bytes([5, code, 0]) + packed + port.to_bytes(2, "big")


def proxies(kind: Callable[..., _Proxy], *arguments: Any, **named: Any) -> Listener:
    """Return a listener whose connections are to proxies of one kind."""
    return Listener(lambda: kind(*arguments, **named))
