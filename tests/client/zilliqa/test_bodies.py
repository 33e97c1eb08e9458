from typing import Any

import pytest

from tests.client.zilliqa.ledger import (
    ALICE,
    ALICE_EVM,
    BOB,
    OTHER_TOKEN,
    TOKEN,
    Ledger,
    call,
    event,
    payment,
)
from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.zilliqa.bodies import contents_of
from twisted_chainws.client.zilliqa.values import decode_block

BLOCK = decode_block(Ledger().chain[-1])
EVM_LOG = {"address": TOKEN, "data": "0x", "topics": []}


def test_events_in_order() -> None:
    """Events are told by emitter, over all transactions, in their order."""
    found = contents_of(
        BLOCK, [call("a", event("x"), EVM_LOG, event("y", OTHER_TOKEN)), call("b", event("z"))]
    )
    assert [(one.name, one.address) for one in found.events] == [
        *(("x", TOKEN), ("y", OTHER_TOKEN), ("z", TOKEN))
    ]
    assert {one.block_number for one in found.events} == {5}


@pytest.mark.parametrize(
    "transaction",
    [
        call("a", event("x"), success=False),
        call("a", event("x"), receipt={"success": True, "event_logs": None}),
        call("a", EVM_LOG),
        call("a", {"_eventname": 7, "address": TOKEN, "params": []}, 7, {"address": TOKEN}),
        payment("a", BOB),
    ],
)
def test_what_emits_nothing(transaction: Any) -> None:
    """Failed calls, payments and broken entries have no events, but are transfers."""
    found = contents_of(BLOCK, [transaction])
    assert (found.events, len(found.transfers)) == ((), 1)


def test_transfers() -> None:
    """Every transaction is one; the sender goes by the rule of its family."""
    native = payment("a", BOB, amount=9)
    evm = payment("b", BOB, version="14548996", senderPubKey=native["senderPubKey"].lower())
    failed = payment("c", BOB, success=False, toAddr="0x" + BOB[2:].upper())
    found = contents_of(BLOCK, [native, evm, failed]).transfers
    assert [one.sender for one in found] == [ALICE, ALICE_EVM, ALICE]
    assert [one.to for one in found] == [BOB, BOB, BOB]
    assert [one.success for one in found] == [True, True, False]
    assert found[0].amount_qa == 9


@pytest.mark.parametrize(
    "raw",
    [None, {}, payment("a", BOB, receipt=None), payment("a", BOB, senderPubKey="0xzz"),
     payment("a", BOB, senderPubKey=None), payment("a", BOB, version="14548996", senderPubKey="00"),
     payment("a", BOB, ID="7")],
)  # fmt: skip
def test_no_transactions(raw: Any) -> None:
    """What is none is refused."""
    with pytest.raises(BadAnswer):
        contents_of(BLOCK, [raw])
