import zlib
from dataclasses import replace
from typing import Any

import orjson
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from tests.server.peer import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Peer,
    Stand,
    frame,
    pause,
    reactor,
    request,
    until,
)
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import SourceUnavailable
from twisted_chainws.server.factory import ServerSettings
from twisted_chainws.server.protocol import choose_subprotocol

pytestmark = pytest.mark.integration

BLOCK_NUMBER = request(1, "eth_blockNumber")
ANSWER = {"jsonrpc": "2.0", "id": 1, "result": "0x0"}


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("compression", [True, False])
@pytest_twisted.ensureDeferred
async def test_text_and_binary_are_answered_as_text(direct: bool, compression: bool) -> None:
    """A request in a text or a binary frame gets one text message, whatever way it is written."""
    async with Stand(ServerSettings(direct=direct, compression=compression)) as stand:
        peer = await stand.ws()
        for opcode in (TEXT, BINARY):
            peer.send(frame(BLOCK_NUMBER, opcode))
            assert await peer.json() == ANSWER


@pytest.mark.parametrize("direct", [True, False])
@pytest_twisted.ensureDeferred
async def test_reply_with_the_id_comes_before_notices(direct: bool) -> None:
    """Subscriptions answer first, then deliver every block in order."""
    async with Stand(ServerSettings(direct=direct)) as stand:
        peer = await stand.ws()
        identifier = await peer.call("eth_subscribe", "newHeads")
        for number in range(1, 4):
            stand.source.mine()
            notice = await peer.json()
            assert notice["params"]["subscription"] == identifier
            assert notice["params"]["result"]["number"] == hex(number)


@pytest_twisted.ensureDeferred
async def test_notices_caused_in_the_same_read_follow_the_reply() -> None:
    """A call that mines, sent right behind a subscription, does not overtake its reply."""
    async with Stand() as stand:
        stand.source.answers["anvil_mine"] = stand.source.answers["evm_mine"] = lambda _params: (
            stand.source.mine() and None
        )
        perform = stand.service.perform

        def mining(call: Any) -> "Deferred[Any]":
            stand.source.mine()
            answer: Deferred[Any] = perform(call)
            return answer

        stand.service.perform = mining
        peer = await stand.ws()
        peer.send(
            frame(request(1, "eth_subscribe", "newHeads"))
            + frame(request(2, "eth_sendRawTransaction", "0x02c0"))
        )
        first = await peer.json()
        assert first["id"] == 1
        second = await peer.json()
        assert second["params"]["subscription"] == first["result"]
        assert (await peer.json())["id"] == 2


@pytest_twisted.ensureDeferred
async def test_fragments_with_a_ping_between_them() -> None:
    """A message in three fragments is one message; the ping in between is answered at once."""
    async with Stand() as stand:
        peer = await stand.ws()
        peer.send(frame(BLOCK_NUMBER[:10], TEXT, fin=False))
        peer.send(frame(b"are you there", PING))
        assert await peer.frame() == (PONG, b"are you there")
        peer.send(frame(BLOCK_NUMBER[10:12], 0, fin=False) + frame(BLOCK_NUMBER[12:], 0))
        assert await peer.json() == ANSWER
        peer.send(frame(BLOCK_NUMBER))
        assert await peer.json() == ANSWER


@pytest_twisted.ensureDeferred
async def test_frames_byte_by_byte() -> None:
    """A frame that comes in single bytes is answered like any other."""
    async with Stand() as stand:
        peer = await stand.ws()
        for byte in frame(BLOCK_NUMBER) + frame(BLOCK_NUMBER, BINARY):
            peer.send(bytes([byte]))
            await pause()
        assert await peer.json() == ANSWER
        assert await peer.json() == ANSWER


