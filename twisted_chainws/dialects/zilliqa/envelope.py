"""Bytes of a message to a query, and replies to bytes. Sans-I/O.

::

    → {"query":"NewBlock"}
    ← {"query":"NewBlock"}                              the very bytes that came
    → {"query":"EventLog"}
    ← {"type":"Error","error":"invalid addresses field"}

The token of a query is the message itself: a query that was carried out is answered by it,
unchanged.

Source: ``zilliqa.md`` 1, 2.1, 2.2 and 2.7 (the node's ``WebsocketServer.cpp``; jsoncpp's defaults).
"""

import json
from typing import Any, Final, NoReturn

import orjson

from twisted_chainws.dialects.base import Envelope, Parsed
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.dialects.outcomes import Fault, Json
from twisted_chainws.dialects.zilliqa.errors import INVALID_QUERY_FIELD
from twisted_chainws.dialects.zilliqa.options import ErrorForm

QUERY: Final = "query"

DEEPEST: Final = 200
"""Brackets of a message that is not plain JSON; nodes take 1,000 levels, of what nobody sends."""

KINDS: Final = frozenset({"NewBlock", "EventLog", "TxnLog", "Unsubscribe"})


def parse(data: bytes, _limits: Limits) -> Parsed:
    """Read a query; an empty message is none and gets no reply."""
    if not data:
        return None
    message = _load(data)
    kind = message.get(QUERY) if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        return (data, "", None, INVALID_QUERY_FIELD)
    return (data, kind, message, None)


def claims(data: bytes) -> bool:
    """Tell whether the first message of a connection on the combined port is a query."""
    message = _load(data)
    return isinstance(message, dict) and QUERY in message


def render_result(token: Any, _result: Json) -> bytes:
    """Reply with the query itself."""
    return token  # type: ignore[no-any-return]


def render_json_fault(_token: Any, fault: Fault) -> bytes:
    """Refuse as the document says."""
    return orjson.dumps({"type": "Error", "error": fault.message})


def render_bare_fault(_token: Any, fault: Fault) -> bytes:
    """Refuse as nodes do: the text alone."""
    return fault.message.encode()


def render_batch(replies: list[bytes]) -> bytes:
    """Put replies one below the other; there are no batches in this protocol."""
    return b"\n".join(replies)


def render_notice(text: bytes, _cursor: str | None) -> Notice:
    """Send a text as it is; blocks come gathered, so nothing else is sent this way."""
    return Notice(text, b"")


def make_envelope(errors: ErrorForm) -> Envelope:
    """Return the envelope with one form of errors."""
    return Envelope(
        parse=parse,
        parse_http=parse,
        render_result=render_result,
        render_fault=render_bare_fault if errors is ErrorForm.BARE else render_json_fault,
        render_batch=render_batch,
        render_notice=render_notice,
        id_width=0,
    )


def _load(data: bytes) -> Any:
    """Read JSON, and what nodes take for it: a byte order mark, anything behind the first value.

    None for what is neither.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    # The other parser recurses, and a limit on that which somebody raised would not save the stack.
    if data.count(b"[") + data.count(b"{") > DEEPEST:
        return None
    try:
        return _DECODER.raw_decode(data.decode("utf-8-sig").lstrip())[0]
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
