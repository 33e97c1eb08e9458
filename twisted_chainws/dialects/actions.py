"""What comes out of a session beside ready messages. Sans-I/O."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from twisted_chainws.dialects.outcomes import Call


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Somebody else must answer: perform ``call``, then ``resolve(ticket, answer)``."""

    ticket: int
    call: Call


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection; nothing follows."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """A handler broke; the peer was told nothing of it, the operator should be."""

    error: BaseException


Out: TypeAlias = list[Any]
"""``bytes`` (one whole message each) and actions, in the order in which they leave."""
