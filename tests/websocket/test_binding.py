"""What a server is told that may not bind: by a process that has given its rights away."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.integration

LOWEST_FREE: Final = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
NOBODY: Final = 65_534
PORT: Final = 1
"""Reserved for the system's own programs, and for a service that nobody runs."""

PROGRAM: Final = f"""
import contextlib
import os
import socket

from twisted.internet import task
from twisted_chainws.websocket import WebSocketError, WebSocketServer, WebSocketServerConfig


async def main(reactor):
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setgid({NOBODY})
        os.setuid({NOBODY})
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", {PORT}))
        print("allowed")
        return
    except OSError as error:
        print(type(error).__name__)
    server = WebSocketServer(reactor)
    for port in ({PORT}, 0):
        try:
            config = WebSocketServerConfig(server_ip="127.0.0.1", server_port=port)
            print(await server.start(config))
        except WebSocketError as error:
            print(int(error.code), error.message, error.data)
            print(type(error.__cause__).__name__, server.address)
    await server.stop()


task.react(main)
"""


def test_a_port_that_the_system_forbids() -> None:
    """(t) A port below the free ones is 201 for an ordinary user, and the server remains usable."""
    if sys.platform == "linux" and int(LOWEST_FREE.read_text()) <= PORT:
        pytest.skip("here every port is free for everybody: net.ipv4.ip_unprivileged_port_start")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    printed = done.stdout.splitlines()
    if printed == ["allowed"]:
        pytest.skip("here every port is free for everybody")
    assert printed == [
        "PermissionError",
        "201 Permission denied. not allowed by the system",
        "CannotListenError None",
        "True",
    ]
