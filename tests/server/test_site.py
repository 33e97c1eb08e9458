import gzip
from typing import Any

import orjson
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs, formatEvent

from tests.server.peer import UPGRADE, Stand, frame, reactor, request, until
from tests.server.test_protocol import Slow
from twisted_chainws.dialects import ontology
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import SourceUnavailable
from twisted_chainws.server import exchange
from twisted_chainws.server.factory import ServerSettings

pytestmark = pytest.mark.integration

BLOCK_NUMBER = request(1, "eth_blockNumber")
ANSWER = {"jsonrpc": "2.0", "id": 1, "result": "0x0"}
UPGRADE_WORDS = {name.replace("-", "_"): value for name, value in UPGRADE.items()}
SEND = request(2, "eth_sendRawTransaction", "0x02c0")


@pytest.mark.parametrize("path", ["/", "/ethereum", "/v2/key", "/ws/key"])
@pytest_twisted.ensureDeferred
async def test_post(path: str) -> None:
    """A POST on every path is answered with JSON, its type and its length."""
    async with Stand() as stand:
        status, headers, body = await stand.post(BLOCK_NUMBER, path)
        assert (status, orjson.loads(body)) == (200, ANSWER)
        assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "media",
    ["application/json; charset=utf-8", "application/json-rpc", "application/jsonrequest"],
)
@pytest_twisted.ensureDeferred
async def test_media_types(media: str) -> None:
    """All three media types are taken, with parameters or without."""
    async with Stand() as stand:
        assert (await stand.post(BLOCK_NUMBER, Content_Type=media))[0] == 200


