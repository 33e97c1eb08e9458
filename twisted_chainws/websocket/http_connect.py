"""What is said to an HTTP proxy: CONNECT. Sans-I/O.

Source: RFC 9110 9.3.6 and 15.2, RFC 7617 2.
"""

import re
from base64 import b64encode
from typing import Final

from twisted_chainws.websocket.tunnel import ProxyRefused, authority

__all__ = ["HttpConnect"]

MOST_HEAD_BYTES: Final = 64 * 1024
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?")
_END: Final = re.compile(rb"\r?\n\r?\n")
_INFORMATIONAL: Final = range(100, 200)
_SUCCESSFUL: Final = range(200, 300)


class HttpConnect:
    """Asks for a tunnel and reads the answer; its headers are of no interest.

    Attributes:
        surplus: see ``Dialogue``.
    """

    surplus: bytes | None = None

    def __init__(self, host: str, port: int, credentials: tuple[str, str] | None = None) -> None:
        """Prepare.

        Args:
            host: of the target, ASCII, IPv6 addresses without brackets.
            port: of the target.
            credentials: user and password for the proxy, None for none.
        """
        self._target = authority(host, port)
        self._credentials = credentials
        self._read = b""

    def begin(self) -> bytes:
        """Return the request, the only place where the credentials go."""
        lines = [f"CONNECT {self._target} HTTP/1.1", f"Host: {self._target}"]
        if self._credentials is not None:
            basic = b64encode(":".join(self._credentials).encode()).decode("ascii")
            lines.append(f"Proxy-Authorization: Basic {basic}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def receive(self, data: bytes) -> bytes:
        """Take a part of the answer; there is nothing to send. Raises ProxyRefused."""
        self._read += data
        while self.surplus is None:
            status = self._status()
            end = _END.search(self._read, 0, MOST_HEAD_BYTES)
            if end is None:
                if len(self._read) >= MOST_HEAD_BYTES:
                    raise ProxyRefused("the proxy's answer has no end")
                break
            self._read = self._read[end.end() :]
            if status in _SUCCESSFUL:
                self.surplus, self._read = self._read, b""
        return b""

    def _status(self) -> int | None:
        """Return the status, None for not yet. A refusal needs no more than its first line."""
        line, newline, _ = self._read[:MOST_HEAD_BYTES].partition(b"\n")
        if not newline:
            if line[:5] != b"HTTP/"[: len(line)]:
                raise ProxyRefused("the proxy does not speak HTTP")
            return None
        line = line.rstrip(b"\r")
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise ProxyRefused(f"the proxy does not speak HTTP/1: {_shown(line)}")
        status = int(found[1])
        if status not in _SUCCESSFUL and status not in _INFORMATIONAL:
            raise ProxyRefused(_shown(line), http_status=status)
        return status


def _shown(line: bytes) -> str:
    """Return a line that a stranger wrote, fit for a log."""
    text = line[:200].decode("latin-1")
    return "".join(each if each.isprintable() else "?" for each in text)
