"""The JSON-RPC 2.0 envelope shared by the Ethereum family: bytes <-> requests, replies, notices.

Sans-I/O. Imports only base. What a method means is not known here; what a message means is.

Source: JSON-RPC 2.0; go-ethereum ``rpc/json.go`` and ``rpc/handler.go`` as written down in
``ethereum.md`` 1.3 to 1.6.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

import orjson

from twisted_chainws.dialects.base import Batch, Envelope, Parsed, Request
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.dialects.outcomes import Fault, Json

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600

NULL: Final = b"null"
"""The token of a reply that has no id of its own."""

INVALID: Final = Fault(code=INVALID_REQUEST, message="invalid request")
EMPTY_BATCH: Final = Fault(code=INVALID_REQUEST, message="empty batch")
BATCH_TOO_LARGE: Final = Fault(code=INVALID_REQUEST, message="batch too large")

SUBSCRIPTION_ID_WIDTH: Final = 34
"""``0x`` and 32 hex digits."""

_NOTICE_HEAD: Final = b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"'
_EXACT_FLOAT: Final = 2**63


TooLarge: TypeAlias = Callable[[int], Fault]
"""Words for a batch with more members than the limit, which is the argument."""


def make_envelope(batch_too_large: TooLarge, websocket_batch_too_large: TooLarge) -> Envelope:
    """Return the envelope with a vendor's words for batches that are too large.

    Args:
        batch_too_large: over HTTP, where the limit is ``batch_items``.
        websocket_batch_too_large: over WebSocket, where it is ``websocket_batch_items``.
    """

    def parse_message(data: bytes, limits: Limits) -> Parsed:
        try:
            message = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            return (NULL, "", None, Fault(code=PARSE_ERROR, message=f"invalid JSON: {error}"))
        if message.__class__ is dict:
            return _request(message, limits, partial(_exact, data, None))
        return _batch(
            message, data, limits, limits.websocket_batch_items, websocket_batch_too_large
        )

    def parse_body(data: bytes, limits: Limits) -> Parsed:
        try:
            message = orjson.loads(data)
        except orjson.JSONDecodeError:
            return (NULL, "", None, Fault(code=PARSE_ERROR, message="parse error"))
        if message.__class__ is dict:
            return _request(message, limits, partial(_exact, data, None))
        return _batch(message, data, limits, limits.batch_items, batch_too_large)

    return Envelope(
        parse=parse_message,
        parse_http=parse_body,
        render_result=render_result,
        render_fault=render_fault,
        render_batch=render_batch,
        render_notice=render_notice,
        id_width=SUBSCRIPTION_ID_WIDTH,
    )


def _batch(items: Any, data: bytes, limits: Limits, most: int, too_large: TooLarge) -> Parsed:
    """Read a message that is no object; only a list is a batch."""
    if items.__class__ is not list:
        return (NULL, "", None, INVALID)
    if not items:
        return (NULL, "", None, EMPTY_BATCH)
    if len(items) > most:
        first = next((_token(item.get("id")) for item in items if _is_call(item)), None)
        return Batch(requests=((first or NULL, "", None, too_large(most)),))
    requests: list[Request] = []
    for position, item in enumerate(items):
        if item.__class__ is not dict:
            requests.append((NULL, "", None, INVALID))
            continue
        request = _request(item, limits, partial(_exact, data, position))
        if request is not None:
            requests.append(request)
    return Batch(requests=tuple(requests))


def _exact(data: bytes, position: int | None, member: str, parse_int: Callable[[str], Any]) -> Any:
    """Parse again, slowly, and return a member with its integers as they were written."""
    try:
        message = json.loads(data, parse_int=parse_int)
    except RecursionError:  # nested as deeply as orjson just allows
        message = orjson.loads(data)
    return (message if position is None else message[position])[member]


def _is_cut(value: Any) -> bool:
    """Tell whether a number may have lost digits: an integer that needs more than 64 bits."""
    return value.__class__ is float and abs(value) >= _EXACT_FLOAT


def _any_cut(values: list[Any]) -> bool:
    for value in values:  # noqa: SIM110 - a generator costs each request more than this loop
        if value.__class__ is float and _is_cut(value):
            return True
    return False


def _is_call(item: Any) -> bool:
    return item.__class__ is dict and "id" in item and "method" in item


def _request(
    message: dict[str, Any], limits: Limits, exact: Callable[[str, Callable[[str], Any]], Any]
) -> Request | None:
    """Read one object; ``exact`` reads a member again when a number needs more than 64 bits."""
    token: bytes | None = None
    if "id" in message:
        request_id = message["id"]
        if request_id.__class__ is int:
            token = b"%d" % request_id
        else:
            if _is_cut(request_id):
                request_id = exact("id", _Number)
            token = _token(request_id)
            if token is None:
                return (NULL, "", None, INVALID)
    method = message.get("method")
    if method.__class__ is not str:
        if method is None and token is not None and ("result" in message or "error" in message):
            return None  # a reply to something that this side never asked
        return (token or NULL, "", None, INVALID)
    if message.get("jsonrpc", "2.0") != "2.0":
        return (token or NULL, "", None, INVALID)
    if len(method) > limits.method_name_bytes:
        text = f"method name too long: {len(method)} > {limits.method_name_bytes}"
        return (token or NULL, "", None, Fault(code=INVALID_REQUEST, message=text))
    params = message.get("params")
    if params.__class__ is list and _any_cut(params):
        params = exact("params", int)
    return (token, method, params, None)


def _token(request_id: Any) -> bytes | None:
    """Return the JSON text of an id, or None when its type is not allowed."""
    kind = request_id.__class__
    if kind is _Number:
        return request_id.encode("ascii")  # type: ignore[no-any-return]
    if kind is str or kind is int or kind is float or request_id is None:
        return orjson.dumps(request_id)
    return None


class _Number(str):
    """The digits of an integer as they stood in the text."""

    __slots__ = ()


def render_result(token: Any, result: Json) -> bytes:
    """Write a successful reply."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (token, orjson.dumps(result))


def render_fault(token: Any, fault: Fault) -> bytes:
    """Write an error reply; ``data`` appears only when the fault has some."""
    error: dict[str, Json] = {"code": fault.code, "message": fault.message}
    if fault.data is not None:
        error["data"] = fault.data
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (token, orjson.dumps(error))


def render_batch(replies: list[bytes]) -> bytes:
    """Write the answer of a batch."""
    return b"[" + b",".join(replies) + b"]"


def render_notice(result: bytes, cursor: str | None) -> Notice:
    """Render an event for all its subscribers; it has no ``id`` member."""
    if cursor is None:
        return Notice(_NOTICE_HEAD, b'","result":%b}}' % result)
    return Notice(_NOTICE_HEAD, b'","result":%b,"cursor":"%b"}}' % (result, cursor.encode()))


def claims(data: bytes) -> bool:
    """Tell whether the first message of a connection on the combined port is JSON-RPC."""
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    if isinstance(message, list):
        return True
    return isinstance(message, dict) and ("jsonrpc" in message or "method" in message)


def batch_too_large(_limit: int) -> Fault:
    """Refuse a batch in the words of go-ethereum, which names no limit."""
    return BATCH_TOO_LARGE


ENVELOPE: Final = make_envelope(batch_too_large, batch_too_large)
"""The envelope in the words of go-ethereum."""

parse: Final = ENVELOPE.parse
parse_http: Final = ENVELOPE.parse_http
