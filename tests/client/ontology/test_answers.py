from typing import Any

import pytest

from tests.client.ontology.ledger import ALICE, ONT, Ledger, did
from tests.dialects.ontology.vectors import vectors
from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.ontology.answers import (
    Balance,
    GasPrice,
    Topics,
    Verification,
    decode_balance,
    decode_contract_answer,
    decode_event,
    decode_events,
    decode_gas_price,
    decode_mempool_count,
    decode_mempool_hashes,
    decode_mempool_state,
    decode_pre_execution,
    decode_proof,
    decode_text,
    decode_topics,
    decode_transaction,
)

TOPICS: dict[str, Any] = {
    "ContractsFilter": None,
    "SubscribeEvent": True,
    "SubscribeJsonBlock": False,
    "SubscribeRawBlock": True,
    "SubscribeBlockTxHashs": False,
}
CONTRACT = {
    "Code": "0000000000000000000000000000000000000001",
    "VmType": 1,
    "Name": "ONT",
    "CodeVersion": "1.0",
    "Author": "Ontology Team",
    "Email": "contact@ont.io",
    "Description": "Ontology Network ONT Token",
}


def test_topics() -> None:
    """No filter, null or empty, is none."""
    expected = Topics(events=True, json_blocks=False, raw_blocks=True, hashes=False, contracts=())
    assert decode_topics(TOPICS) == decode_topics(TOPICS | {"ContractsFilter": []}) == expected
    assert decode_topics(TOPICS | {"ContractsFilter": [ONT]}).contracts == (ONT,)


def test_balances() -> None:
    """Numbers in texts are read exactly; old nodes do not tell the height."""
    whole = {"ont": "2500", "ong": str(10**27), "height": "1455"}
    assert decode_balance(whole) == Balance(ont=2500, ong=10**27, height=1455)
    assert decode_balance({"ont": "0", "ong": "0"}).height is None


def test_gas_price() -> None:
    """Price and height."""
    assert decode_gas_price({"gasprice": 2500, "height": 7}) == GasPrice(price=2500, height=7)


def test_transactions() -> None:
    """The published transaction is read."""
    raw = vectors("gettransaction_json")["Result"]
    transaction = decode_transaction(raw | {"Height": 42})
    assert (transaction.hash, transaction.number) == (raw["Hash"], 42)
    assert (transaction.type, transaction.payer) == (209, ALICE.address)
    assert (transaction.gas_price, transaction.gas_limit) == (raw["GasPrice"], raw["GasLimit"])
    assert (transaction.payload, list(transaction.sigs)) == (raw["Payload"], raw["Sigs"])
    assert decode_transaction(raw | {"Height": 42, "Payload": "f86b", "Sigs": None}).sigs == ()


def test_contracts() -> None:
    """The published contract is read."""
    contract = decode_contract_answer(CONTRACT)
    assert (contract.code, contract.vm_type, contract.name) == (bytes(19) + b"\1", 1, "ONT")
    assert (contract.version, contract.email) == ("1.0", "contact@ont.io")


def test_pre_executions() -> None:
    """Nothing told is null; the result is kept as it came."""
    raw = {"State": 1, "Gas": 20_000, "Result": ["01", []], "Notify": None}
    found = decode_pre_execution(raw)
    assert (found.succeeded, found.gas, found.result, found.notices) == (
        *(True, 20_000, ["01", []], ()),
    )
    assert decode_pre_execution(raw | {"State": 0, "Result": None}).succeeded is False


def test_events() -> None:
    """An empty text is what nodes say where there are none."""
    events = Ledger().mine(did(1), did(2)).events
    assert [one.index for one in decode_events(events)] == [0, 1]
    assert decode_events("") == decode_events(None) == ()
    found = decode_event(events[1])
    assert found is not None
    assert found.index == 1
    assert decode_event("") is None
    assert decode_event(None) is None


def test_mempools() -> None:
    """States, counts, and hashes as bytes in the order in which nobody else shows them."""
    state = {
        "State": [
            {"Height": 0, "Type": 0, "ErrCode": 0},
            {"Height": 342, "Type": 1, "ErrCode": -1},
        ],
        "Raw": "00d1",
    }
    found = decode_mempool_state(state)
    assert found.verifications[1] == Verification(height=342, type=1, error=-1)
    assert found.data == b"\0\xd1"
    assert decode_mempool_state({"State": None}).verifications == ()
    assert decode_mempool_count([3, 1]) == (3, 1)
    internal = list(range(32))
    shown = bytes(reversed(range(32))).hex()
    assert decode_mempool_hashes([internal, shown.upper()]) == (shown, shown)
    assert decode_mempool_hashes([]) == ()


@pytest.mark.parametrize("proof", vectors("block_merkle")["proofs"][:10])
def test_published_proofs(proof: Any) -> None:
    """They are right, and wrong as soon as anything about them is changed."""
    raw = {name: value for name, value in proof.items() if name[0].isupper()}
    found = decode_proof(raw)
    assert found.is_right
    wrong = "11" * 32
    assert not decode_proof(raw | {"CurBlockRoot": wrong}).is_right
    assert not decode_proof(raw | {"TransactionsRoot": wrong}).is_right
    more = [*(raw["TargetHashes"] or []), wrong]
    assert not decode_proof(raw | {"TargetHashes": more}).is_right


def test_proofs_of_a_ledger() -> None:
    """Every block of a chain can be proved, the newest as well."""
    ledger = Ledger(9)
    assert all(decode_proof(ledger.proof(block)).is_right for block in ledger.chain)


def test_no_secret_bytes_in_the_way() -> None:
    """What is long is not shown."""
    assert "00000001" not in repr(decode_contract_answer(CONTRACT))


@pytest.mark.parametrize(
    ("decode", "raw"),
    [
        (decode_text, 1),
        (decode_topics, {}),
        (decode_topics, TOPICS | {"ContractsFilter": "x"}),
        (decode_topics, TOPICS | {"ContractsFilter": [1]}),
        (decode_balance, {"ont": "1.5", "ong": "0"}),
        (decode_gas_price, {"gasprice": 1}),
        (decode_transaction, {"Hash": "11" * 32}),
        (decode_contract_answer, CONTRACT | {"Name": 1}),
        (decode_pre_execution, {"State": 1, "Gas": None, "Result": None}),
        (decode_events, "x"),
        (decode_event, 7),
        (decode_mempool_state, {"State": [{"Height": 0, "Type": 0, "ErrCode": "x"}]}),
        (decode_mempool_count, [1]),
        (decode_mempool_count, 1),
        (decode_mempool_hashes, [[1, 2]]),
        (decode_mempool_hashes, [[256] * 32]),
        (decode_mempool_hashes, [["x"] * 32]),
        (decode_proof, {"TransactionsRoot": "x"}),
    ],
)
def test_what_cannot_be_read(decode: Any, raw: Any) -> None:
    """Whatever is not as it has to be is refused by the client's own error."""
    with pytest.raises(BadAnswer):
        decode(raw)
