"""What connections of a push protocol are about: one interest each. Sans-I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What one connection wants to be told of.

    Attributes:
        topics: names of the topics.
        keys: what keyed topics are narrowed to, as the client wrote it; empty for everything, None
            when it never said.
        cursor: whether each push carries a cursor.
    """

    topics: frozenset[str] = frozenset()
    keys: tuple[str, ...] | None = None
    cursor: bool = False