@pytest.mark.parametrize(
    ("method", "body", "headers", "status", "text"),
    [
        ("GET", b"", {}, 200, b""),
        ("HEAD", b"", {}, 200, b""),
        ("OPTIONS", b"", {}, 204, b""),
        ("PUT", b"x", {}, 405, b"method not allowed"),
        ("DELETE", b"", {}, 405, b"method not allowed"),
        ("POST", b"{}", {"Content_Type": "text/plain"}, 415,
         b"invalid content type, only application/json is supported"),
        ("POST", b"{}", {}, 415, b"invalid content type, only application/json is supported"),
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_other_requests(
    method: str, body: bytes, headers: dict[str, str], status: int, text: bytes
) -> None:
    """Health check, wrong methods and wrong media types get the answers of the table."""
    async with Stand() as stand:
        answer = await stand.http(method, "/", body, **headers)
        assert (answer[0], answer[2]) == (status, text)
        assert answer[1].get("content-type") == ("text/plain; charset=utf-8" if text else None)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest_twisted.ensureDeferred
async def test_requests_of_a_dialect_without_http(method: str) -> None:
    """Where only WebSocket is spoken, everything else is told so."""
    async with Stand(dialect=ontology.DIALECT) as stand:
        status, headers, body = await stand.http(method, "/any?path", b"")
        assert status == 400
        assert headers["sec-websocket-version"] == "13"
        assert body == (b"" if method == "HEAD" else b"Bad Request\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
@pytest_twisted.ensureDeferred
async def test_only_get_is_upgraded(method: str) -> None:
    """The handshake with another method is told that the method is the mistake."""
    async with Stand() as stand:
        status, headers, body = await stand.http(method, "/", b"", **UPGRADE_WORDS)
        assert status == 405
        assert headers["allow"] == "GET"
        assert body == (b"" if method == "HEAD" else b"method not allowed")
        await until(lambda: not stand.site.websockets.connections)


@pytest_twisted.ensureDeferred
async def test_a_refused_head_request_is_not_logged_with_its_key() -> None:
    """Twisted would log the path of an answer whose body it has to leave out."""
    with capturedLogs() as events:
        async with Stand(ServerSettings(keys=("good",))) as stand:
            status, _, body = await stand.http("HEAD", "/v2/secret-word")
            assert (status, body) == (401, b"")
    assert not [event for event in events if "secret-word" in str(formatEvent(event))]


@pytest_twisted.ensureDeferred
async def test_unknown_path() -> None:
    """Another path is 404, over HTTP and for the handshake."""
    async with Stand() as stand:
        status, _, body = await stand.post(BLOCK_NUMBER, "/nothing")
        assert (status, body) == (404, b"not found")
        peer, _ = await stand.upgrade("/vipapi/websocket/node/doge/key")
        status, _, body = await peer.answer()
        assert (status, body) == (404, b"not found")


@pytest_twisted.ensureDeferred
async def test_malformed_json_and_notifications() -> None:
    """Bad JSON is a parse error with status 200; a notification alone an empty body."""
    async with Stand() as stand:
        status, _, body = await stand.post(b"{")
        assert status == 200
        assert orjson.loads(body)["error"] == {"code": -32700, "message": "parse error"}
        status, _, body = await stand.post(b'{"jsonrpc":"2.0","method":"eth_blockNumber"}')
        assert (status, body) == (200, b"")
        status, _, body = await stand.post(request(1, "eth_subscribe", "newHeads"))
        assert orjson.loads(body)["error"]["message"] == "notifications not supported"


@pytest_twisted.ensureDeferred
async def test_announced_body_too_large() -> None:
    """A length over the limit is 413 before the body is sent."""
    async with Stand(limits={"body_bytes": 1_000}) as stand:
        peer = await stand.tcp()
        peer.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1001\r\n\r\n"
        )
        status, _, body = await peer.answer()
        assert (status, body) == (413, b"content length too large (1001>1000)")
        peer.send(b"x" * 500)
        await peer.gone()
        assert (await stand.post(BLOCK_NUMBER + b" " * (1_000 - len(BLOCK_NUMBER))))[0] == 200


@pytest_twisted.ensureDeferred
async def test_chunked_body_is_counted_as_it_arrives() -> None:
    """A body of unknown length is 413 as soon as it crosses the limit."""
    async with Stand(limits={"body_bytes": 1_000}) as stand:
        peer = await stand.tcp()
        peer.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(3):
            peer.send(b"190\r\n" + b" " * 400 + b"\r\n")
        status, _, body = await peer.answer()
        assert (status, body) == (413, b"content length too large (1200>1000)")
        await peer.gone()


@pytest_twisted.ensureDeferred
async def test_body_that_never_comes() -> None:
    """A client that announces a body and stays silent is hung up on."""
    async with Stand(ServerSettings(request_timeout_s=0.1)) as stand:
        peer = await stand.tcp()
        peer.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        await peer.gone()


@pytest_twisted.ensureDeferred
async def test_gzip_for_large_answers() -> None:
    """Answers over 1 KiB are compressed for clients that take it, others never."""
    async with Stand() as stand:
        call = request(1, "eth_getBlockByNumber", "latest", True)
        plain = await stand.post(call, Accept_Encoding="gzip;q=0")
        packed = await stand.post(call, Accept_Encoding="deflate, gzip")
        assert "content-encoding" not in plain[1]
        assert packed[1]["content-encoding"] == "gzip"
        assert gzip.decompress(packed[2]) == plain[2]
        small = await stand.post(BLOCK_NUMBER, Accept_Encoding="gzip")
        assert "content-encoding" not in small[1]


@pytest_twisted.ensureDeferred
async def test_no_gzip_for_very_large_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits until somebody's many megabytes are packed."""
    async with Stand() as stand:
        call = request(1, "eth_getBlockByNumber", "latest", True)
        plain = await stand.post(call)
        for most, packed in ((len(plain[2]), True), (len(plain[2]) - 1, False)):
            monkeypatch.setattr(exchange, "GZIP_MOST_BYTES", most)
            answer = await stand.post(call, Accept_Encoding="gzip")
            assert ("content-encoding" in answer[1]) is packed


@pytest_twisted.ensureDeferred
async def test_time_out_keeps_what_was_answered() -> None:
    """Calls that take too long are -32002, the others of their batch keep their answers."""
    async with Stand(ServerSettings(request_timeout_s=0.1)) as stand:
        slow = Slow()
        stand.service.perform = slow
        status, _, body = await stand.post(SEND)
        assert status == 200
        assert orjson.loads(body) == {
            "jsonrpc": "2.0",
            "id": 2,
            "error": {"code": -32002, "message": "request timed out"},
        }
        status, _, body = await stand.post(b"[" + b",".join([BLOCK_NUMBER, SEND, SEND]) + b"]")
        answers = orjson.loads(body)
        assert answers[0] == ANSWER
        assert [answer["error"]["code"] for answer in answers[1:]] == [-32002, -32002]
        assert slow.cancelled == len(slow.open)


@pytest_twisted.ensureDeferred
async def test_late_and_early_answers() -> None:
    """An answer that comes later, or at once, reaches its request; keep-alive goes on."""
    async with Stand() as stand:
        _, _, body = await stand.post(b"[" + b",".join([SEND, BLOCK_NUMBER]) + b"]")
        assert [answer["id"] for answer in orjson.loads(body)] == [2, 1]
        slow = Slow()
        stand.service.perform = slow
        peer = await stand.tcp()
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for body in (SEND, BLOCK_NUMBER):
            peer.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await until(lambda: slow.open)
        slow.open[0].callback("0xff")
        assert orjson.loads((await peer.answer())[2])["result"] == "0xff"
        assert orjson.loads((await peer.answer())[2]) == ANSWER


@pytest_twisted.ensureDeferred
async def test_vanished_client_cancels_its_request() -> None:
    """Nobody works for a client that is gone."""
    async with Stand() as stand:
        slow = Slow()
        stand.service.perform = slow
        peer = await stand.tcp()
        peer.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(SEND) + SEND
        )
        await until(lambda: slow.open)
        peer.drop()
        await until(lambda: slow.cancelled == 1)


REFUSED: list[tuple[dict[str, str], bytes]] = [
    ({"Host": "evil.example"}, b"invalid host specified"),
    ({"Origin": "http://evil.example"}, b"Forbidden"),
    ({"Origin": "null"}, b"Forbidden"),
]


@pytest.mark.parametrize(("headers", "text"), REFUSED)
@pytest_twisted.ensureDeferred
async def test_strange_hosts_and_origins(headers: dict[str, str], text: bytes) -> None:
    """Both faces refuse foreign names and pages with 403."""
    async with Stand() as stand:
        status, answered, body = await stand.post(BLOCK_NUMBER, **headers)
        assert (status, body) == (403, text)
        assert "access-control-allow-origin" not in answered
        peer, _ = await stand.upgrade("/", **headers)
        status, answered, body = await peer.answer()
        assert (status, body) == (403, text)


@pytest_twisted.ensureDeferred
async def test_allowed_origins() -> None:
    """Loopback and listed origins come in, and browsers are told so."""
    settings = ServerSettings(allow_origins=("https://app.example",), allow_hosts=("me.example",))
    async with Stand(settings) as stand:
        for origin in ("http://localhost:3000", "https://app.example"):
            status, headers, _ = await stand.post(BLOCK_NUMBER, Origin=origin, Host="me.example")
            assert (status, headers["access-control-allow-origin"]) == (200, origin)
            peer = await stand.ws("/", Origin=origin)
            assert await peer.call("eth_blockNumber") == "0x0"
        status, headers, _ = await stand.http(
            "OPTIONS",
            Origin="https://app.example",
            Access_Control_Request_Headers="x-a, content-type",
            Access_Control_Request_Private_Network="true",
        )
        assert status == 204
        assert headers["access-control-allow-headers"] == "x-a, content-type"
        assert headers["access-control-allow-methods"] == "POST, GET"
        assert headers["access-control-max-age"] == "600"
        assert headers["access-control-allow-private-network"] == "true"


@pytest_twisted.ensureDeferred
async def test_keys() -> None:
    """Keys are demanded on both faces; a key has only so many connections."""
    settings = ServerSettings(keys=("good",), connections_per_key=1)
    async with Stand(settings) as stand:
        assert (await stand.post(BLOCK_NUMBER, "/v2/good"))[0] == 200
        assert (await stand.post(BLOCK_NUMBER, Authorization="Bearer good"))[0] == 200
        status, _, body = await stand.post(BLOCK_NUMBER, "/v2/bad")
        assert (status, orjson.loads(body)["error"]["message"]) == (401, "Invalid access key")
        peer, _ = await stand.upgrade("/ws/")
        status, _, body = await peer.answer()
        assert (status, orjson.loads(body)["error"]["message"]) == (401, "Must be authenticated!")
        first = await stand.ws("/v2/good")
        peer, _ = await stand.upgrade("/v2/good")
        status, _, body = await peer.answer()
        assert (status, orjson.loads(body)["error"]["code"]) == (429, 429)
        first.drop()
        await until(lambda: not stand.site.websockets.connections)
        assert await (await stand.ws("/v2/good")).call("eth_blockNumber") == "0x0"


def _error(body: bytes) -> dict[str, Any]:
    answer = orjson.loads(body)
    assert answer.keys() == {"jsonrpc", "id", "error"}
    assert answer["id"] is None
    return dict(answer["error"])


@pytest.mark.parametrize(
    ("key", "text"),
    [("idle", "App is inactive."), ("spent", "Monthly capacity limit exceeded.")],
)
@pytest_twisted.ensureDeferred
async def test_keys_that_are_not_served(key: str, text: str) -> None:
    """Both faces refuse them with 403 and the vendor's words, and log nothing of them."""
    settings = ServerSettings(inactive_keys=("idle",), exhausted_keys=("spent",))
    with capturedLogs() as events:
        async with Stand(settings) as stand:
            peer, _ = await stand.upgrade(f"/v2/{key}")
            answers = [await stand.post(BLOCK_NUMBER, f"/v2/{key}"), await peer.answer()]
            assert (await stand.post(BLOCK_NUMBER, "/v2/other"))[0] == 200
    for status, headers, body in answers:
        assert (status, headers["content-type"]) == (403, "application/json")
        assert _error(body) == {"code": -32600, "message": text}
    assert not [event for event in events if key in str(formatEvent(event))]


@pytest_twisted.ensureDeferred
async def test_strange_origins_in_the_words_of_alchemy() -> None:
    """That profile tells pages of strange origins so in JSON, with the same status."""
    async with Stand(profile=Profile.ALCHEMY) as stand:
        peer, _ = await stand.upgrade("/", Origin="https://evil.example")
        for status, _headers, body in (
            await stand.post(BLOCK_NUMBER, Origin="https://evil.example"),
            await peer.answer(),
        ):
            assert status == 403
            assert _error(body) == {
                "code": -32600,
                "message": "Unspecified origin not on whitelist",
            }


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"7", 400),
        (b"[]", 400),
        (request(1, "eth_foo"), 400),
        (request(1, "eth_getBalance"), 400),
        (request(1, "eth_subscribe", "newHeads"), 400),
        (request(1, "eth_getFilterLogs", "0x1"), 200),
        (BLOCK_NUMBER, 200),
        (b"[" + request(1, "eth_foo") + b"]", 200),
        (b'{"jsonrpc":"2.0","method":"eth_foo"}', 200),
    ],
)
@pytest_twisted.ensureDeferred
async def test_statuses(profile: Profile, body: bytes, status: int) -> None:
    """The vendors map faults to statuses, batches excepted; others always answer 200."""
    async with Stand(profile=profile) as stand:
        vendor = profile in {Profile.ALCHEMY, Profile.TOKENVIEW}
        assert (await stand.post(body))[0] == (status if vendor else 200)


