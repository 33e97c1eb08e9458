"""A small dialect whose connections have one interest each; requests are those of JSON-RPC.

Follow topics and keys, or send a transaction and be told of it: ``p_follow``, ``p_send``. Each
transaction of a block is a message, and then the block itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.base import Dialect, Faults, HttpFace
from twisted_chainws.dialects.jsonrpc import ENVELOPE, claims
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.dialects.outcomes import (
    Adjust,
    Disregard,
    Expect,
    Fault,
    Forward,
    Outcome,
    Submit,
)
from twisted_chainws.dialects.pushing import Push
from twisted_chainws.dialects.view import View
from twisted_chainws.subscriptions.interests import Interest

EXPIRED = Fault(code=-32000, message="expired")


@dataclass
class Ledger:
    """Knows the blocks; ``broken`` are the numbers of those it cannot tell of."""

    blocks: list[Block] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)

    def apply(self, advance: Advance) -> None:
        """Keep the blocks."""
        del self.blocks[len(self.blocks) - len(advance.undone) :]
        self.blocks += advance.applied


def pushes(ledger: Ledger, block: Block) -> Iterator[Push]:
    """Tell of each transaction and of the block; keys are the addresses of logs."""
    assert block in ledger.blocks
    if block.number in ledger.broken:
        raise ValueError("no such block")
    for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
        yield Push(
            topic="transaction",
            keys=frozenset(log.address.hex() for log in receipt.logs),
            transaction_hash=transaction.hash,
            encode=partial(orjson.dumps, {"transaction": transaction.hash.hex()}),
        )
    yield Push(
        topic="block",
        keys=None,
        transaction_hash=None,
        encode=partial(orjson.dumps, {"block": block.number}),
    )


def _shown(interest: Interest) -> Any:
    return [sorted(interest.topics), interest.keys, interest.cursor]


def _follow(_view: View, params: Any) -> Adjust:
    topics, keys, *cursor = params
    return Adjust(
        change=lambda before: Interest(
            topics=frozenset(topics),
            keys=before.keys if keys is None else tuple(keys),
            cursor=bool(cursor),
        ),
        then=_shown,
    )


def _send(_view: View, params: Any) -> Outcome:
    transaction_hash = Hash32(bytes.fromhex(params[0]))
    return Expect(
        transaction_hash=transaction_hash,
        go_on=Forward(
            call=Submit(kind=Kind.EVM, raw=transaction_hash),
            then=lambda _: "sent",
            rescue=lambda error: Disregard(
                transaction_hash=transaction_hash,
                go_on=Fault(code=-32000, message=type(error).__name__),
            ),
        ),
    )


METHODS = {
    "p_interest": lambda _view, _params: Adjust(change=lambda same: same, then=_shown),
    "p_follow": _follow,
    "p_send": _send,
    "p_disregard": lambda _view, params: Disregard(
        transaction_hash=Hash32(bytes.fromhex(params[0])), go_on="disregarded"
    ),
    "p_sessions": lambda view, _params: view.sessions,
    "p_slow": lambda _view, _params: Forward(
        call=Submit(kind=Kind.EVM, raw=b""), then=lambda _: "slow"
    ),
}


def render_notice(text: bytes, cursor: str | None) -> Notice:
    """Write a push; it names no subscription."""
    return Notice(text if cursor is None else b"[%b,%b]" % (text, orjson.dumps(cursor)), b"")


def render_fault(token: Any, fault: Fault) -> bytes:
    """Write a fault, also one that answers nothing."""
    return ENVELOPE.render_fault(b"null" if token is None else token, fault)


DIALECT = Dialect(
    name="pushes",
    title="Pushes",
    default_port=1,
    envelope=replace(ENVELOPE, render_notice=render_notice, render_fault=render_fault, id_width=0),
    methods=METHODS,
    topics={},
    faults=Faults(
        of=lambda error: Fault(code=-32000, message=type(error).__name__),
        unknown_method=lambda name: Fault(code=-32601, message=f"unknown {name}"),
        response_too_large=Fault(code=-32003, message="response too large"),
        internal=Fault(code=-32603, message="internal error"),
        notifications_unsupported=Fault(code=-32601, message="notifications not supported"),
        too_many_requests=Fault(code=429, message="too many requests"),
        throughput_exceeded=Fault(code=429, message="throughput exceeded"),
        timed_out=Fault(code=-32002, message="timed out"),
        expired=EXPIRED,
    ),
    projection=Ledger,
    announce=lambda _advance: (),
    http=HttpFace(methods=METHODS, content_types=frozenset({"application/json"})),
    limits=Limits(),
    claims=claims,
    replies_in_order=True,
    push=pushes,
    notices_wait=True,
)
