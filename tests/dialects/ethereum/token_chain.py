"""Logs of tokens, and a source that answers questions about them; for tests of handlers."""

from collections.abc import Callable
from typing import Any

import orjson

from twisted_chainws.chain.model import Log
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ethereum.token_logs import (
    TRANSFER,
    TRANSFER_BATCH,
    TRANSFER_SINGLE,
)
from twisted_chainws.dialects.outcomes import Call, Forward, Outcome, Query, Scan
from twisted_chainws.errors import ChainwsError


def word(value: int | bytes) -> Hash32:
    """A number or an address as a word."""
    number = value if isinstance(value, int) else int.from_bytes(value, "big")
    return Hash32(number.to_bytes(32, "big"))


def erc20(token: Address20, sender: Address20, recipient: Address20, value: int) -> Log:
    """The log of a fungible transfer."""
    return Log(address=token, topics=(TRANSFER, word(sender), word(recipient)), data=word(value))


def erc721(token: Address20, sender: Address20, recipient: Address20, token_id: int) -> Log:
    """The log of the transfer of one token."""
    topics = (TRANSFER, word(sender), word(recipient), word(token_id))
    return Log(address=token, topics=topics, data=b"")


def erc1155(
    token: Address20, sender: Address20, recipient: Address20, *pairs: tuple[int, int]
) -> Log:
    """The log of a transfer of so many of some tokens; of one as ``TransferSingle``."""
    operator, rest = word(b"\x99" * 20), (word(sender), word(recipient))
    if len(pairs) == 1:
        data = b"".join(map(word, pairs[0]))
        return Log(address=token, topics=(TRANSFER_SINGLE, operator, *rest), data=data)
    ids, values = [one for one, _ in pairs], [one for _, one in pairs]
    words = [64, 96 + 32 * len(ids), len(ids), *ids, len(values), *values]
    data = b"".join(map(word, words))
    return Log(address=token, topics=(TRANSFER_BATCH, operator, *rest), data=data)


def text_answer(text: str) -> str:
    """An ABI string."""
    raw = text.encode()
    padded = raw.ljust(-(-len(raw) // 32) * 32, b"\0")
    return "0x" + (word(32) + word(len(raw)) + padded).hex()


def word_answer(value: int) -> str:
    """An ABI number."""
    return "0x" + word(value).hex()


def drive(outcome: Any, answer: Callable[[Query], Any], *, scans: list[int] | None = None) -> Any:
    """Answer every question of an outcome until there is a result, as a client would read it.

    Args:
        outcome: what a handler returned.
        answer: query -> answer; a ChainwsError that it raises is how the question ends.
        scans: receives the number of steps of each scan.
    """
    while isinstance(outcome, Outcome):
        assert isinstance(outcome, Forward), outcome
        call: Call = outcome.call
        if isinstance(call, Scan):
            outcome = outcome.then(_finish(call, scans))
            continue
        assert isinstance(call, Query), call
        try:
            found = answer(call)
        except ChainwsError as error:
            if outcome.rescue is None:
                raise
            outcome = outcome.rescue(error)
        else:
            outcome = outcome.then(found)
    return orjson.loads(orjson.dumps(outcome))


def _finish(scan: Scan, scans: list[int] | None) -> Any:
    steps = 0
    while True:
        try:
            next(scan.steps)
        except StopIteration as end:
            if scans is not None:
                scans.append(steps)
            return end.value
        steps += 1
