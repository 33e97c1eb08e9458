"""A client and a server joined in memory: the real code on both sides of a wire that is a list.

The server side is a whole listener (site, handshake, access rules, session, fan-out) over a
service with a given source. Time is a ``MemoryReactorClock``: it moves only when a test says so.
"""

import base64
from itertools import count
from typing import Any, Final

import orjson
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.test.iosim import FakeTransport, IOPump
from twisted.test.iosim import connect as join

from twisted_chainws.chain.ports import Source
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.catalog import make_dialects
from twisted_chainws.dialects.view import Profile, Settings
from twisted_chainws.server.factory import ServerSettings
from twisted_chainws.server.site import ChainSite, make_site
from twisted_chainws.service import ChainService
from twisted_chainws.websocket.frames import message as frame_of
from twisted_chainws.websocket.frames import unmask

_END: Final = b"\r\n\r\n"
_MASK: Final = b"\x37\xfa\x21\x3d"
_MASK_BIT: Final = 0x80
_CLOSE: Final = 0x88
_TEXT: Final = 0x81
_PING: Final = 0x89
_PONG: Final = 0x8A
_LENGTHS: Final = {126: 2, 127: 8}


class CallFailed(AssertionError):
    """A call was answered with an error.

    Attributes:
        error: the error object: ``code``, ``message`` and maybe ``data``.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']} {error['message']}")
        self.error = error


class _MemoryClient(Protocol):
    """The smallest WebSocket client: whole text messages, no fragments."""

    transport: Any

    def __init__(self, path: str) -> None:
        self._path = path
        self._buffer = b""
        self.response: bytes | None = None
        self.messages: list[Any] = []
        self.close_code: int | None = None

    def connectionMade(self) -> None:
        key = base64.b64encode(bytes(16)).decode()
        self.transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        if self.response is None:
            head, end, rest = self._buffer.partition(_END)
            if not end:
                return
            self.response, self._buffer = head, rest
        while self._take_frame():
            pass

    def _take_frame(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:  # noqa: PLR2004 - the shortest header
            return False
        width = _LENGTHS.get(buffer[1], 0)
        start = 2 + width
        size = int.from_bytes(buffer[2:start], "big") if width else buffer[1]
        if len(buffer) < start + size:
            return False
        payload, self._buffer = buffer[start : start + size], buffer[start + size :]
        if buffer[0] == _TEXT:
            self.messages.append(orjson.loads(payload))
        elif buffer[0] == _CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big")
        elif buffer[0] == _PING:
            self._write(_PONG, payload)
        return True

    def hang_up(self) -> None:
        """Close TCP."""
        self.transport.loseConnection()

    def send(self, payload: bytes) -> None:
        """Send a text message."""
        self._write(_TEXT, payload)

    def _write(self, opcode: int, payload: bytes) -> None:
        """Write a frame, masked as clients must."""
        frame = bytearray(frame_of(payload))
        start = len(frame) - len(payload)
        frame[0] = opcode
        frame[1] |= _MASK_BIT
        self.transport.write(bytes(frame[:start]) + _MASK + unmask(_MASK, payload))


class MemoryPair:
    """A client that speaks JSON to a server in memory.

    Attributes:
        source: what feeds the server.
        service: the shared service.
        clock: the only time there is; ``advance`` moves it and delivers what that causes.
        site: the listener; ``site.close_all()`` is how it shuts down.
    """

    def __init__(
        self,
        *,
        source: Any,
        service: ChainService,
        clock: MemoryReactorClock,
        site: ChainSite,
        path: str,
    ) -> None:
        self.source = source
        self.service = service
        self.clock = clock
        self.site = site
        self._ids = count(1)
        self._client = _MemoryClient(path)
        server = site.buildProtocol(None)
        self._pump: IOPump = join(
            server,
            FakeTransport(server, isServer=True),
            self._client,
            FakeTransport(self._client, isServer=False),
        )
        self.flush()

    @property
    def response(self) -> str:
        """The status line and headers that answered the handshake."""
        return (self._client.response or b"").decode("latin-1")

    @property
    def close_code(self) -> int | None:
        """The code of the server's Close frame; None while there is none."""
        return self._client.close_code

    @property
    def messages(self) -> list[Any]:
        """Everything received and not yet taken, parsed, in order."""
        self.flush()
        return self._client.messages

    def flush(self) -> None:
        """Bring everything that was written to the other side, without moving time."""
        self._pump.flush()
        self.clock.advance(0)
        self._pump.flush()

    def advance(self, seconds: float) -> None:
        """Move time and deliver what that causes."""
        self.clock.advance(seconds)
        self.flush()

    def send(self, message: Any) -> None:
        """Send any JSON value, or bytes as they are."""
        self._client.send(message if isinstance(message, bytes) else orjson.dumps(message))
        self.flush()

    def call(self, method: str, *params: Any) -> Any:
        """Call a method and return its result.

        Raises:
            CallFailed: it was answered with an error.
            AssertionError: it was not answered.
        """
        number = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        for position, answer in enumerate(self._client.messages):
            if isinstance(answer, dict) and answer.get("id") == number:
                del self._client.messages[position]
                if "error" in answer:
                    raise CallFailed(answer["error"])
                return answer["result"]
        raise AssertionError(f"{method} was not answered")

    def notices(self, subscription: str | None = None) -> list[Any]:
        """Take the results of the notices received so far, of one subscription or of all."""
        taken, kept = [], []
        for entry in self.messages:
            params = entry.get("params") if isinstance(entry, dict) else None
            if params is not None and subscription in (None, params["subscription"]):
                taken.append(params["result"])
            else:
                kept.append(entry)
        self._client.messages[:] = kept
        return taken

    def close(self) -> None:
        """Hang up and stop the service."""
        self._client.hang_up()
        self.flush()
        self.service.stopService()


def connect(
    source: Source,
    *,
    dialect: Dialect | None = None,
    path: str = "/",
    settings: ServerSettings | None = None,
    profile: Profile = Profile.SUPERSET,
) -> MemoryPair:
    """Join a client and a server in memory.

    Args:
        source: feeds the server; a ``FakeSource``, or any other that starts at once.
        dialect: the only one spoken; None for all, the path or the first message choosing.
        path: of the handshake.
        settings: of the listener.
        profile: whose names and wording are spoken.
    """
    dialects = make_dialects(profile)
    clock = MemoryReactorClock()
    numbers = count(1)
    service = ChainService(
        source=source,
        dialects=dialects,
        settings=Settings(
            profile=profile,
            client_version="chainws/testing",
            network_id=31_337,
            development=True,
        ),
        clock=clock,
        random=lambda size: next(numbers).to_bytes(size, "big"),
    )
    service.startService()
    site = make_site(
        reactor=clock,
        dialect=dialect,
        catalog=dialects,
        services={"testing": service},
        settings=settings or ServerSettings(),
    )
    return MemoryPair(source=source, service=service, clock=clock, site=site, path=path)
