import subprocess
import sys
from typing import Final

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.integration

PROGRAM: Final = """
import asyncio

from twisted.internet import asyncioreactor

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
asyncioreactor.install(loop)

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from twisted_chainws.websocket import (
    NotOpen,
    WebSocket,
    WebSocketRequestOptions,
    WebSocketServer,
    WebSocketServerConfig,
    open_web_socket,
)

OPTIONS = WebSocketRequestOptions(proxy="no-proxy")


async def listener_style(url):
    client = WebSocket(reactor)
    heard = []
    client.on("message", heard.append)

    @client.on("message")
    async def slowly(message):
        await Deferred.fromFuture(asyncio.ensure_future(asyncio.sleep(0.01)))
        heard.append("later")

    print("request", await client.connect(url, OPTIONS))
    print("open", (await client.when_open()).status)
    ended = client.when_closed()
    await client.send("by listener")
    while len(heard) < 2:
        await asyncio.sleep(0.01)
    print("heard", heard)
    print("rtt", await client.ping() >= 0)
    await client.close(code=4000, reason="enough")
    print("closed", (await ended).code)
    try:
        await client.send("late")
    except NotOpen:
        print("not open")


async def coroutine_style(url):
    async with open_web_socket(url, OPTIONS) as client:
        await client.send(b"by coroutine")
        print("received", await client.recv())
        try:
            async with asyncio.timeout(0.05):
                await client.recv()
        except TimeoutError:
            print("timeout")
        await asyncio.gather(client.send("one"), client.send("two"))
        both = []
        async for message in client:
            both.append(message)
            if len(both) == 2:
                break
        print("iterated", both)


async def main():
    server = WebSocketServer(reactor)

    @server.on("messageReceive")
    async def echo(message):
        await server.send(message.data, message.client_connection)

    await server.start(WebSocketServerConfig(server_ip="127.0.0.1", server_port=0))
    url = f"ws://127.0.0.1:{server.address.port}"
    await listener_style(url)
    await coroutine_style(url)
    stopped = server.when_stopped()
    print("stop", await server.stop())
    await stopped
    print("delayed calls", [call for call in reactor.getDelayedCalls() if call.active()])


def run():
    task = loop.create_task(main())
    task.add_done_callback(lambda _: reactor.stop())
    return task


reactor.callWhenRunning(lambda: globals().update(task=run()))
reactor.run()
task.result()
"""

PRINTED: Final = """\
request True
open 101
heard ['by listener', 'later']
rtt True
closed 4000
not open
received b'by coroutine'
timeout
iterated ['one', 'two']
stop True
delayed calls []
"""


def test_tasks_of_asyncio_await_everything() -> None:
    """In a process on the asyncio reactor, a task may await all that the two objects return.

    4.6 item 23.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (PRINTED, "")
