"""The action that sends a transaction, or tries it. Sans-I/O.

Who sends one is told of it in a block, whatever else it is told of. That begins before the source
is asked, which may mine at once, and ends when the transaction is refused.

Source: ``ontology.md`` 4.10, 5.4 and 8.2.
"""

from collections.abc import Callable, Mapping
from typing import Final

from twisted_chainws.chain.model import EvmTransaction, Kind
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.decode import Message, decode_hex, wants_pre_execution
from twisted_chainws.dialects.ontology.questions import EXECUTE, ask
from twisted_chainws.dialects.ontology.rejections import rejection_of
from twisted_chainws.dialects.ontology.transaction import (
    AnyTransaction,
    decode_sent,
    encode_transaction,
)
from twisted_chainws.dialects.outcomes import (
    Disregard,
    Expect,
    Fault,
    Forward,
    Handler,
    Json,
    Outcome,
    Submit,
)
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import ChainwsError


def send(view: View, message: Message) -> Outcome:
    """Answer ``sendrawtransaction``: the hash, or what came of trying.

    Raises:
        UndecodableTransaction: the bytes are no transaction.
    """
    transaction = decode_sent(decode_hex(message, "Data"), chain_id=view.chain.chain_id)
    if wants_pre_execution(message):
        question = ask(view, EXECUTE, raw=encode_transaction(transaction))
        return Forward(call=question, then=lambda answer: answer)
    if view.chain.pooled(transaction.hash) is not None:
        # Refused, almost certainly; who sent it before is still to be told.
        return _submit(transaction, lambda refused: refused)
    return Expect(
        transaction_hash=transaction.hash,
        go_on=_submit(
            transaction,
            lambda refused: Disregard(transaction_hash=transaction.hash, go_on=refused),
        ),
    )


def _submit(transaction: AnyTransaction, refuse: Callable[[Fault], Outcome | Json]) -> Forward:
    """Send a transaction; of what follows it in the request nothing is sent."""
    if isinstance(transaction, EvmTransaction):
        call = Submit(kind=Kind.EVM, raw=transaction.raw)
    else:
        call = Submit(kind=Kind.ONTOLOGY, raw=encode_transaction(transaction))

    def rescue(error: ChainwsError) -> Outcome | Json:
        return refuse(rejection_of(error, transaction))

    shown = encode_reversed(transaction.hash)
    return Forward(call=call, then=lambda _answer: shown, rescue=rescue)


SENDING: Final[Mapping[str, Handler]] = {"sendrawtransaction": send}
