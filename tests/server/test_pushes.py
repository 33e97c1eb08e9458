"""Connections with one interest each, over real sockets: what they are told, and when they end."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from tests.dialects import pushes
from tests.server.peer import CLOSE, PING, PONG, TEXT, Stand, frame, pause, request, until
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.server.factory import ServerSettings
from twisted_chainws.testing import make_transaction

pytestmark = pytest.mark.integration

PUSHES: dict[str, Any] = {"dialects": (pushes.DIALECT,), "dialect": pushes.DIALECT}


@pytest.mark.parametrize("direct", [True, False])
@pytest_twisted.ensureDeferred
async def test_the_reply_to_a_transaction_leaves_before_the_word_of_its_block(direct: bool) -> None:
    """Even though it is mined while it is sent; each of both comes exactly once."""
    limits = Limits()
    async with Stand(ServerSettings(direct=direct, limits=limits), **PUSHES) as stand:
        transaction = make_transaction(0)
        perform = stand.service.perform

        def mining(call: Any) -> "Deferred[Any]":
            stand.source.mine((transaction, []))
            answer: Deferred[Any] = perform(call)
            return answer

        stand.service.perform = mining
        sender, follower, both = [await stand.ws() for _ in range(3)]
        for peer in (follower, both):
            assert await peer.call("p_follow", ["transaction", "block"], []) == [
                ["block", "transaction"], [], False,
            ]  # fmt: skip
        told = {"transaction": transaction.hash.hex()}
        both.send(frame(request(5, "p_send", transaction.hash.hex())))
        assert (await both.json())["result"] == "sent"
        assert [await both.json(), await both.json()] == [told, {"block": 1}]
        assert [await follower.json(), await follower.json()] == [told, {"block": 1}]
        transaction = make_transaction(1)
        told = {"transaction": transaction.hash.hex()}
        sender.send(frame(request(6, "p_send", transaction.hash.hex()) + b" "))
        assert (await sender.json())["result"] == "sent"
        assert await sender.json() == told
        stand.service.perform = perform
        assert await sender.call("p_interest") == [[], None, False]


@pytest_twisted.ensureDeferred
async def test_pushes_wait_for_an_answer_that_takes_long() -> None:
    """Blocks that come meanwhile are told of behind it, in order; other connections hear at once."""
    async with Stand(**PUSHES) as stand:
        waiting: Deferred[Any] = Deferred()
        stand.service.perform = lambda _call: waiting
        peer, other = await stand.ws(), await stand.ws()
        for each in (peer, other):
            await each.call("p_follow", ["block"], [])
        peer.send(frame(request(1, "p_slow")))
        await until(lambda: any(each._calls for each in stand.site.websockets.connections))
        stand.source.mine()
        stand.source.mine()
        assert [await other.json(), await other.json()] == [{"block": 1}, {"block": 2}]
        waiting.callback(None)
        assert (await peer.json())["result"] == "slow"
        assert [await peer.json(), await peer.json()] == [{"block": 1}, {"block": 2}]


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_is_told_and_closed_1000() -> None:
    """Pings and pushes do not count; whoever asks stays."""
    async with Stand(limits={"idle_s": 0.4}, **PUSHES) as stand:
        silent, asking = await stand.ws(), await stand.ws()
        await silent.call("p_follow", ["block"], [])
        seen: list[tuple[int, bytes]] = []
        for _ in range(12):
            await pause(0.1)
            assert await asking.call("p_interest") == [[], None, False]
            if not silent.lost:
                silent.send(frame(b"", PING))
                stand.source.mine()
        while not seen or seen[-1][0] != CLOSE:
            seen.append(await silent.frame())
        assert {opcode for opcode, _ in seen[:-2]} == {PONG, TEXT}
        assert orjson.loads(seen[-2][1])["error"]["message"] == pushes.EXPIRED.message
        assert seen[-1][1] == b"\x03\xe8nothing asked for 0.4 s"
        silent.send(frame(b"\x03\xe8", CLOSE))
        await silent.gone()
        assert await asking.call("p_sessions") == 1
        asking.drop()
        await until(lambda: not stand.site.websockets.connections)
        assert stand.site.websockets._sweeping is None


@pytest_twisted.ensureDeferred
async def test_more_connections_than_a_dialect_takes_are_closed_1013() -> None:
    """Their handshake succeeds and nothing is said; when one leaves there is room again."""
    async with Stand(limits={"connections": 2}, **PUSHES) as stand:
        peers = [await stand.ws() for _ in range(2)]
        assert await peers[0].call("p_sessions") == 2
        refused = await stand.ws()
        assert await refused.frame() == (CLOSE, b"\x03\xf5too many connections")
        refused.drop()
        await until(lambda: len(stand.site.websockets.connections) == 2)
        assert await peers[0].call("p_sessions") == 2
        peers[1].drop()
        await until(lambda: len(stand.site.websockets.connections) == 1)
        assert (await stand.post(request(1, "p_sessions")))[2].endswith(b'"result":1}')
        assert await (await stand.ws()).call("p_sessions") == 2


@pytest_twisted.ensureDeferred
async def test_on_the_combined_port_connections_count_once_their_dialect_is_settled() -> None:
    """A connection that has said nothing speaks no dialect; bounds hold for each dialect."""
    small = replace(
        pushes.DIALECT,
        limits=Limits(connections=1),
        claims=lambda data: b'"p_' in data,
    )
    async with Stand(ServerSettings(), dialects=(small, DIALECTS[0]), dialect=None) as stand:
        silent = await stand.ws()
        first, second, other = [await stand.ws() for _ in range(3)]
        assert await first.call("p_sessions") == 1
        second.send(frame(request(1, "p_sessions")))
        assert await second.ended() == (1013, "too many connections")
        assert await other.call("eth_blockNumber") == "0x0"
        assert stand.service.view(DIALECTS[0]).sessions == 1
        assert await first.call("p_sessions") == 1
        first.drop()
        await until(lambda: stand.service.view(small).sessions == 0)
        assert await silent.call("p_sessions") == 1


@pytest.mark.parametrize("combined", [True, False])
@pytest_twisted.ensureDeferred
async def test_the_limit_of_a_message_is_exact(combined: bool) -> None:
    """A message of 1 MiB is answered, one byte more closes with 1009; also the first one."""
    most = 1_048_576
    dialect = replace(pushes.DIALECT, limits=Limits(message_bytes=most))
    dialects = (DIALECTS[0], dialect) if combined else (dialect,)
    path = "/pushes" if combined else "/"
    async with Stand(
        ServerSettings(), dialects=dialects, dialect=None if combined else dialect
    ) as stand:
        asked = request(1, "p_sessions")
        fits, exceeds = (asked.ljust(size) for size in (most, most + 1))
        for before in (b"", frame(fits)):
            peer = await stand.ws(path)
            if before:
                peer.send(before)
                assert (await peer.json())["result"] == 1
            peer.send(frame(exceeds))
            assert (await peer.ended())[0] == 1009


@pytest_twisted.ensureDeferred
async def test_a_first_message_on_the_combined_port_may_be_as_large_as_its_dialect_takes() -> None:
    """Until then the largest of all limits holds."""
    most = 1_048_576
    small = replace(
        pushes.DIALECT,
        limits=Limits(message_bytes=most),
        claims=lambda data: b'"p_' in data,
    )
    async with Stand(ServerSettings(), dialects=(small, DIALECTS[0]), dialect=None) as stand:
        for size, code in ((most, None), (most + 1, 1009)):
            peer = await stand.ws()
            peer.send(frame(request(1, "p_sessions").ljust(size)))
            if code is None:
                assert (await peer.json())["result"] == 1
                peer.drop()
                await until(lambda: stand.service.view(small).sessions == 0)
            else:
                assert (await peer.ended())[0] == code
