"""Connections that end in every way, and how soon that is known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.client.ethereum.nodes import DIRECT, Failed, Node, Relay, options, serving
from tests.client.warp import Warp
from tests.websocket.certificates import authority, leaf, write
from tests.websocket.scripted import limit, until
from twisted_chainws.client import EthereumClient, GaveUp, Misuse, State, Status
from twisted_chainws.client.line import is_worth_another_try
from twisted_chainws.client.options import BACKOFF
from twisted_chainws.websocket import (
    Backoff,
    CloseResult,
    ErrorCode,
    Refuse,
    ServerCert,
    WebSocketError,
)


def states(client: EthereumClient) -> list[Status]:
    """Return the list that a client's states go to from now on."""
    seen: list[Status] = []
    client.on("state", seen.append)
    return seen


@pytest.mark.integration
@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011])
@pytest_twisted.ensureDeferred
async def test_every_close_is_survived(code: int) -> None:
    """Whatever code a node closes with, the client comes back, and tells about it."""
    async with serving() as node:
        client = EthereumClient(node.url, options())
        seen = states(client)
        async with client:
            node.drop(code)
            await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        assert [status.state for status in seen] == [
            *(State.CONNECTING, State.OPEN, State.DOWN, State.CONNECTING, State.OPEN, State.CLOSED),
        ]
        assert seen[2].code == code


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_nobody_listens() -> None:
    """A refused connection is told and tried again; after enough attempts it gives up."""
    async with Relay(1) as relay:
        relay.closed = True
        backoff = replace(BACKOFF, initial_s=0.01, max_attempts=3)
        client = EthereumClient(relay.url, options(backoff=backoff))
        seen = states(client)
        with pytest.raises(GaveUp, match="Websocket connect failed"):
            await limit(client.open())
        with pytest.raises(GaveUp):
            await client.call("eth_chainId")
        with pytest.raises(GaveUp):
            await limit(client.open())
        assert [status.state for status in seen] == [State.CONNECTING, State.DOWN] * 3 + [
            State.CLOSED
        ]
        await client.close()


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_closed_again_and_again() -> None:
    """Connections that end at once are failed attempts, too."""
    async with serving() as node:
        node.server.on("connect", lambda _: node.drop(1008))
        backoff = replace(BACKOFF, initial_s=0.01, max_attempts=3)
        client = EthereumClient(node.url, options(backoff=backoff))
        with pytest.raises(GaveUp, match="closed: 1008"):
            await limit(client.open())
        assert client.status.code == 1008
        assert len(node.handshakes) == 3


@pytest.mark.integration
@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest_twisted.ensureDeferred
async def test_refused_for_good(status: int) -> None:
    """A handshake that is refused for what we are is not repeated."""
    async with serving() as node:
        node.refusal = Refuse(status=status, body=b"No")
        client = EthereumClient(node.url, options())
        with pytest.raises(GaveUp) as refused:
            await limit(client.open())
        assert refused.value.http_status == status
        assert client.status.code == status
        assert client.state is State.CLOSED
        assert len(node.handshakes) == 1