@pytest_twisted.ensureDeferred
async def test_long_messages() -> None:
    """Messages of every length encoding are understood, split at any place or not."""
    async with Stand() as stand:
        peer = await stand.ws()
        for padding in (200, 2_000, 65_536, 300_000):
            data = frame(BLOCK_NUMBER + b" " * padding)
            peer.send(data[: len(data) // 2])
            await pause(0.01)
            peer.send(data[len(data) // 2 :] + frame(BLOCK_NUMBER))
            assert await peer.json() == ANSWER
            assert await peer.json() == ANSWER


@pytest_twisted.ensureDeferred
async def test_message_over_the_limit_closes_1009() -> None:
    """A message over the limit ends the connection with 1009, whole or in fragments."""
    async with Stand(limits={"message_bytes": 1_000}) as stand:
        for data in (
            frame(b" " * 1_001),
            frame(b" " * 600, fin=False) + frame(b" " * 600, 0),
        ):
            peer = await stand.ws()
            peer.send(frame(BLOCK_NUMBER) + data)
            assert await peer.json() == ANSWER
            assert (await peer.ended())[0] == 1009


@pytest.mark.parametrize("fragmented", [True, False])
@pytest_twisted.ensureDeferred
async def test_invalid_utf8_closes_1007_after_the_replies(fragmented: bool) -> None:
    """Invalid UTF-8 in text ends the connection with 1007 behind the answers made so far."""
    async with Stand() as stand:
        peer = await stand.ws()
        bad = b'{"method":"\xff\xfe"}'
        data = frame(bad[:5], fin=False) + frame(bad[5:], 0) if fragmented else frame(bad)
        peer.send(frame(BLOCK_NUMBER) + data + frame(BLOCK_NUMBER))
        assert await peer.json() == ANSWER
        opcode, payload = await peer.frame()
        assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, 1007)


@pytest_twisted.ensureDeferred
async def test_malformed_json_keeps_the_connection() -> None:
    """Bad JSON, an empty message and valid non-ASCII text are answered; the connection stays."""
    async with Stand() as stand:
        peer = await stand.ws()
        for text in (b"{", b""):
            peer.send(frame(text))
            assert (await peer.json())["error"]["code"] == -32700
        peer.send(frame('{"jsonrpc":"2.0","id":"ä€😀","method":"eth_blockNumber"}'.encode()))
        assert await peer.json() == ANSWER | {"id": "ä€😀"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(BLOCK_NUMBER, mask=None), 1002),
        (frame(b"", 3), 1002),
        (b"\xc1" + frame(BLOCK_NUMBER)[1:], 1002),
        (b"\x81\xfe\x00\x05" + b"\0" * 9, 1002),
        (frame(b"x", 0), 1002),
        (frame(b"\x03", CLOSE), 1002),
    ],
    ids=["unmasked", "reserved opcode", "reserved bit", "long length", "continuation", "close"],
)
@pytest_twisted.ensureDeferred
async def test_protocol_violations(data: bytes, code: int) -> None:
    """What RFC 6455 forbids ends the connection with its code."""
    async with Stand() as stand:
        peer = await stand.ws()
        peer.send(data)
        assert (await peer.ended())[0] == code


@pytest.mark.parametrize(("code", "reason"), [(1000, b""), (4999, b"bye"), (1001, b"off")])
@pytest_twisted.ensureDeferred
async def test_close_is_echoed_behind_the_replies(code: int, reason: bytes) -> None:
    """A Close is answered by the same code and reason after the replies, and TCP ends."""
    async with Stand() as stand:
        peer = await stand.ws()
        payload = code.to_bytes(2, "big") + reason
        peer.send(frame(BLOCK_NUMBER) + frame(payload, CLOSE))
        assert await peer.json() == ANSWER
        assert await peer.frame() == (CLOSE, payload)
        await peer.gone()
        await until(lambda: not stand.site.websockets.connections)


@pytest_twisted.ensureDeferred
async def test_subscriptions_end_with_the_connection() -> None:
    """A dropped connection leaves nothing in the registry."""
    async with Stand() as stand:
        peer = await stand.ws()
        await peer.call("eth_subscribe", "newHeads")
        registry = stand.service.registry(DIALECTS[0])
        assert len(registry) == 1
        peer.drop()
        await until(lambda: len(registry) == 0)
        stand.source.mine()


@pytest_twisted.ensureDeferred
async def test_many_requests_in_one_write_are_all_answered_in_order() -> None:
    """Five thousand pipelined requests, more than one turn handles, are answered one by one."""
    async with Stand() as stand:
        peer = await stand.ws()
        peer.send(b"".join(frame(request(i, "eth_blockNumber")) for i in range(5_000)))
        for i in range(5_000):
            assert (await peer.json())["id"] == i


class Slow:
    """Stands in for ``perform``: answers when told."""

    def __init__(self) -> None:
        self.open: list[Deferred[Any]] = []
        self.cancelled = 0

    def __call__(self, _call: Any) -> "Deferred[Any]":
        answer: Deferred[Any] = Deferred(self._cancel)
        self.open.append(answer)
        return answer

    def _cancel(self, _deferred: "Deferred[Any]") -> None:
        self.cancelled += 1


@pytest_twisted.ensureDeferred
async def test_busy_session_stops_reading_and_goes_on() -> None:
    """With the limit of open forwards reached no further message is handled until one is done."""
    async with Stand(limits={"open_forwards": 2}) as stand:
        slow = Slow()
        stand.service.perform = slow
        peer = await stand.ws()
        sends = [frame(request(i, "eth_sendRawTransaction", "0x02c0")) for i in range(5)]
        peer.send(b"".join(sends) + frame(BLOCK_NUMBER[:9], fin=False) + frame(b"", PING))
        peer.send(frame(BLOCK_NUMBER[9:], 0))
        await until(lambda: len(slow.open) == 2)
        await pause(0.05)
        assert len(slow.open) == 2
        assert not peer.buffer
        for index in range(5):
            await until(lambda index=index: len(slow.open) > index)
            slow.open[index].callback(hex(index))
        seen = [await peer.frame() for _ in range(7)]
        answers = [orjson.loads(payload) for opcode, payload in seen if opcode == TEXT]
        # The last one needs no forward: it is free to go as soon as the fifth is under way.
        assert [answer["id"] for answer in answers] == [0, 1, 2, 3, 1, 4]
        assert (PONG, b"") in seen


@pytest_twisted.ensureDeferred
async def test_vanished_client_cancels_its_calls() -> None:
    """Calls to the source are cancelled when their connection is lost, and nothing breaks."""
    async with Stand() as stand:
        slow = Slow()
        stand.service.perform = slow
        peer = await stand.ws()
        peer.send(frame(request(1, "eth_sendRawTransaction", "0x02c0")))
        await until(lambda: slow.open)
        peer.drop()
        await until(lambda: slow.cancelled == 1)


@pytest_twisted.ensureDeferred
async def test_failed_call_is_worded_by_the_dialect() -> None:
    """A model exception of the source becomes an error answer."""
    async with Stand() as stand:
        slow = Slow()
        stand.service.perform = slow
        peer = await stand.ws()
        peer.send(frame(request(1, "eth_sendRawTransaction", "0x02c0")))
        await until(lambda: slow.open)
        slow.open[0].errback(Failure(SourceUnavailable(reason="gone")))
        assert (await peer.json())["error"]["code"] < 0


def stop_reading(peer: Peer) -> None:
    """Let the kernel's buffers fill up."""
    peer.transport.pauseProducing()  # type: ignore[union-attr]


@pytest.mark.parametrize("direct", [True, False])
@pytest_twisted.ensureDeferred
async def test_client_that_asks_and_never_reads_is_not_served_without_end(direct: bool) -> None:
    """Unsent replies are bounded: reading stops, what was read waits, and all comes in the end."""
    limits = Limits(unsent_reply_bytes=100_000)
    async with Stand(ServerSettings(limits=limits, direct=direct)) as stand:
        for _ in range(30):
            stand.source.mine()
        peer = await stand.ws()
        connection: Any = next(iter(stand.site.websockets.connections))
        stop_reading(peer)
        calls = [request(i, "eth_getBlockByNumber", "latest", False) for i in range(6_000)]
        peer.send(b"".join(frame(call) for call in calls))
        await until(lambda: connection.holding and connection.stuck())
        await pause(0.1)
        assert connection.holding
        assert connection._outlet.unsent < 100_000 + 2 * 262_144
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        for i in range(6_000):
            assert (await peer.json())["id"] == i
        assert not connection.holding


@pytest.mark.parametrize("direct", [True, False])
@pytest_twisted.ensureDeferred
async def test_slow_reader_gets_its_notices_later_in_order(direct: bool) -> None:
    """Notices wait for a reader that pauses, and arrive complete and in order."""
    async with Stand(ServerSettings(direct=direct, limits=Limits())) as stand:
        peer = await stand.ws()
        await peer.call("eth_subscribe", "newHeads")
        connection: Any = next(iter(stand.site.websockets.connections))
        stop_reading(peer)
        count = 0
        while not (connection.stuck() and connection._session.backlog.size > 100):
            stand.source.mine()
            count += 1
            if count % 50 == 0:
                await pause()
            assert count < 50_000
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        for number in range(1, count + 1):
            assert (await peer.json())["params"]["result"]["number"] == hex(number)
        stand.source.mine()
        assert (await peer.json())["params"]["result"]["number"] == hex(count + 1)


@pytest_twisted.ensureDeferred
async def test_notification_buffer_overflow_closes_1008() -> None:
    """A reader that lets the limit of notices wait is closed with 1008; others are not hurt."""
    async with Stand(limits={"queued_notices": 500}) as stand:
        peer, other = await stand.ws(), await stand.ws()
        (first, second) = stand.site.websockets.connections
        for each in (peer, other):
            await each.call("eth_subscribe", "newHeads")
        stop_reading(peer)
        connections = {first, second}
        count = 0
        while not any(each.state != each.STATE_OPEN for each in connections):
            stand.source.mine()
            count += 1
            await pause()
            assert count < 50_000
        assert len(stand.service.registry(DIALECTS[0])) == 1
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        assert await peer.ended() == (1008, "notification buffer overflow")
        for _ in range(count):
            await other.json()
        stand.source.mine()
        assert (await other.json())["params"]["result"]["number"] == hex(count + 1)


@pytest_twisted.ensureDeferred
async def test_ten_thousand_notices_are_too_many() -> None:
    """Unless configured otherwise the buffer ends at 10,000 notices, and the connection with it."""
    async with Stand(ServerSettings()) as stand:
        peer = await stand.ws()
        connection: Any = next(iter(stand.site.websockets.connections))
        other = await stand.ws()
        await peer.call("eth_subscribe", "newHeads")
        stop_reading(peer)
        while not connection.backlog.dropped:
            for _ in range(100):
                stand.source.mine()
            assert int(await other.call("eth_blockNumber"), 16) < 50_000
        assert (connection.backlog.high_water, connection.backlog.dropped) == (10_000, 10_000)
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        assert await peer.ended() == (1008, "notification buffer overflow")


@pytest_twisted.ensureDeferred
async def test_a_connection_has_figures_about_its_slow_reader() -> None:
    """Operators see what waits, the most that ever did, and what was thrown away at the end."""
    async with Stand(ServerSettings(limits=Limits(queued_notices=100))) as stand:
        peer = await stand.ws()
        connection: Any = next(iter(stand.site.websockets.connections))
        await peer.call("eth_subscribe", "newHeads")
        figures = connection.backlog
        assert (figures.size, figures.high_water, figures.dropped) == (0, 0, 0)
        stop_reading(peer)
        with capturedLogs() as events:
            while not figures.dropped:
                stand.source.mine()
                await pause()
                assert figures.size <= figures.high_water <= 100
            assert (figures.size, figures.high_water, figures.dropped) == (0, 100, 100)
            peer.transport.resumeProducing()  # type: ignore[union-attr]
            await peer.ended()
            await until(lambda: not stand.site.websockets.connections)
        (told,) = [event for event in events if "high_water" in event]
        assert (told["high_water"], told["dropped"]) == (100, 100)
        assert (told["code"], told["reason"]) == (1008, "notification buffer overflow")


@pytest_twisted.ensureDeferred
async def test_too_many_requests_at_a_time_are_refused() -> None:
    """In the alchemy profile the eleventh unanswered request is code 429 under its id."""
    async with Stand(profile=Profile.ALCHEMY) as stand:
        slow = Slow()
        stand.service.perform = slow
        peer = await stand.ws()
        for number in range(10):
            peer.send(frame(request(number, "eth_sendRawTransaction", "0x02c0")))
        await until(lambda: len(slow.open) == 10)
        peer.send(frame(BLOCK_NUMBER))
        answer = await peer.json()
        assert (answer["id"], answer["error"]["code"]) == (1, 429)
        assert answer["error"]["message"].startswith(
            "Your app has exceeded its concurrent requests capacity."
        )
        slow.open[0].callback(b"\0" * 32)
        assert (await peer.json())["id"] == 0
        assert await peer.call("eth_blockNumber") == "0x0"


@pytest_twisted.ensureDeferred
async def test_throughput_is_that_of_the_key_over_all_its_connections() -> None:
    """Two connections of one key spend from one account; another key has its own."""
    async with Stand(ServerSettings(compute_units_per_s=1, compute_burst_s=20)) as stand:
        one, two = await stand.ws("/v2/mine"), await stand.ws("/ws/mine")
        other = await stand.ws("/v2/other")
        for peer in (one, two):
            assert await peer.call("eth_blockNumber") == "0x0"
        for peer in (one, two):
            peer.send(frame(BLOCK_NUMBER))
            answer = await peer.json()
            assert (answer["id"], answer["error"]["code"]) == (1, 429)
            assert await peer.call("net_version") == "31337"
        assert await other.call("eth_blockNumber") == "0x0"


@pytest_twisted.ensureDeferred
async def test_bounds_of_a_websocket_batch() -> None:
    """Over the limit of the profile a batch is refused whole, in the profile's words."""
    for profile, most, text in (
        (Profile.ALCHEMY, 20, "The maximum batch size that can be sent over a websocket"),
        (Profile.GETH, 1_000, "batch too large"),
    ):
        async with Stand(profile=profile) as stand:
            peer = await stand.ws()
            peer.send(frame(b"[" + b",".join([BLOCK_NUMBER] * most) + b"]"))
            assert await peer.json() == [ANSWER] * most
            peer.send(frame(b"[" + b",".join([BLOCK_NUMBER] * (most + 1)) + b"]"))
            (answer,) = await peer.json()
            assert (answer["id"], answer["error"]["code"]) == (1, -32600)
            assert answer["error"]["message"].startswith(text)


@pytest_twisted.ensureDeferred
async def test_one_subscription_too_many() -> None:
    """It is refused in our words; the others go on."""
    async with Stand(limits={"subscriptions": 2}) as stand:
        peer = await stand.ws()
        for _ in range(2):
            await peer.call("eth_subscribe", "newHeads")
        peer.send(frame(request(1, "eth_subscribe", "newHeads")))
        assert (await peer.json())["error"] == {
            "code": -32600,
            "message": "exceeded max subscriptions per connection",
        }


@pytest.mark.parametrize("text", [b"{", b"", b"not json", b'{"id":1'])
@pytest_twisted.ensureDeferred
async def test_geth_hangs_up_after_malformed_json(text: bytes) -> None:
    """That profile closes with 1000 behind its answer; the others keep the connection."""
    async with Stand(profile=Profile.GETH) as stand:
        peer = await stand.ws()
        peer.send(frame(text) + frame(BLOCK_NUMBER))
        answer = await peer.json()
        assert (answer["id"], answer["error"]["code"]) == (None, -32700)
        assert await peer.ended() == (1000, "")
    async with Stand() as stand:
        peer = await stand.ws()
        peer.send(frame(text) + frame(BLOCK_NUMBER))
        assert (await peer.json())["error"]["code"] == -32700
        assert await peer.json() == ANSWER


@pytest_twisted.ensureDeferred
async def test_silent_peer_is_pinged_then_dropped() -> None:
    """After silence of ours the server pings; no sign of life ends the connection."""
    async with Stand(limits={"ping_interval_s": 0.05, "ping_timeout_s": 0.2}) as stand:
        peer = await stand.ws()
        assert await peer.frame() == (PING, b"")
        peer.send(frame(b"", PONG))
        assert await peer.frame() == (PING, b"")
        peer.send(frame(BLOCK_NUMBER))
        assert await peer.json() == ANSWER
        assert await peer.frame() == (PING, b"")
        await peer.gone()


@pytest.mark.parametrize("reads", [True, False])
@pytest_twisted.ensureDeferred
async def test_slow_reader_lives_as_long_as_it_reads(reads: bool) -> None:
    """A missing pong is excused while the peer works off what lies before the ping, not longer."""
    async with Stand(
        limits={"ping_interval_s": 0.1, "ping_timeout_s": 0.3, "unsent_reply_bytes": 100_000}
    ) as stand:
        peer = await stand.ws()
        connection: Any = next(iter(stand.site.websockets.connections))
        stop_reading(peer)
        call = request(1, "eth_getBlockByNumber", "latest", False)
        peer.send(frame(b"[" + b",".join([call] * 1_000) + b"]") * 15)
        await until(lambda: connection.holding and connection.stuck())
        if not reads:
            await until(lambda: not stand.site.websockets.connections)
            return
        started = reactor.seconds()
        while reactor.seconds() - started < 1.5:
            peer.transport.resumeProducing()  # type: ignore[union-attr]
            await pause(0.005)
            peer.transport.pauseProducing()  # type: ignore[union-attr]
            peer.buffer.clear()
            # An honest peer: its pongs just lie behind the server's paused reading.
            peer.send(frame(b"", PONG))
            await pause(0.05)
        assert stand.site.websockets.connections


@pytest_twisted.ensureDeferred
async def test_a_bug_costs_only_its_connection() -> None:
    """An exception while a message is handled closes that connection with 1011."""
    async with Stand() as stand:
        peer, other = await stand.ws(), await stand.ws()

        def broken(_call: Any) -> "Deferred[Any]":
            raise ZeroDivisionError

        stand.service.perform = broken
        peer.send(frame(BLOCK_NUMBER) + frame(request(1, "eth_sendRawTransaction", "0x02c0")))
        assert await peer.json() == ANSWER
        assert await peer.ended() == (1011, "internal error")
        assert await other.call("eth_blockNumber") == "0x0"


@pytest_twisted.ensureDeferred
async def test_shutdown_closes_with_1001() -> None:
    """Closing the listener's connections says 1001 and waits for the peers, even held ones."""
    async with Stand(limits={"open_forwards": 1}) as stand:
        slow = Slow()
        stand.service.perform = slow
        peer, busy = await stand.ws(), await stand.ws()
        busy.send(frame(request(1, "eth_sendRawTransaction", "0x02c0")) + frame(BLOCK_NUMBER))
        await until(lambda: slow.open)
        done = stand.site.close_all()
        for each in (peer, busy):
            assert await each.ended() == (1001, "server is going away")
        await done
        assert slow.cancelled == 1
        assert not stand.site.websockets.connections


@pytest_twisted.ensureDeferred
async def test_combined_listener_lets_the_first_message_choose() -> None:
    """On the combined port the dialect is settled by the first message."""
    async with Stand(dialect=None) as stand:
        for path in ("/", "/ethereum", "/v2/key", "/ws/key", "/vipapi/websocket/node/ETH/key"):
            peer = await stand.ws(path)
            assert await peer.call("eth_blockNumber") == "0x0"


def test_no_subprotocol_where_no_language_has_one() -> None:
    """A server that speaks only such languages chooses none, whatever is offered."""
    mute = tuple(replace(dialect, subprotocols=None) for dialect in DIALECTS)
    assert choose_subprotocol(("one",), mute) is None
    assert choose_subprotocol(("one",), (*mute, DIALECTS[0])) == "one"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((), None),
        (("alchemy-sdk-3.0.0", "other"), "alchemy-sdk-3.0.0"),
        (("other",), "other"),
        (("one", "two"), None),
    ],
)
def test_choice_of_subprotocol(offered: tuple[str, ...], chosen: str | None) -> None:
    """The first offer is echoed when a dialect knows it or when it is the only one."""
    assert choose_subprotocol(offered, DIALECTS) == chosen


