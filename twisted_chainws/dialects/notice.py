"""What is rendered once and sent to many. Sans-I/O, imports nothing of the package."""

from collections.abc import Sequence
from typing import Any, Protocol


class Recipient(Protocol):
    """Who gets a notice: a subscription, or whoever else stands for a connection.

    Attributes:
        owner: the session.
        wire_id: what is put between the two halves of a notice.
        active: False as soon as nothing may be delivered to it any more.
    """

    @property
    def owner(self) -> Any:
        """The session."""

    @property
    def wire_id(self) -> bytes:
        """As ASCII bytes, maybe empty."""

    @property
    def active(self) -> bool:
        """Whether it may still get something."""


class Notice:
    """One event rendered for all subscribers that share an encoder.

    The wire text is ``head + subscription id + tail``. ``frame`` is scratch space for the server,
    which keeps a ready WebSocket frame there and rewrites the id in place.
    """

    __slots__ = ("frame", "head", "size", "tail")

    def __init__(self, head: bytes, tail: bytes) -> None:
        self.head = head
        self.tail = tail
        self.size = len(head) + len(tail)
        self.frame: bytearray | None = None


class JoinedNotice(Notice):
    """A notice without an id whose parts other notices share; joined each time it is asked for.

    Thousands of different messages about one large block wait for their turn; together they hold
    its text once.
    """

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[bytes]) -> None:
        self._parts = parts
        self.tail = b""
        self.size = sum(map(len, parts))
        self.frame = None

    @property
    def head(self) -> bytes:  # type: ignore[override]
        """The whole text."""
        return b"".join(self._parts)
