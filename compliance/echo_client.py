"""The client that is tested: ``WebSocket``, which sends every message back as it came.

Usage: ``python -m compliance.echo_client URL AGENT``, with the URL of the testsuite's server.

Source: AutobahnTestSuite 25.10.1, ``docs/usage.rst``: paths /getCaseCount, /runCase and
/updateReports.
"""

import sys
from typing import Any
from urllib.parse import urlencode

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.logger import globalLogBeginner, textFileLogObserver

from twisted_chainws.websocket import WebSocket, WebSocketRequestOptions

OPTIONS = WebSocketRequestOptions(proxy="no-proxy", max_send_size=None)


async def visit(reactor: Any, url: str, *, echo: bool) -> list[str | bytes]:
    """Connect, take messages until the server closes, and return them unless they are echoed."""
    client = WebSocket(reactor)
    ended: Deferred[None] = Deferred()
    heard: list[str | bytes] = []

    @client.on("message")
    def hear(data: str | bytes) -> None:
        if not echo:
            heard.append(data)
            return
        # A case may have closed its connection before it reads the answer.
        client.send(data).addErrback(lambda _failure: None)

    client.on("close", lambda _result: ended.callback(None))
    await client.connect(url, OPTIONS)
    await client.when_open()
    await ended
    return heard


async def run(reactor: Any, url: str, agent: str) -> None:
    """Go through all cases of the testsuite's server, then ask for its reports."""
    name = urlencode({"agent": agent})
    (count,) = await visit(reactor, f"{url}/getCaseCount", echo=False)
    for case in range(1, int(count) + 1):
        await visit(reactor, f"{url}/runCase?case={case}&{name}", echo=True)
    await visit(reactor, f"{url}/updateReports?{name}", echo=False)


def main() -> None:
    """Run to the end."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    task.react(run, sys.argv[1:])


if __name__ == "__main__":
    main()
