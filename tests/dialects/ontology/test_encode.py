from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.dialects.ontology.keyring import KEYS
from tests.dialects.ontology.ledgers import (
    EVM,
    as_native,
    ledger_of,
    mixed_block,
    native_receipt,
    sample,
)
from tests.dialects.ontology.test_transaction import DEPLOY
from tests.dialects.ontology.vectors import named_transaction, vectors
from tests.strategies import make_block
from twisted_chainws.chain.model import Block, Receipt
from twisted_chainws.chain.types import Address20, BlockNumber, Gas, Hash32, Wei
from twisted_chainws.dialects.ontology import encode
from twisted_chainws.dialects.ontology.address import decode_hash, encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.block import decode_block
from twisted_chainws.dialects.ontology.program import Condition, Witness, make_witness
from twisted_chainws.dialects.ontology.projection import OntologyBlock, Proof
from twisted_chainws.dialects.ontology.transaction import (
    Transaction,
    TransactionType,
    decode_transaction,
)

GENESIS = make_block()
MIXED = mixed_block(GENESIS)
LEDGER = ledger_of([GENESIS, MIXED])
SAMPLE = vectors("synthetic_block")
SHOWN = vectors("gettransaction_json")["Result"]
TRANSFER = sample("ont_transfer_1")


def holding(*transactions: Transaction, number: int = 42) -> Block:
    """Make a block of native transactions."""
    block = make_block(None, [(as_native(item), []) for item in transactions])
    return replace(block, number=BlockNumber(number))


def sample_block() -> OntologyBlock:
    """Read the sample block, as if the model had its transactions."""
    raw = decode_block(bytes.fromhex(SAMPLE["raw"]))
    transactions = [item for item in raw.transactions if isinstance(item, Transaction)]
    source = holding(*transactions)
    return OntologyBlock(header=raw.header, hash=raw.header.hash, source=source)


def test_sample_block() -> None:
    """The sample block is written member by member and in the order of the members."""
    block = sample_block()
    shape = encode.encode_json_block(block)
    assert encode.raw_block(block).hex() == SAMPLE["raw"]
    assert (shape["Hash"], shape["Size"]) == (SAMPLE["Hash"], SAMPLE["Size"])
    assert shape["Header"] == SAMPLE["Header"]
    assert list(shape["Header"]) == list(SAMPLE["Header"])
    assert shape["Transactions"][0] == SHOWN
    assert [item["Hash"] for item in shape["Transactions"]] == SAMPLE["tx_hashes"]
    assert list(shape) == ["Hash", "Size", "Header", "Transactions"]
    assert encode.json_block_text(block) == orjson.dumps(shape)
    assert encode.raw_block_text(block) == b'"%s"' % SAMPLE["raw"].encode()
    assert orjson.loads(encode.hashes_text(block)) == {
        "Hash": SAMPLE["Hash"],
        "Height": 42,
        "Transactions": SAMPLE["tx_hashes"],
    }


def test_sample_transaction() -> None:
    """The sample transaction is written member by member and in the order of the members."""
    assert vectors("gettransaction_json")["for_tx"] == "ont_transfer_1"
    found = encode.encode_transaction(holding(TRANSFER), 0)
    assert encode.dump(found) == orjson.dumps(SHOWN)


@pytest.mark.parametrize("item", vectors("transactions"), ids=lambda it: it["name"])
def test_sample_transactions(item: dict[str, Any]) -> None:
    """Every sample shows what it is made of."""
    raw = decode_transaction(bytes.fromhex(item["raw"]))
    found = encode.encode_transaction(holding(raw), 0)
    assert found["Hash"] == item["tx_hash"]
    assert (found["Nonce"], found["Payer"]) == (item["nonce"], item["payer_base58"])
    assert found["Payload"] == {"Code": item["invoke_code"]}
    assert len(found["Sigs"]) == len(raw.witnesses)


