"""Actions about transactions that wait for a block. Sans-I/O.

What is in the pool was verified before it came there. EVM transactions that wait for an earlier
nonce of their sender are what a node has under way: they lack the check against the state.

Source: ``ontology.md`` 4.22, 4.23, 4.29 and 8.3.
"""

from collections.abc import Mapping
from typing import Final

from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ontology import shapes
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.decode import Message, decode_hash
from twisted_chainws.dialects.ontology.errors import SUCCESS, UNKNOWN_TRANSACTION, fault
from twisted_chainws.dialects.ontology.listing import is_listed, raw_transaction
from twisted_chainws.dialects.ontology.options import PoolHashes
from twisted_chainws.dialects.outcomes import Handler, Json, Refused
from twisted_chainws.dialects.view import View

_STATELESS: Final = 0
_STATEFUL: Final = 1


def get_state(view: View, message: Message) -> shapes.PooledTransaction:
    """Answer ``getmempooltxstate``: which checks a transaction has passed."""
    transaction_hash = decode_hash(message)
    transaction = view.chain.pooled(transaction_hash)
    if transaction is None or not is_listed(transaction):
        raise Refused(fault(UNKNOWN_TRANSACTION))
    passed: list[shapes.Check] = [{"Height": 0, "Type": _STATELESS, "ErrCode": SUCCESS}]
    if view.chain.is_pending(transaction_hash):
        passed.append({"Height": view.chain.height, "Type": _STATEFUL, "ErrCode": SUCCESS})
    return {"State": passed, "Raw": raw_transaction(transaction).hex()}


def get_count(view: View, _message: Message) -> Json:
    """Answer ``getmempooltxcount``: how many may be mined, and how many wait for others."""
    chain = view.chain
    return [
        sum(map(is_listed, each))
        for each in (chain.pending_transactions(), chain.queued_transactions())
    ]


def make_get_hashes(form: PoolHashes) -> Handler:
    """Make ``getmempooltxhashlist``: those that may be mined."""
    write = encode_reversed if form is PoolHashes.HEX else _numbers

    def get_hashes(view: View, _message: Message) -> Json:
        return [write(each.hash) for each in view.chain.pending_transactions() if is_listed(each)]

    return get_hashes


def _numbers(transaction_hash: Hash32) -> list[int]:
    """Write a hash as nodes do, not reversed: their type for it has no JSON form."""
    return list(transaction_hash)


def pool_of(form: PoolHashes) -> Mapping[str, Handler]:
    """Return the actions about the pool."""
    return {
        "getmempooltxcount": get_count,
        "getmempooltxhashlist": make_get_hashes(form),
        "getmempooltxstate": get_state,
    }
