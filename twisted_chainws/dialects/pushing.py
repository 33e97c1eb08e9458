"""What one block brings to connections, as one message for each thing that happened. Sans-I/O.

Imports only notice and the layers below.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Hash32


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A message of a block.

    Attributes:
        topic: who is not interested in it gets none.
        keys: of which one at least has to be among those that an interest is narrowed to; None for
            a topic that is not narrowed.
        transaction_hash: who expects this transaction gets the message, too, once; None for a
            message that is about none.
        encode: makes its text, called once and only when somebody gets it.
    """

    topic: str
    keys: frozenset[str] | None
    transaction_hash: Hash32 | None
    encode: Callable[[], bytes]


Pushes: TypeAlias = Callable[[Any, Block], Iterable[Push]]
"""(ledger, block) -> its messages in the order of the wire."""