def test_block_of_a_ledger() -> None:
    """A block of our own chain is read as a node would read it."""
    seen = LEDGER.block(MIXED)
    raw = encode.raw_block(seen)
    found = decode_block(raw)
    assert found.header == seen.header
    assert [item.hash for item in found.transactions] == [EVM.hash, TRANSFER.hash]
    shape = orjson.loads(LEDGER.text(MIXED, encode.json_block_text))
    assert shape["Size"] == len(raw)
    assert shape["Hash"] == shape["Header"]["Hash"] == encode_reversed(seen.hash)
    assert [item["Height"] for item in shape["Transactions"]] == [1, 1]
    assert [item["TxType"] for item in shape["Transactions"]] == [211, 209]


def test_empty_block() -> None:
    """A block without transactions has empty lists, and an empty text for what they did."""
    shape = orjson.loads(LEDGER.text(GENESIS, encode.json_block_text))
    assert shape["Transactions"] == []
    assert (shape["Header"]["Bookkeepers"], shape["Header"]["SigData"]) == ([], [])
    assert orjson.loads(LEDGER.text(GENESIS, encode.hashes_text))["Transactions"] == []
    assert LEDGER.text(GENESIS, encode.events_text) == b'""'


def test_evm_transaction() -> None:
    """An EVM transaction shows its bytes and its hash reversed, the price in 10^-9 ONG."""
    assert encode.encode_transaction(MIXED, 0) == {
        "Version": 0,
        "Nonce": 3,
        "GasPrice": 2_500,
        "GasLimit": 21_000,
        "Payer": encode_base58(EVM.sender),
        "TxType": 211,
        "Payload": EVM.raw.hex(),
        "Attributes": [],
        "Sigs": [],
        "Hash": EVM.hash[::-1].hex(),
        "Height": 1,
    }


def test_deployment() -> None:
    """A deployment shows the contract; texts that are no UTF-8 are mended."""
    payload = replace(DEPLOY, vm_flags=0, name=b"caf\xc3\xa9", email=b"\xff")
    deployment = replace(TRANSFER, type=TransactionType.DEPLOY, payload=payload)
    assert encode.encode_transaction(holding(deployment), 0)["Payload"] == {
        "Code": "636f6465",
        "VmType": 1,
        "Name": "caf\xe9",
        "CodeVersion": "1",
        "Author": "a",
        "Email": "\ufffd",
        "Description": "d",
    }
    assert encode.encode_deploy(replace(DEPLOY, vm_flags=3))["VmType"] == 3


def test_signature_entries() -> None:
    """Keys are shown in the order of the program; what cannot be read is null."""
    multi = make_witness(Condition(needed=2, keys=KEYS), [b"\1" * 64, b"\2" * 65])
    unsigned = make_witness(Condition(needed=1, keys=KEYS[:1]), [])
    broken = [
        Witness(invocation=b"", verification=b"anything"),
        Witness(invocation=b"\x61", verification=unsigned.verification),
    ]
    block = holding(replace(TRANSFER, witnesses=(multi, unsigned, *broken)))
    keys = vectors("multisig")["public_keys"]
    nothing = {"PubKeys": None, "M": 0, "SigData": None}
    assert encode.encode_transaction(block, 0)["Sigs"] == [
        {"PubKeys": keys, "M": 2, "SigData": ["01" * 64, "02" * 65]},
        {"PubKeys": keys[:1], "M": 1, "SigData": None},
        nothing,
        nothing,
    ]


NAMES = [item["address_base58"] for item in vectors("accounts")]
GOVERNANCE = "AFmseVrdL9f9oyCzZefL9tG6UbviEH9ugK"


def test_events() -> None:
    """What a transfer did is told in full and in the order of the members."""
    expected = {
        "TxHash": named_transaction("ont_transfer_1")["tx_hash"],
        "State": 1,
        "GasConsumed": 50_000_000,
        "Notify": [
            {
                "ContractAddress": "01" + 38 * "0",
                "States": ["transfer", *NAMES, 1],
                "IsEvm": False,
            },
            {
                "ContractAddress": "02" + 38 * "0",
                "States": ["transfer", NAMES[0], GOVERNANCE, 50_000_000],
                "IsEvm": False,
            },
        ],
        "GasStepUsed": 20_000,
        "TxIndex": 1,
        "CreatedContract": 40 * "0",
    }
    assert encode.dump(encode.encode_event(MIXED, 2)) == orjson.dumps(expected)
    assert orjson.loads(LEDGER.text(MIXED, encode.events_text)) == [
        encode.encode_event(MIXED, 0),
        expected,
    ]


