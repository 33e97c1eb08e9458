"""Work that may take long: what the worker may try in place and else leaves to a child.

A command is a generator that yields jobs and is resumed with their results, so that the worker
decides where a job runs and answers reads in the meantime.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from twisted_chainws.errors import ExecutionTimeout
from twisted_chainws.sources.devchain.engine.limit import TimeUp, within

READ_IN_PLACE_S: Final = 0.003
"""How long a read may keep the other reads waiting before it goes to a child."""

Progress: TypeAlias = Callable[[bytes], None]
"""Tells the worker, from a child, which transaction (32-byte hash) is run now."""


class Stuck(Exception):
    """A child had to be killed while it ran this transaction (32-byte hash, empty if unknown)."""

    def __init__(self, transaction_hash: bytes) -> None:
        super().__init__(transaction_hash)
        self.transaction_hash = transaction_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work on the engine.

    Attributes:
        run: does it; with None for progress it runs in place and raises ``TimeUp`` when that
            takes too long, else it runs in a child and limits itself.
        killed: what to raise when a child got stuck; takes the transaction it ran last.
        timeout_s: of the child between two signs of progress, some time after its own limit.
        in_place: whether it is worth trying in place.
        writes: whether what it wrote to the engine is wanted.
    """

    run: Callable[[Progress | None], Any]
    killed: Callable[[bytes], Exception]
    timeout_s: float
    in_place: bool
    writes: bool


Command: TypeAlias = Generator[Job, Any, Any]
"""A command in progress; its return value is the answer."""


def read_job(read: Callable[[], Any], *, timeout_s: float) -> Job:
    """Make a job of something that only reads.

    The job raises ``ExecutionTimeout`` after ``timeout_s`` seconds.
    """

    def run(progress: Progress | None) -> Any:
        if progress is None:
            return within(READ_IN_PLACE_S, read)
        try:
            return within(timeout_s, read)
        except TimeUp:
            raise ExecutionTimeout(timeout_s=timeout_s) from None

    return Job(
        run=run,
        killed=lambda _: ExecutionTimeout(timeout_s=timeout_s),
        timeout_s=timeout_s,
        in_place=True,
        writes=False,
    )
