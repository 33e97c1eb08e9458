"""What is written into a journal, and the cursor that names a place in it. Sans-I/O."""

from dataclasses import dataclass
from typing import TypeAlias

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import BlockNumber, Seq
from twisted_chainws.errors import CursorMalformed


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of the canonical chain before it has a place in a journal.

    Attributes:
        undone: blocks that left the chain, newest first.
        applied: blocks that joined it, oldest first; the first one follows the common ancestor.
    """

    undone: tuple[Block, ...]
    applied: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A transition with its place: a plain block, a rollback and a reorg are the same operation."""

    seq: Seq
    undone: tuple[Block, ...]
    applied: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalise:
    """Blocks up to and including ``number`` will not be undone any more."""

    seq: Seq
    number: BlockNumber


Op: TypeAlias = Advance | Finalise


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cursor:
    """A place in a journal: everything up to it was received.

    Attributes:
        epoch: the random 64-bit number of the journal.
        seq: the operation.
        index: how many items of that operation, as one dialect counts them, were received; None
            means all of them.
    """

    epoch: int
    seq: Seq
    index: int | None = None

    def __str__(self) -> str:
        """The text form, ``epoch:seq`` or ``epoch:seq:index``; the epoch as 16 hex digits."""
        text = f"{self.epoch:016x}:{self.seq}"
        return text if self.index is None else f"{text}:{self.index}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read the text form.

        Raises:
            CursorMalformed: the text is not a cursor.
        """
        parts = text.split(":")
        numbers = parts[1:]
        if (
            len(parts) not in (2, 3)
            or len(parts[0]) != 16  # noqa: PLR2004 - 64 bits in hex
            or not all(digit in "0123456789abcdef" for digit in parts[0])
            or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in numbers)  # noqa: PLR2004
        ):
            raise CursorMalformed(text=text)
        return cls(
            epoch=int(parts[0], 16),
            seq=Seq(int(numbers[0])),
            index=int(numbers[1]) if len(numbers) > 1 else None,
        )