@pytest_twisted.ensureDeferred
async def test_statuses_of_our_own_trouble() -> None:
    """What the server cannot do is 5xx at a vendor: unavailable, too late, broken."""
    settings = ServerSettings(request_timeout_s=0.05)
    async with Stand(settings, profile=Profile.ALCHEMY) as stand:
        slow = Slow()
        stand.service.perform = slow
        status, _, body = await stand.post(SEND)
        assert (status, orjson.loads(body)["id"]) == (503, 2)
        stand.service.perform = lambda _call: fail(SourceUnavailable(reason="gone"))
        status, _, body = await stand.post(SEND)
        assert (status, orjson.loads(body)["error"]["code"]) == (503, -32000)
        stand.service.view = lambda _dialect: object()
        status, _, body = await stand.post(BLOCK_NUMBER)
        assert (status, orjson.loads(body)["error"]["code"]) == (500, -32603)
        assert (await stand.post(b"[" + BLOCK_NUMBER + b"]"))[0] == 200


@pytest_twisted.ensureDeferred
async def test_throughput_of_a_key_over_http() -> None:
    """What a key cannot pay is code 429 under the id, in a vendor's profile with the status too."""
    settings = ServerSettings(compute_units_per_s=1, compute_burst_s=30)
    for profile, status in ((Profile.SUPERSET, 200), (Profile.ALCHEMY, 429)):
        async with Stand(settings, profile=profile) as stand:
            answers = [await stand.post(BLOCK_NUMBER, "/v2/mine") for _ in range(4)]
            assert [answer[0] for answer in answers] == [200, 200, 200, status]
            error = orjson.loads(answers[3][2])
            assert (error["id"], error["error"]["code"]) == (1, 429)
            assert error["error"]["message"].startswith(
                "Your app has exceeded its compute units per second capacity."
            )
            waits = answers[3][1].get("retry-after")
            assert waits is None if status == 200 else 1 <= int(waits or 0) <= 10
            _, _, batch = await stand.post(b"[" + BLOCK_NUMBER + b"]", "/v2/mine")
            assert orjson.loads(batch)[0]["error"]["code"] == 429
            assert (await stand.post(BLOCK_NUMBER, "/v2/other"))[0] == 200
            assert (await stand.post(request(1, "net_version"), "/v2/mine"))[0] == 200