@pytest_twisted.ensureDeferred
async def test_subprotocol_is_echoed_on_the_wire() -> None:
    """An offered subprotocol is in the answer; none is sent when none was offered."""
    async with Stand() as stand:
        peer, _ = await stand.upgrade(Sec_WebSocket_Protocol="alchemy-web3-1.0, x")
        assert "Sec-WebSocket-Protocol: alchemy-web3-1.0" in await peer.head()
        peer, _ = await stand.upgrade()
        assert "Sec-WebSocket-Protocol" not in await peer.head()


@pytest_twisted.ensureDeferred
async def test_compressed_connections_get_the_same() -> None:
    """With permessage-deflate replies, notices of every size and later replies come deflated."""
    async with Stand(ServerSettings(compression=True)) as stand:
        peer, _ = await stand.upgrade(Sec_WebSocket_Extensions="permessage-deflate")
        assert "permessage-deflate" in await peer.head()
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)

        async def heard() -> Any:
            opcode, payload = await peer.frame()
            assert opcode == TEXT
            return orjson.loads(inflate.decompress(payload + b"\x00\x00\xff\xff"))

        peer.send(frame(BLOCK_NUMBER) + frame(request(2, "eth_subscribe", "newHeads")))
        assert await heard() == ANSWER
        identifier = (await heard())["result"]
        for number in range(1, 4):
            stand.source.mine()
            notice = await heard()
            assert notice["params"]["subscription"] == identifier
            assert notice["params"]["result"]["number"] == hex(number)
        peer.send(frame(BLOCK_NUMBER))
        assert (await heard())["result"] == "0x3"


