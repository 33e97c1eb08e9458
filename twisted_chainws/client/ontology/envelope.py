"""Requests as text, and what comes as replies, pushes and the rest. Pure.

Servers are given every benefit of the doubt: text or binary, ids that became texts or floats,
errors without words. Integers are exact, however many digits they have.

Source: ``ontology.md`` 1.2 to 1.5, 3, 5.2.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from twisted_chainws.client.errors import BadAnswer, ClientError, Misuse, RpcError
from twisted_chainws.client.reading import request_key
from twisted_chainws.dialects.ontology.errors import SESSION_EXPIRED, SUCCESS

__all__ = [
    "BLOCK_HASHES", "JSON_BLOCK", "LOG", "NOTIFY", "RAW_BLOCK", "Expired", "Incoming", "Nameless",
    "Push", "Reply", "Stray", "parse", "render",
]  # fmt: skip

NOTIFY: Final = "Notify"
LOG: Final = "Log"
RAW_BLOCK: Final = "sendrawblock"
JSON_BLOCK: Final = "sendjsonblock"
BLOCK_HASHES: Final = "sendblocktxhashs"

_PUSHES: Final = frozenset({NOTIFY, LOG, RAW_BLOCK, JSON_BLOCK, BLOCK_HASHES})
_VERSION: Final = "1.0.0"
_MANY_DIGITS: Final = re.compile("[0-9]{19}")


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request.

    Attributes:
        key: its id.
        result: if there is no error.
        error: None for none.
    """

    key: int
    result: Any
    error: ClientError | None


@dataclass(frozen=True, slots=True)
class Nameless:
    """A refusal of the request that is next in order: nodes do not repeat its id.

    Attributes:
        error: why.
    """

    error: RpcError


@dataclass(frozen=True, slots=True)
class Expired:
    """Nothing was asked for so long that the connection ends."""


@dataclass(frozen=True, slots=True)
class Push:
    """Something has happened.

    Attributes:
        action: what kind of thing.
        result: the thing.
    """

    action: str
    result: Any


@dataclass(frozen=True, slots=True)
class Stray:
    """Something that belongs to nothing.

    Attributes:
        reason: why.
    """

    reason: str


Incoming: TypeAlias = Reply | Nameless | Expired | Push | Stray


def render(key: int, action: str, members: Mapping[str, Any]) -> str:
    """Write a request.

    Raises:
        Misuse: a member is nothing that JSON knows.
    """
    message = {"Action": action, "Version": _VERSION, "Id": key, **members}
    try:
        return json.dumps(message, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as problem:
        raise Misuse(f"{action}: {problem}") from None


def parse(data: str | bytes) -> Incoming | None:
    """Read a message; None for an empty one."""
    if not data.strip():
        return None
    try:
        message = _load(data)
    except (ValueError, RecursionError):
        return Stray("not JSON")
    return _read(message) if isinstance(message, dict) else Stray("not an object")


def _load(data: str | bytes) -> Any:
    """Read JSON with exact integers.

    The quick reader makes floats of integers over 64 bit. The other one may only be given what the
    quick one takes: deep nesting would bring the process down where recursion is not limited.
    """
    message = orjson.loads(data)
    text = data.decode() if isinstance(data, bytes) else data
    return json.loads(text) if _MANY_DIGITS.search(text) else message


def _read(message: dict[str, Any]) -> Incoming:
    key = request_key(message.get("Id"))
    code, action = message.get("Error"), message.get("Action")
    if key is not None:
        return _reply(key, message)
    if isinstance(action, str) and action in _PUSHES and code in (SUCCESS, None):
        return Push(action, message.get("Result"))
    if code == SESSION_EXPIRED:
        return Expired()
    if code not in (SUCCESS, None):
        return Nameless(_error(message))
    return Stray("neither a reply nor a push")


def _reply(key: int, message: dict[str, Any]) -> Reply:
    if message.get("Error") not in (SUCCESS, None):
        return Reply(key, None, _error(message))
    if "Result" not in message:
        return Reply(key, None, BadAnswer("neither result nor error"))
    return Reply(key, message["Result"], None)


def _error(message: dict[str, Any]) -> RpcError:
    """Read an error; what it says besides is said with its words, which may be missing."""
    code, words, result = (message.get(name) for name in ("Error", "Desc", "Result"))
    number = code if isinstance(code, int) and not isinstance(code, bool) else None
    said = [one for one in (words, result) if isinstance(one, str) and one]
    return RpcError(number, ": ".join(said), result)
