from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.ontology.ledgers import EVM, as_native, native_receipt, sample
from tests.dialects.ontology.stand import EMPTY, Client, Stand
from tests.dialects.ontology.vectors import vectors
from tests.strategies import make_block
from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.encode import encode_event
from twisted_chainws.dialects.ontology.transaction import encode_transaction
from twisted_chainws.dialects.outcomes import Submit
from twisted_chainws.errors import (
    AlreadyKnown,
    ExecutionFailed,
    ExecutionReverted,
    InvalidSignature,
    Unsupported,
)

TRANSFER = sample("ont_transfer_1")
RAW = encode_transaction(TRANSFER).hex()
HASH = encode_reversed(TRANSFER.hash)
EVM_RAW = encode_transaction(EVM).hex()
ONT, ONG = "01" + 38 * "0", "02" + 38 * "0"
TRIED = {"State": 1, "Gas": 20000, "Result": "01", "Notify": None}


def mined(parent: Block = EMPTY) -> Block:
    """Make the block with the sample transfer that follows a block."""
    block = make_block(parent, [(as_native(TRANSFER), [])])
    return replace(block, receipts=(native_receipt(TRANSFER),))


def sending(client: Client, raw: str = RAW) -> Any:
    """Send a transaction."""
    return client.result("sendrawtransaction", Data=raw)


@pytest.mark.parametrize("item", vectors("transactions"), ids=lambda it: it["name"])
@pytest.mark.parametrize("rest", ["", "00", "ffff"])
def test_sample_transactions(item: Any, rest: str) -> None:
    """Every sample is sent as it is, without what follows it; the reply is its hash."""
    stand = Stand()
    assert sending(stand.client(), item["raw"].upper() + rest) == item["tx_hash"]
    assert stand.sent == [Submit(kind=Kind.ONTOLOGY, raw=bytes.fromhex(item["raw"]))]


def test_evm_transactions() -> None:
    """They go where all EVM transactions go; the hash is shown reversed."""
    stand = Stand()
    assert sending(stand.client(), EVM_RAW) == EVM.hash[::-1].hex()
    assert stand.sent == [Submit(kind=Kind.EVM, raw=EVM.raw)]


@pytest.mark.parametrize(
    "members", [{}, {"Data": None}, {"Data": 5}, {"Data": "0"}, {"Data": "zz"}]
)
@pytest.mark.parametrize("pre_exec", ["0", "1"])
def test_no_hex(members: Any, pre_exec: str) -> None:
    """Is a wrong parameter."""
    client = Stand().client()
    assert client.refusal("sendrawtransaction", PreExec=pre_exec, **members) == (42002, "")


@pytest.mark.parametrize("data", ["", "00", "01" + RAW[2:], "00d4" + RAW[4:], RAW[:-2], "00d30100"])
@pytest.mark.parametrize("pre_exec", ["0", "1"])
def test_no_transactions(data: str, pre_exec: str) -> None:
    """Are told as such, also when they were only to be tried."""
    stand = Stand()
    refusal = stand.client().refusal("sendrawtransaction", Data=data, PreExec=pre_exec)
    assert refusal == (43001, "")
    assert (stand.sent, stand.asked) == ([], [])


def test_evm_transactions_of_another_chain() -> None:
    """Are none here."""
    stand = Stand()
    stand.view.chain.chain_id = 58
    assert stand.client().refusal("sendrawtransaction", Data=EVM_RAW) == (43001, "")


@pytest.mark.parametrize("pre_exec", ["1", 1, True])
@pytest.mark.parametrize("raw", [RAW, EVM_RAW])
def test_pre_execution(pre_exec: Any, raw: str) -> None:
    """What comes of trying is shown as the source says it; nothing is sent or waited for."""
    stand = Stand()
    stand.answers["ontology_execute"] = TRIED
    client = stand.client()
    found = client.result("sendrawtransaction", Data=raw + "00", PreExec=pre_exec)
    assert list(found.items()) == list(TRIED.items())
    (question,) = stand.asked
    assert question.params["raw"] == "0x" + raw
    assert stand.sent == []
    stand.publish(mined())
    assert client.take() == []