class Spoiled:
    """A view on which nothing can be read; connections are counted all the same."""

    sessions = 0

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


@pytest_twisted.ensureDeferred
async def test_a_handler_that_breaks_costs_only_its_request() -> None:
    """The client is told of an internal error, the log of its cause; the connection goes on."""
    async with Stand() as stand:
        with capturedLogs() as logged:
            whole, stand.service.view = stand.service.view, lambda _dialect: Spoiled()
            peer = await stand.ws()
            stand.service.view = whole
            for number in (1, 2):
                peer.send(frame(request(number, "eth_blockNumber")))
                answer = await peer.json()
                assert (answer["id"], answer["error"]["code"]) == (number, -32603)
            assert await (await stand.ws()).call("eth_blockNumber") == "0x0"
        kinds = [event["log_failure"].type for event in logged if "log_failure" in event]
        assert kinds == [ZeroDivisionError] * 2


@pytest_twisted.ensureDeferred
async def test_an_answer_that_breaks_the_session_closes_it() -> None:
    """A late answer that cannot be handled is logged and ends its connection with 1011."""
    async with Stand() as stand:
        slow = Slow()
        stand.service.perform = slow
        peer, other = await stand.ws(), await stand.ws()
        peer.send(frame(request(1, "eth_sendRawTransaction", "0x02c0")))
        await until(lambda: slow.open)
        broken: Any
        (broken,) = (each for each in stand.site.websockets.connections if each._calls)
        broken._steer = broken._drain = Spoiled().__getattr__
        with capturedLogs() as logged:
            slow.open[0].callback("0x1")
            assert await peer.ended() == (1011, "internal error")
        assert any("log_failure" in event for event in logged)
        assert await other.call("eth_blockNumber") == "0x0"
