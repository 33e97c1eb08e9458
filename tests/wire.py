"""A blocking WebSocket client in a page of code: it hides nothing and may misbehave on request."""

import base64
import http.client
import itertools
import json
import os
import select
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

import orjson

ANSWER_LIMIT_S: Final = 30.0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA


class Refused(Exception):
    """The handshake was answered with another status than 101."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Closed(ConnectionError):
    """The server closed the connection; ``code`` is 1006 without a close frame."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class RpcError(Exception):
    """An error object of JSON-RPC."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(dict(error))
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data = error.get("data")


class Wire:
    """One WebSocket connection that speaks JSON-RPC.

    Attributes:
        notices: ``(subscription id, result)`` in the order of arrival, as met while reading.
    """

    def __init__(
        self, port: int, path: str = "/", headers: Iterable[tuple[str, str]] = (), host: str = ""
    ) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_LIMIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.notices: list[tuple[str, Any]] = []
        self._answers: dict[Any, dict[str, Any]] = {}
        self._ids = itertools.count(1)
        self._buffer = bytearray()
        self._handshake(path, headers, host or f"127.0.0.1:{port}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection without a word."""
        self.socket.close()

    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send one unfragmented message."""
        self.socket.sendall(frame(payload, opcode))

    def receive(self, timeout_s: float = ANSWER_LIMIT_S) -> bytes:
        """Return the next message; pings are answered on the way.

        Raises:
            Closed: the server closed the connection.
            TimeoutError: nothing came.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            for opcode, payload in frames(self._buffer):
                if opcode == CLOSE:
                    raise Closed(int.from_bytes(payload[:2], "big") if payload else 1005)
                if opcode == PING:
                    self.send(payload, PONG)
                elif opcode != PONG:
                    return payload
            self._fill(deadline - time.monotonic())

    def _fill(self, timeout_s: float) -> None:
        if not select.select([self.socket], [], [], max(timeout_s, 0))[0]:
            raise TimeoutError("the server said nothing")
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed(1006)
        self._buffer += data

    def start(self, method: str, *params: Any) -> int:
        """Send a request and return its id, for ``finish``."""
        number = next(self._ids)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.send(orjson.dumps(request))
        return number

    def finish(self, number: Any, timeout_s: float = ANSWER_LIMIT_S) -> Any:
        """Return the result of a request, collecting what else comes.

        Raises:
            RpcError: it was answered with an error.
        """
        deadline = time.monotonic() + timeout_s
        while number not in self._answers:
            self._sort(orjson.loads(self.receive(deadline - time.monotonic())))
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def call(self, method: str, *params: Any) -> Any:
        """Send a request and return its result."""
        return self.finish(self.start(method, *params))

    def batch(self, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Send one batch and return the results in the order of the calls."""
        requests = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": call[0], "params": call[1:]}
            for call in calls
        ]
        self.send(orjson.dumps(requests))
        return [self.finish(request["id"]) for request in requests]

    def notice(self, subscription: str, timeout_s: float = ANSWER_LIMIT_S) -> Any:
        """Return the next event of a subscription.

        Raises:
            TimeoutError: none came.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            for index, (owner, result) in enumerate(self.notices):
                if owner == subscription:
                    del self.notices[index]
                    return result
            self._sort(orjson.loads(self.receive(deadline - time.monotonic())))

    def settle(self) -> list[tuple[str, Any]]:
        """Return all events so far; a request sent behind them marks the end."""
        self.call("eth_chainId")
        found, self.notices = self.notices, []
        return found

    def _sort(self, message: Any) -> None:
        if isinstance(message, list):
            for element in message:
                self._sort(element)
        elif message.get("method") == "eth_subscription":
            self.notices.append((message["params"]["subscription"], message["params"]["result"]))
        else:
            self._answers[message["id"]] = message

    def _handshake(self, path: str, headers: Iterable[tuple[str, str]], host: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in headers),
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            data = self.socket.recv(65536)
            if not data:
                break
            self._buffer += data
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1]) if head else 0
        if status != http.client.SWITCHING_PROTOCOLS:
            self.close()
            raise Refused(status, rest)
        self._buffer = bytearray(rest)


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return one masked frame of a client (the mask is zero, which every server accepts)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def frames(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield and remove the whole frames at the start of what a server sent."""
    while len(buffer) >= 2:
        size, offset = buffer[1] & 0x7F, 2
        if size == 126:
            size, offset = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, offset = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < offset + size:
            return
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[offset : offset + size])
        del buffer[: offset + size]
        yield opcode, payload


def post(
    port: int, body: bytes, headers: Mapping[str, str] | None = None, path: str = "/"
) -> tuple[int, bytes]:
    """Send one HTTP POST and return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)
    try:
        connection.request(
            "POST", path, body, {"Content-Type": "application/json"} | dict(headers or {})
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def call_http(port: int, method: str, *params: Any) -> Any:
    """Ask one question over HTTP.

    Raises:
        RpcError: it was answered with an error.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = json.loads(post(port, json.dumps(request).encode())[1])
    if "error" in answer:
        raise RpcError(answer["error"])
    return answer["result"]