@pytest.mark.parametrize("pre_exec", ["0", "", 0, False, None, 2, "true"])
def test_sending_for_certain(pre_exec: Any) -> None:
    """Everything else sends."""
    stand = Stand()
    found = stand.client().result("sendrawtransaction", Data=RAW, PreExec=pre_exec)
    assert found == HASH
    assert len(stand.sent) == 1


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (ExecutionFailed(reason="authentication failed!"), "authentication failed!"),
        (ExecutionReverted(data=b"\1"), "execution reverted: 0x01"),
        (Unsupported(reason="no WASM here"), "no WASM here"),
    ],
)
def test_failing_executions(failure: Exception, text: str) -> None:
    """The same text under two codes: tried, and sent."""
    stand = Stand()
    stand.answers["ontology_execute"] = stand.sending = failure
    client = stand.client()
    assert client.refusal("sendrawtransaction", Data=RAW, PreExec="1") == (47001, text)
    assert client.refusal("sendrawtransaction", Data=RAW) == (-1, text)


@pytest.mark.parametrize(
    ("failure", "code", "text"),
    [
        (AlreadyKnown(), 45003, f"transaction {TRANSFER.hash.hex()} is already in the tx pool"),
        (InvalidSignature(), 45021, "transaction verify signature fail"),
    ],
)
def test_refusals(failure: Exception, code: int, text: str) -> None:
    """What the pool refuses is never told of, should somebody else bring it into a block."""
    stand = Stand()
    stand.sending = failure
    client = stand.client()
    assert client.refusal("sendrawtransaction", Data=RAW) == (code, text)
    stand.publish(mined())
    assert client.take() == []


def test_confirmation() -> None:
    """Who sent a transaction is told of it once, without having asked for anything."""
    stand = Stand()
    client, other = stand.client(), stand.client()
    assert sending(client) == HASH
    stand.mine()
    assert client.take() == []
    block = stand.publish(mined(stand.chain.head))
    assert client.pushes() == [("Notify", encode_event(block, 0))]
    base = EMPTY.hash
    stand.advance(stand.chain.reorganise(base, [mined()]))
    assert client.take() == other.take() == []


def test_confirmation_of_an_evm_transaction() -> None:
    """By the hash that the reply has."""
    stand = Stand()
    client = stand.client()
    name = sending(client, EVM_RAW)
    stand.mine((EVM, []))
    ((action, result),) = client.pushes()
    assert (action, result["TxHash"]) == ("Notify", name)


def test_confirmation_of_a_failed_transaction() -> None:
    """Is a success of the push; the state says what failed."""
    stand = Stand()
    client = stand.client()
    sending(client)
    receipt = native_receipt(TRANSFER, succeeded=False, events=())
    stand.publish(replace(mined(), receipts=(receipt,)))
    ((action, result),) = client.pushes()
    assert (action, result["State"], result["Notify"]) == ("Notify", 0, None)


def test_the_reply_comes_first() -> None:
    """Also where the transaction is in a block before the source has answered."""
    stand = Stand()
    client = stand.client()
    client.result("subscribe", SubscribeBlockTxHashs=True)
    stand.meanwhile = [mined()]
    data = b'{"Action":"sendrawtransaction","Data":"%b","Id":1}' % RAW.encode()
    texts = client.say(data)
    assert [text[:32] for text in texts] == [
        b'{"Action":"sendrawtransaction","',
        b'{"Action":"Notify","Desc":"SUCCE',
        b'{"Action":"sendblocktxhashs","De',
    ]


@pytest.mark.parametrize(
    ("contracts", "count"), [(None, 1), ([], 1), ([ONT], 1), ([ONT, ONG], 1), ([40 * "0"], 1)]
)
def test_confirmation_of_a_subscriber(contracts: Any, count: int) -> None:
    """Is the event that it is told of anyway, or comes beside its filter; once in any case."""
    stand = Stand()
    client = stand.client()
    client.result("subscribe", SubscribeEvent=True, ContractsFilter=contracts)
    sending(client)
    stand.publish(mined())
    assert [action for action, _ in client.pushes()] == ["Notify"] * count


def test_the_first_sender_is_told() -> None:
    """Others who send the same transaction are refused and not told."""
    stand = Stand()
    first, second = stand.client(), stand.client()
    sending(first)
    stand.sending = AlreadyKnown()
    assert second.refusal("sendrawtransaction", Data=RAW)[0] == 45003
    assert first.refusal("sendrawtransaction", Data=RAW)[0] == 45003
    stand.publish(mined())
    assert (len(first.take()), second.take()) == (1, [])
