"""JSON-RPC as a client sees it: requests to text, and whatever comes to replies and notices. Pure.

Servers are given every benefit of the doubt: text or binary, batches in any order, ids that became
texts or floats, subscription ids that are numbers, errors that are not objects.

Source: ``ethereum.md`` 1.3, 1.4, 2.1, 9.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from twisted_chainws.client.errors import BadAnswer, ClientError, Misuse, RpcError
from twisted_chainws.client.reading import request_key

__all__ = ["Incoming", "Notice", "Reply", "Stray", "parse", "render"]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request.

    Attributes:
        key: its id, None for an error that names no request.
        result: if there is no error.
        error: None for none.
    """

    key: int | None
    result: Any
    error: ClientError | None


@dataclass(frozen=True, slots=True)
class Notice:
    """An event of a subscription.

    Attributes:
        subscription: the server's id for it as text.
        result: the event.
    """

    subscription: str
    result: Any


@dataclass(frozen=True, slots=True)
class Stray:
    """Something that is no JSON-RPC.

    Attributes:
        reason: why.
    """

    reason: str


Incoming: TypeAlias = Reply | Notice | Stray


def render(calls: Sequence[tuple[int, str, Any]], *, batch: bool) -> str:
    """Write a message.

    Args:
        calls: id, method and params of each.
        batch: as an array; otherwise there is one call.

    Raises:
        Misuse: a parameter is nothing that JSON knows.
    """
    members = [
        {"jsonrpc": "2.0", "id": key, "method": method, "params": params}
        for key, method, params in calls
    ]
    message = members if batch else members[0]
    try:
        try:
            return orjson.dumps(message).decode()
        except TypeError:
            # Integers over 64 bit, which only the slow one writes.
            return json.dumps(message, allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise Misuse(f"params: {problem}") from None


def parse(data: str | bytes) -> tuple[list[Incoming], bool]:
    """Read a message; an empty one holds nothing.

    Returns:
        What it holds, and whether it came as an array.
    """
    if not data:
        return [], False
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        return [Stray("not JSON")], False
    if isinstance(message, list):
        return [_read(member) for member in message], True
    return [_read(message)], False


def _read(member: Any) -> Incoming:
    if not isinstance(member, dict):
        return Stray("not an object")
    if isinstance(member.get("method"), str):
        return _notice(member)
    if member.get("error") is not None:
        return Reply(request_key(member.get("id")), None, RpcError.of(member["error"]))
    key = request_key(member.get("id"))
    if "result" in member and key is not None:
        return Reply(key, member["result"], None)
    if key is None:
        return Stray("neither a reply nor a notice")
    return Reply(key, None, BadAnswer("neither result nor error"))


def _notice(member: dict[str, Any]) -> Incoming:
    params = member.get("params")
    if not isinstance(params, dict) or "result" not in params:
        return Stray("a notice without result")
    subscription = params.get("subscription")
    if isinstance(subscription, bool) or not isinstance(subscription, str | int):
        return Stray("a notice of no subscription")
    return Notice(str(subscription), params["result"])
