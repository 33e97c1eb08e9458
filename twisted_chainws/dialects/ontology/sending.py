"""The action that sends a transaction, or tries it. Sans-I/O.

Who sends one is told of it in a block, whatever else it is told of. That begins before the source
is asked, which may mine at once, and ends when the transaction is refused.

Source: ``ontology.md`` 4.10, 5.4 and 8.2.
"""

from collections.abc import Mapping
from typing import Final

from twisted_chainws.chain.model import EvmTransaction, Kind
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.decode import Message, decode_hex, wants_pre_execution
from twisted_chainws.dialects.ontology.questions import EXECUTE, ask
from twisted_chainws.dialects.ontology.rejections import rejection_of
from twisted_chainws.dialects.ontology.transaction import (
    decode_sent,
    encode_transaction,
)
from twisted_chainws.dialects.outcomes import (
    Disregard,
    Expect,
    Forward,
    Handler,
    Outcome,
    Submit,
)
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import ChainwsError


def send(view: View, message: Message) -> Outcome:
    """Answer ``sendrawtransaction``: the hash, or what came of trying.

    Of what follows the transaction in the request nothing is sent.

    Raises:
        UndecodableTransaction: the bytes are no transaction.
    """
    transaction = decode_sent(decode_hex(message, "Data"), chain_id=view.chain.chain_id)
    if wants_pre_execution(message):
        question = ask(view, EXECUTE, raw=encode_transaction(transaction))
        return Forward(call=question, then=lambda answer: answer)
    if isinstance(transaction, EvmTransaction):
        call = Submit(kind=Kind.EVM, raw=transaction.raw)
    else:
        call = Submit(kind=Kind.ONTOLOGY, raw=encode_transaction(transaction))
    transaction_hash, shown = transaction.hash, encode_reversed(transaction.hash)

    def rescue(error: ChainwsError) -> Disregard:
        refused = rejection_of(error, transaction)
        return Disregard(transaction_hash=transaction_hash, go_on=refused)

    sent = Forward(call=call, then=lambda _answer: shown, rescue=rescue)
    return Expect(transaction_hash=transaction_hash, go_on=sent)


SENDING: Final[Mapping[str, Handler]] = {"sendrawtransaction": send}