@pytest.mark.integration
@pytest.mark.parametrize(("header", "least", "most"), [("7", 7.0, 8.5), (None, 0.8, 2.0)])
@pytest_twisted.ensureDeferred
async def test_too_many_requests(header: str | None, least: float, most: float) -> None:
    """After 429 it waits as long as it is told to, or the usual time."""
    warp = Warp()
    async with serving() as node:
        more = () if header is None else (("Retry-After", header),)
        node.refusal = Refuse(status=429, body=b"Slow down", headers=more)
        client = EthereumClient(
            node.url, options(backoff=BACKOFF), reactor=warp, uniform=lambda low, _high: low
        )
        opening = client.open()
        await warp.until(lambda: client.status == Status(State.DOWN, client.status.reason, 429))
        node.refusal = None
        assert least <= await warp.until(lambda: len(node.handshakes) == 2, 60) <= most
        await warp.until(lambda: client.state is State.OPEN)
        await opening
        closing = client.close()
        await warp.until(lambda: closing.called)
        assert warp.calls == []


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_waits_grow_by_half() -> None:
    """Waits are 1 s, growing by half up to 30 s, a fifth more or less."""
    warp = Warp()
    asked: list[tuple[float, float]] = []

    def longest(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    async with Relay(1) as relay:
        relay.closed = True
        client = EthereumClient(relay.url, options(backoff=BACKOFF), reactor=warp, uniform=longest)
        client.open().addErrback(lambda _: None)
        await warp.until(lambda: len(asked) == 11, 10_000)
        closing = client.close()
        await warp.until(lambda: closing.called)
        assert warp.calls == []
    middles = [(low + high) / 2 for low, high in asked]
    assert middles == pytest.approx([min(30.0, 1.5**n) for n in range(11)])
    assert [high / low for low, high in asked] == pytest.approx([1.5] * 11)


@pytest.mark.integration
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"heartbeat_s": 0.0},
        {"web_socket": replace(DIRECT, ping_interval=0, pong_timeout=0)},
    ],
)
@pytest_twisted.ensureDeferred
async def test_half_open_connections_are_noticed(more: dict[str, Any]) -> None:
    """A connection over which nothing goes any more is dropped within 40 s of silence.

    By pings, by questions, and by both.
    """
    warp = Warp()
    async with serving() as node, Relay(node.port) as relay:
        client = EthereumClient(relay.url, options(**more), reactor=warp)
        opening = client.open()
        await warp.until(lambda: opening.called)
        relay.mute = True
        passed = await warp.until(lambda: client.state is State.DOWN, 60)
        assert 39 <= passed <= 40.5
        relay.mute = False
        await warp.until(lambda: client.state is State.OPEN, 60)
        assert client.counters.reconnects == 1
        closing = client.close()
        await warp.until(lambda: closing.called)
        assert warp.calls == []


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_half_open_in_real_time() -> None:
    """The same by the real clock: a call that was under way is answered over the next one."""
    settings = options(heartbeat_s=0.2, heartbeat_answer_s=0.2)
    async with (
        serving() as node,
        Relay(node.port) as relay,
        EthereumClient(relay.url, settings) as client,
    ):
        relay.mute = True
        seen = states(client)
        asking = client.call("eth_blockNumber")
        await until(lambda: client.state is State.DOWN)
        relay.mute = False
        assert await asking == "0x5"
        assert seen[0] == Status(State.DOWN, "no answer to a heartbeat", 1006)
        assert client.counters.silent_ends == 1
        assert client.counters.resent == 1


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_silence_is_no_fault_as_long_as_questions_are_answered() -> None:
    """A node without news stays connected; an error is an answer, too."""
    warp = Warp()
    async with serving() as node:
        client = EthereumClient(node.url, options(), reactor=warp)
        opening = client.open()
        await warp.until(lambda: opening.called)

        def refuse() -> None:
            raise Failed({"code": -32601, "message": "net_version is not available"})

        node.answers["net_version"] = refuse
        await warp.until(lambda: node.count("net_version") == 3, 200)
        assert client.counters.heartbeats == 3
        assert client.counters.reconnects == 0
        closing = client.close()
        await warp.until(lambda: closing.called)


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_too_long_for_the_line() -> None:
    """What is longer than may be sent fails at once, and harms nobody else."""
    async with serving() as node:
        short = replace(DIRECT, max_send_size=1_000)
        async with EthereumClient(node.url, options(web_socket=short)) as client:
            with pytest.raises(Misuse):
                await client.call("eth_call", "0x" + "00" * 1_000)
            assert await client.call("eth_chainId") == "0x7a69"


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_hundred_mebibytes_come_in() -> None:
    """An answer of 100 MiB is taken by default."""
    size = 100 * 1024 * 1024
    async with serving() as node:
        node.answers["debug_traceBlock"] = lambda: "x" * size
        async with EthereumClient(node.url, options()) as client:
            assert len(await client.call("debug_traceBlock")) == size


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_credentials_and_headers_go_along() -> None:
    """Credentials of the URL and headers of the options are in the request, not in any repr."""
    async with serving() as node:
        url = node.url.replace("ws://", "ws://user:secret@")
        more = replace(DIRECT, header={"X-Key": "hidden"})
        async with EthereumClient(url, options(web_socket=more)) as client:
            assert "secret" not in repr(client)
        (handshake,) = node.handshakes
        assert handshake.headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="
        assert handshake.headers["x-key"] == "hidden"
        assert "hidden" not in repr(options(web_socket=more))


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_tls(tmp_path: Path) -> None:
    """Over TLS it is the same; a certificate that is not trusted is not tried again."""
    root = authority("root")
    ours = leaf(root, addresses=["127.0.0.1"])
    node = Node()
    node.cert = ServerCert(
        write(tmp_path, "cert.pem", ours.pem), write(tmp_path, "key.pem", ours.key_pem())
    )
    trusting = replace(DIRECT, ca_path=write(tmp_path, "ca.pem", root.pem))
    await node.start()
    try:
        async with EthereumClient(node.url, options(web_socket=trusting)) as client:
            heads = await client.subscribe("newHeads")
            node.drop()
            await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
            node.mine(1)
            assert (await limit(heads.next())).number == 6
        distrusting = EthereumClient(node.url, options())
        with pytest.raises(GaveUp, match="connect failed"):
            await limit(distrusting.open())
    finally:
        await node.stop()


@pytest.mark.parametrize(
    ("end", "again"),
    [
        *((CloseResult(code, ""), True) for code in (1000, 1002, 1006, 1008, 1009, 4000)),
        *((WebSocketError(200, http_status=status), False) for status in (301, 400, 401, 403, 404)),
        *((WebSocketError(200, http_status=status), True) for status in (408, 429, 500, 520, 503)),
        (WebSocketError(200), True),
        *((WebSocketError(code), False) for code in ErrorCode if code != ErrorCode.CONNECT_FAILED),
    ],
)
def test_ends_worth_another_try(end: Any, again: bool) -> None:
    """Closes and faults of the server are tried again, refusals of ourselves are not."""
    assert is_worth_another_try(end) is again


def test_nothing_is_connected_before_it_is_opened() -> None:
    """A client that was only made does nothing, and can be closed."""
    node = Node()
    client = EthereumClient("ws://127.0.0.1:1/", options(backoff=Backoff()))
    closing = client.close()
    assert closing.called
    assert node.handshakes == []