def with_receipt(position: int, **changes: Any) -> Block:
    """Return the mixed block with another receipt."""
    receipts: list[Receipt] = list(MIXED.receipts)
    receipts[position] = replace(receipts[position], **changes)
    return replace(MIXED, receipts=tuple(receipts))


def test_evm_event() -> None:
    """An EVM transaction counts its gas whatever its price, and its logs are hex."""
    found = encode.encode_event(MIXED, 0)
    assert (found["GasConsumed"], found["GasStepUsed"]) == (52_500_000, 21_000)
    assert found["TxIndex"] == 0
    assert [item["IsEvm"] for item in found["Notify"] or ()] == [True] * 3
    created = Address20(bytes(range(20)))
    block = with_receipt(0, effective_gas_price=Wei(0), contract_address=created)
    free = encode.encode_event(block, 0)
    assert (free["GasConsumed"], free["GasStepUsed"]) == (0, 21_000)
    assert free["CreatedContract"] == created[::-1].hex()


def test_free_and_failed_events() -> None:
    """A native transaction that paid nothing counts no steps; nothing told is null."""
    block = with_receipt(2, succeeded=False, effective_gas_price=Wei(0), events=())
    found = encode.encode_event(block, 2)
    assert (found["State"], found["GasConsumed"], found["GasStepUsed"]) == (0, 0, 0)
    assert found["Notify"] is None


def test_large_fees() -> None:
    """Fees beyond 2^53 are written to the last digit."""
    receipt = native_receipt(TRANSFER, gas_used=Gas(2**53 + 1), effective_gas_price=Wei(10**9))
    block = replace(MIXED, receipts=(*MIXED.receipts[:2], receipt))
    assert b'"GasConsumed":9007199254740993,' in encode.dump(encode.encode_event(block, 2))


@pytest.mark.parametrize(
    "item",
    vectors("block_merkle")["proofs"],
    ids=lambda it: f"{it['BlockHeight']} of {it['CurBlockHeight']}",
)
def test_proofs(item: dict[str, Any]) -> None:
    """A proof is written as the samples are."""
    proof = Proof(
        transactions_root=decode_hash(item["TransactionsRoot"]),
        height=item["BlockHeight"],
        root=decode_hash(item["CurBlockRoot"]),
        last_height=item["CurBlockHeight"],
        hashes=tuple(Hash32(decode_hash(text)) for text in item["TargetHashes"] or ()),
    )
    assert encode.encode_proof(proof) == {"Type": "MerkleProof"} | item


def test_proof_of_a_ledger() -> None:
    """The proof of genesis under the next block is that block's leaf."""
    found = encode.encode_proof(LEDGER.proof(GENESIS))
    leaf = LEDGER.block(MIXED).header.transactions_root
    assert found["TargetHashes"] == [encode_reversed(leaf)]
    assert list(found) == [
        *("Type", "TransactionsRoot", "BlockHeight"),
        *("CurBlockRoot", "CurBlockHeight", "TargetHashes"),
    ]


def test_escapes() -> None:
    """What HTML or JavaScript minds is escaped wherever it stands; it reads the same."""
    value = {"<&>": ["a<b", "\u2028\u2029", "\N{EURO SIGN}"]}
    text = encode.dump(value)
    assert text == (
        rb'{"\u003c\u0026\u003e":["a\u003cb","\u2028\u2029",' + '"\N{EURO SIGN}"]}'.encode()
    )
    assert orjson.loads(text) == value


def test_index_of_an_event() -> None:
    """Is counted, or told by who has counted."""
    assert encode.encode_event(MIXED, 2) == encode.encode_event(MIXED, 2, 1)
    assert encode.encode_event(MIXED, 2, 5)["TxIndex"] == 5
