"""``docs/websocket.md``: its programs run as they are printed, its tables are those of the code."""

import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Final

import pytest

from tests.running import ROOT, free_port
from twisted_chainws import websocket
from twisted_chainws.websocket import (
    ClientEvent,
    ErrorCode,
    ServerEvent,
    WebSocket,
    WebSocketError,
    WebSocketRequestOptions,
    WebSocketServer,
    WebSocketServerConfig,
)

GUIDE: Final = (ROOT / "docs" / "websocket.md").read_text(encoding="utf-8")
LIMIT_S: Final = 60.0


def block(section: str, language: str = "python") -> str:
    """Return the only block of a language in a section."""
    (text,) = [
        found[2]
        for found in re.finditer(r"^```(\w+)\n(.*?)^```$", part(section), re.MULTILINE | re.DOTALL)
        if found[1] == language
    ]
    return text


def part(section: str) -> str:
    """Return the text of a section."""
    return re.split(r"^##+ ", GUIDE.split(f"# {section}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[
        0
    ]


def table(section: str) -> list[list[str]]:
    """Return the cells of the lines of a section's only table."""
    lines = re.findall(r"^\|(.*)\|$", part(section), re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines[2:]]


def environment() -> dict[str, str]:
    """Return the environment of a program that is run elsewhere, without proxies."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return kept | {"PYTHONPATH": str(ROOT)}


def run(program: str, cwd: Path) -> list[str]:
    """Run a program to its end, which must be without complaint, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@contextmanager
def guides_server(cwd: Path) -> Iterator[tuple[int, Any]]:
    """Run the guide's server on a free port; gives the port and its output."""
    port = free_port()
    program = block("A server").replace("9000", str(port))
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            output: Any = process.stdout
            assert output.readline() == f"listening on port {port}\n"
            yield port, output
        finally:
            process.terminate()


@pytest.mark.integration
def test_listeners_hear_the_guides_server(tmp_path: Path) -> None:
    """The client with listeners opens, hears itself and closes; the server learns why."""
    with guides_server(tmp_path) as (port, output):
        printed = run(block("A client with listeners").replace("9000", str(port)), tmp_path)
        assert printed == [
            "open 101 Switching Protocols",
            "message welcome",
            "message Hello, server!",
            "close 4000 heard enough",
        ]
        assert output.readline() == "127.0.0.1 left with 4000 heard enough\n"


@pytest.mark.integration
def test_coroutines_hear_the_guides_server(tmp_path: Path) -> None:
    """The client with coroutines receives, iterates, and leaves its block with 1000."""
    with guides_server(tmp_path) as (port, output):
        printed = run(block("A client with coroutines").replace("9000", str(port)), tmp_path)
        assert printed == ["echo welcome", "message 0", "message 1", "message 2"]
        assert output.readline() == "127.0.0.1 left with 1000 \n"


class _ConnectProxy(socketserver.BaseRequestHandler):
    """Grants CONNECT to those who know the password, and copies bytes both ways."""

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(4096)
        if b"Proxy-Authorization: Basic " + b64encode(b"user:secret") not in head:
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, port = head.split()[1].decode().rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as target:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self._copy, args=(target, self.request))
            back.start()
            self._copy(self.request, target)
            back.join()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.mark.integration
def test_proxy_of_the_guide(tmp_path: Path) -> None:
    """The client goes through a proxy that wants credentials, and does not show them."""
    with (
        guides_server(tmp_path) as (port, _),
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), _ConnectProxy) as proxy,
    ):
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            program = block("Proxies").replace("9000", str(port))
            (line,) = run(program.replace("3128", str(proxy.server_address[1])), tmp_path)
        finally:
            proxy.shutdown()
            thread.join()
        assert line.startswith("welcome through HttpProxy(host='127.0.0.1', ")
        assert "secret" not in line


@pytest.mark.integration
def test_tls_of_the_guide(tmp_path: Path) -> None:
    """The commands make certificates with which both sides know each other."""
    subprocess.run(
        ["sh", "-ec", block("TLS", "sh")], cwd=tmp_path, check=True, capture_output=True, timeout=60
    )
    assert run(block("TLS"), tmp_path) == ["in confidence"]


@pytest.mark.integration
def test_staying_connected_as_in_the_guide(tmp_path: Path) -> None:
    """The client comes back after the server was restarted."""
    program = block("Staying connected").replace("9001", str(free_port()))
    assert run(program, tmp_path) == [
        "open 101",
        "close 1001 server is going away",
        "open again 101",
        "close 1000 ",
    ]


@pytest.mark.integration
def test_asyncio_as_in_the_guide(tmp_path: Path) -> None:
    """The program on the asyncio reactor hears the server."""
    with guides_server(tmp_path) as (port, _):
        program = block("In asyncio").replace("9000", str(port))
        assert run(program, tmp_path) == ["welcome"]


@pytest.mark.parametrize(
    ("section", "options"),
    [
        ("Options of a client", WebSocketRequestOptions),
        ("Configuration of a server", WebSocketServerConfig),
    ],
)
def test_every_option_is_documented_with_its_default(section: str, options: type[Any]) -> None:
    """The tables name all fields, each once, with the defaults of the code."""
    documented = [(row[2], row[3]) for row in table(section)]
    assert documented == [
        (f"`{one.name}`", "" if one.default is MISSING else f"`{shown(one.default)}`")
        for one in fields(options)
    ]


def shown(value: Any) -> str:
    """Return a default as the guide writes it."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def test_every_error_code_is_documented() -> None:
    """The table has all codes, with the names and classes of the code."""
    assert [row[:3] for row in table("Error codes")] == [
        [str(int(code)), f"`{code.name}`", f"`{type(WebSocketError(code)).__name__}`"]
        for code in ErrorCode
    ]


def test_every_event_is_documented() -> None:
    """Each event of the two objects has a line, for both of ``on`` and ``off``."""
    for section, events in (("`WebSocket`", ClientEvent), ("`WebSocketServer`", ServerEvent)):
        listed = re.findall(r"`on\('(\w+)'\)`, `off\('(\w+)'\)`", part(section))
        assert listed == [(event.value, event.value) for event in events]


@pytest.mark.parametrize(
    ("section", "kind"), [("`WebSocket`", WebSocket), ("`WebSocketServer`", WebSocketServer)]
)
def test_every_method_of_the_tables_exists(section: str, kind: type[Any]) -> None:
    """What the third column calls is there."""
    cells = " ".join(row[2] for row in table(section))
    names = [name for name in re.findall(r"`(\w+)[(`]", cells) if name not in WORDS]
    assert names
    for name in names:
        assert hasattr(kind, name) or hasattr(websocket, name), name


WORDS: Final = {
    "callback", "str", "bytes", "bytearray", "memoryview", "list", "status", "message", "code",
    "reason", "was_clean", "client_ip", "client_port", "data", "client_connection", "async",
}  # fmt: skip
"""Code in the tables that is no name of the two objects."""


def test_all_public_names_are_in_the_guide() -> None:
    """Whatever the package exports is mentioned."""
    assert [name for name in websocket.__all__ if name not in GUIDE] == []