@pytest_twisted.ensureDeferred
async def test_unsubscribing_over_http() -> None:
    """It is true once for an id of a connection with the same key, and false for all others."""
    async with Stand() as stand:
        peer, nobody = await stand.ws("/v2/mine"), await stand.ws()
        known, keyless = [await each.call("eth_subscribe", "newHeads") for each in (peer, nobody)]
        for identifier, path, expected in (
            (known, "/v2/other", False),
            (known, "/", False),
            ("0x1", "/v2/mine", False),
            (known, "/v2/mine", True),
            (known, "/v2/mine", False),
            (keyless, "/", False),
        ):
            status, _, body = await stand.post(request(1, "eth_unsubscribe", identifier), path)
            assert (status, orjson.loads(body)["result"]) == (200, expected)
        stand.source.mine()
        assert (await nobody.json())["params"]["subscription"] == keyless
        assert await peer.call("eth_blockNumber") == "0x1"


@pytest_twisted.ensureDeferred
async def test_unsubscribing_over_http_as_geth_does() -> None:
    """An unknown id is an error there."""
    async with Stand(profile=Profile.GETH) as stand:
        status, _, body = await stand.post(request(1, "eth_unsubscribe", "0x1"))
        assert status == 200
        assert orjson.loads(body)["error"] == {
            "code": -32000,
            "message": "subscription not found",
        }


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({"Sec_WebSocket_Version": "12"}, 426, b"Upgrade Required"),
        ({"Sec_WebSocket_Version": ""}, 400, b"Bad Request"),
        ({"Sec_WebSocket_Key": ""}, 400, b"Bad Request"),
        ({"Sec_WebSocket_Key": "short"}, 400, b"Bad Request"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_malformed_upgrades(headers: dict[str, str], status: int, text: bytes) -> None:
    """A bad handshake gets a whole HTTP answer and leaves no connection behind."""
    async with Stand() as stand:
        peer, _ = await stand.upgrade("/", **headers)
        answer = await peer.answer()
        assert (answer[0], answer[2]) == (status, text)
        assert answer[1]["connection"] == "close"
        assert answer[1].get("sec-websocket-version") == ("13" if status == 426 else None)
        await peer.gone()
        await until(lambda: not stand.site.websockets.connections)


@pytest_twisted.ensureDeferred
async def test_upgrade_words_in_any_case_and_early_frames() -> None:
    """The upgrade is recognised in any case; a frame sent along with it is not lost."""
    async with Stand() as stand:
        peer = await stand.tcp()
        peer.send(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: WebSocket\r\n"
            b"Connection: keep-alive, UPGRADE\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + frame(BLOCK_NUMBER)
        )
        head = await peer.head()
        assert head.startswith("HTTP/1.1 101 ")
        assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        assert await peer.json() == ANSWER


@pytest_twisted.ensureDeferred
async def test_http_and_websocket_answers_agree() -> None:
    """The same request has the same answer on both faces."""
    async with Stand(ServerSettings(limits=Limits())) as stand:
        stand.source.mine()
        call = request("x", "eth_getBlockByNumber", "0x1", True)
        peer = await stand.ws()
        peer.send(frame(call))
        answer: Any = await peer.json()
        assert orjson.loads((await stand.post(call))[2]) == answer
        assert reactor.running


@pytest_twisted.ensureDeferred
async def test_failures_are_answers() -> None:
    """A call that fails, or a handler that breaks, is an error answer with status 200."""
    async with Stand() as stand:
        whole = stand.service.perform, stand.service.view

        def refuse(_call: Any) -> "Deferred[Any]":
            return fail(SourceUnavailable(reason="gone"))

        stand.service.perform = refuse
        status, _, body = await stand.post(SEND)
        assert (status, orjson.loads(body)["id"]) == (200, 2)
        assert orjson.loads(body)["error"]["code"] < 0
        stand.service.perform, stand.service.view = whole[0], lambda _dialect: object()
        with capturedLogs() as logged:
            status, _, body = await stand.post(BLOCK_NUMBER)
        assert (status, orjson.loads(body)["error"]["code"]) == (200, -32603)
        assert [event["log_failure"].type for event in logged if "log_failure" in event]
        stand.service.view = whole[1]
        assert orjson.loads((await stand.post(BLOCK_NUMBER))[2]) == ANSWER


@pytest_twisted.ensureDeferred
async def test_a_bug_of_ours_is_500_without_internals() -> None:
    """What breaks before or after the handlers is logged and answered in three words."""
    async with Stand() as stand:

        def broken(_argument: Any) -> Any:
            raise ZeroDivisionError("secret")

        whole, stand.service.view = stand.service.view, broken
        with capturedLogs() as logged:
            status, _, body = await stand.post(BLOCK_NUMBER)
        assert (status, body) == (500, b"Internal Server Error")
        assert any("log_failure" in event for event in logged)
        stand.service.view = whole
        assert (await stand.post(BLOCK_NUMBER))[0] == 200
