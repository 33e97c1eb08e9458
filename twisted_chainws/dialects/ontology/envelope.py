"""Bytes of a message to a request, and replies to bytes. Sans-I/O.

::

    → {"Action":"getblockheight","Version":"1.0.0","Id":7}
    ← {"Action":"getblockheight","Desc":"SUCCESS","Error":0,"Id":7,"Result":327,"Version":"1.0.0"}
    → {"Action":"getsyncstatus","Id":1}
    ← {"Action":"","Desc":"INVALID METHOD","Error":42001,"Result":"","Version":"1.0.0"}
    ← {"Action":"Notify","Desc":"SUCCESS","Error":0,"Result":{…},"Version":"1.0.0"}      a push

Refusals of a message that comes to no handler have neither action nor id, and pushes have no id. A
message counts as a sign of life when its action is known, whatever becomes of it: that is what the
method name of a refusal says.

Ids are echoed by value, all digits of a number included, where nodes keep those of a double. One
nested deeper than ``orjson`` writes makes the message illegal.

Source: ``ontology.md`` 1.2 to 1.5 and 5.2; the node's ``http/websocket/websocket/server.go``,
26b5ad4f.
"""

import json
from typing import Any, Final

import orjson

from twisted_chainws.dialects.base import Envelope, Parsed
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.dialects.ontology.encode import dump
from twisted_chainws.dialects.ontology.errors import (
    ILLEGAL_DATAFORMAT,
    INVALID_METHOD,
    INVALID_PARAMS,
    fault,
)
from twisted_chainws.dialects.outcomes import Fault, Json

ACTION: Final = "Action"
ID: Final = "Id"

TEXTS: Final = ("Hash", "Addr", "Assetid")
"""Members that have to be texts wherever they stand."""

ACTIONS: Final = frozenset(
    {
        "getallowance",
        "getallowancev2",
        "getbalance",
        "getbalancev2",
        "getblockbyhash",
        "getblockbyheight",
        "getblockhash",
        "getblockheight",
        "getblockheightbytxhash",
        "getblocktxsbyheight",
        "getconnectioncount",
        "getcontract",
        "getgasprice",
        "getgrantong",
        "getmempooltxcount",
        "getmempooltxhashlist",
        "getmempooltxstate",
        "getmerkleproof",
        "getnetworkid",
        "getsessioncount",
        "getsmartcodeeventbyhash",
        "getsmartcodeeventbyheight",
        "getstorage",
        "gettransaction",
        "getunboundong",
        "getversion",
        "heartbeat",
        "sendrawtransaction",
        "subscribe",
    }
)
"""All there are; upper case is another word."""

ILLEGAL: Final = fault(ILLEGAL_DATAFORMAT)
NO_SUCH_ACTION: Final = fault(INVALID_METHOD)
NO_TEXT: Final = fault(INVALID_PARAMS)

NOTHING: Final = (b'""', None)
"""The token of a message that comes to no handler: no action, no id."""

_EXACT_FLOAT: Final = 2**63
_TAIL: Final = b',"Version":"1.0.0"}'
_BEFORE_RESULT: Final = b',"Desc":"SUCCESS","Error":0'


def parse(data: bytes, _limits: Limits) -> Parsed:
    """Read a request; the token is the action and the id as JSON texts, the params the message."""
    message = _load(data)
    if message is None:
        return (NOTHING, "", None, ILLEGAL)
    action = message.get(ACTION)
    if not isinstance(action, str) or action not in ACTIONS:
        return (NOTHING, "", None, NO_SUCH_ACTION)
    for member in TEXTS:
        if not isinstance(message.get(member, ""), str | None):
            return (NOTHING, action, None, NO_TEXT)
    id_text = _id_text(data, message.get(ID))
    if id_text is None:
        return (NOTHING, "", None, ILLEGAL)
    return ((b'"%b"' % action.encode(), id_text), action, message, None)


def claims(data: bytes) -> bool:
    """Tell whether the first message of a connection on the combined port is a request."""
    return ACTION in (_load(data) or ())


def render_result(token: Any, result: Json) -> bytes:
    """Write a successful reply."""
    action, id_text = token
    return b'{"Action":%b%b,"Id":%b,"Result":%b%b' % (
        action,
        _BEFORE_RESULT,
        id_text,
        dump(result),
        _TAIL,
    )


def render_fault(token: Any, refusal: Fault) -> bytes:
    """Write a refusal; what it says besides is its result."""
    action, id_text = token or NOTHING
    return b'{"Action":%b,"Desc":%b,"Error":%d%b,"Result":%b%b' % (
        action,
        dump(refusal.message),
        refusal.code,
        b"" if id_text is None else b',"Id":' + id_text,
        dump(refusal.data),
        _TAIL,
    )


def render_batch(replies: list[bytes]) -> bytes:
    """Put replies one below the other; there are no batches in this protocol."""
    return b"\n".join(replies)


def render_push(action: str, result: bytes) -> bytes:
    """Write a push.

    Args:
        action: what it is about, plain letters.
        result: JSON text.
    """
    return b'{"Action":"%b"%b,"Result":%b%b' % (action.encode(), _BEFORE_RESULT, result, _TAIL)


def render_notice(text: bytes, cursor: str | None) -> Notice:
    """Send a push, with the cursor behind its action for who asked."""
    if cursor is None:
        return Notice(text, b"")
    action, success, rest = text.partition(_BEFORE_RESULT)
    return Notice(b'%b,"Cursor":"%b"%b%b' % (action, cursor.encode(), success, rest), b"")


ENVELOPE: Final = Envelope(
    parse=parse,
    parse_http=parse,
    render_result=render_result,
    render_fault=render_fault,
    render_batch=render_batch,
    render_notice=render_notice,
    id_width=0,
)


def _load(data: bytes) -> dict[str, Any] | None:
    """Read an object, which ``null`` is to the node, too; None when it is none."""
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if message is None:
        return {}
    return message if isinstance(message, dict) else None


def _id_text(data: bytes, value: Any) -> bytes | None:
    """Write an id, None when it is nested too deeply."""
    try:
        text = dump(value)
        return dump(_exact(data)) if _any_cut(value) else text
    except orjson.JSONEncodeError:
        return None
    except RecursionError:  # of another member, nested as deeply as orjson just reads
        return text


def _any_cut(value: Any) -> bool:
    """Tell whether a number inside may have lost digits: an integer that needs over 64 bits."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, float):
            if abs(item) >= _EXACT_FLOAT:
                return True
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
    return False


def _exact(data: bytes) -> Any:
    """Parse again, slowly, and return the id with its integers as they were written."""
    return json.loads(data, parse_int=orjson.Fragment)[ID]
