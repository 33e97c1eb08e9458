"""Every action of a node, its members as they are sent and its answer as it is typed."""

import inspect
from typing import Any

import pytest

from tests.client.ontology.ledger import ALICE, BOB, ONG, ONT, Ledger, did
from tests.client.ontology.test_answers import CONTRACT, TOPICS
from tests.dialects.ontology.vectors import vectors
from twisted_chainws.client.errors import BadAnswer, Misuse
from twisted_chainws.client.ontology.actions import Actions
from twisted_chainws.client.ontology.answers import (
    Balance,
    GasPrice,
    decode_contract_answer,
    decode_mempool_state,
    decode_proof,
    decode_topics,
    decode_transaction,
)
from twisted_chainws.client.ontology.values import (
    decode_block,
    decode_hashes,
    decode_notify,
    decode_raw_block,
)
from twisted_chainws.dialects.ontology.methods import make
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import succeeded

LEDGER = Ledger()
BLOCK = LEDGER.mine(did(1))
NAME = BLOCK.mined[0].hash
PROOF = LEDGER.proof(BLOCK)
TRANSACTION = vectors("gettransaction_json")["Result"] | {"Height": 6}
MEMPOOL = {"State": [{"Height": 1, "Type": 1, "ErrCode": 0}], "Raw": "00d1"}
A, B = ALICE.address, BOB.address
OWNED = {"ont": "1", "ong": "2", "height": "3"}

ROWS: list[Any] = [
    ("heartbeat", (), "heartbeat", {}, TOPICS, decode_topics(TOPICS)),
    ("get_session_count", (), "getsessioncount", {}, 3, 3),
    ("get_connection_count", (), "getconnectioncount", {}, 1, 1),
    ("get_version", (), "getversion", {}, "v2", "v2"),
    ("get_network_id", (), "getnetworkid", {}, 3, 3),
    ("get_block_height", (), "getblockheight", {}, 7, 7),
    ("get_block_hash", (7,), "getblockhash", {"Height": 7}, "AB" * 32, "ab" * 32),
    ("get_block", (6,), "getblockbyheight", {"Height": 6}, BLOCK.json, decode_block(BLOCK.json)),
    (
        *("get_block", (BLOCK.hash.upper(),), "getblockbyhash", {"Hash": BLOCK.hash}),
        *(BLOCK.json, decode_block(BLOCK.json)),
    ),
    (
        *("get_raw_block", (6,), "getblockbyheight", {"Height": 6, "Raw": "1"}),
        *(BLOCK.raw, decode_raw_block(BLOCK.raw)),
    ),
    (
        *("get_raw_block", (BLOCK.hash,), "getblockbyhash", {"Hash": BLOCK.hash, "Raw": "1"}),
        *(BLOCK.raw, decode_raw_block(BLOCK.raw)),
    ),
    (
        *("get_block_hashes", (6,), "getblocktxsbyheight", {"Height": 6}),
        *(BLOCK.hashes, decode_hashes(BLOCK.hashes)),
    ),
    (
        *("get_transaction", (NAME,), "gettransaction", {"Hash": NAME}),
        *(TRANSACTION, decode_transaction(TRANSACTION)),
    ),
    (
        *("get_raw_transaction", (NAME,), "gettransaction", {"Hash": NAME, "Raw": "1"}),
        *("00d1", b"\0\xd1"),
    ),
    ("get_height_of_transaction", (NAME,), "getblockheightbytxhash", {"Hash": NAME}, 6, 6),
    (
        *("get_events", (6,), "getsmartcodeeventbyheight", {"Height": 6}),
        *(BLOCK.events, (decode_notify(BLOCK.events[0]),)),
    ),
    ("get_events", (6,), "getsmartcodeeventbyheight", {"Height": 6}, "", ()),
    (
        *("get_event", (NAME,), "getsmartcodeeventbyhash", {"Hash": NAME}),
        *(BLOCK.events[0], decode_notify(BLOCK.events[0])),
    ),
    ("get_event", (NAME,), "getsmartcodeeventbyhash", {"Hash": NAME}, "", None),
    (
        *("get_merkle_proof", (NAME,), "getmerkleproof", {"Hash": NAME}),
        *(PROOF, decode_proof(PROOF)),
    ),
    (
        *("get_mempool_state", (NAME,), "getmempooltxstate", {"Hash": NAME}),
        *(MEMPOOL, decode_mempool_state(MEMPOOL)),
    ),
    ("get_mempool_count", (), "getmempooltxcount", {}, [2, 1], (2, 1)),
    (
        *("get_mempool_hashes", (), "getmempooltxhashlist", {}),
        *([list(range(32))], (bytes(range(32))[::-1].hex(),)),
    ),
    ("get_balance", (A,), "getbalance", {"Addr": A}, OWNED, Balance(ont=1, ong=2, height=3)),
    ("get_balance_v2", (A,), "getbalancev2", {"Addr": A}, OWNED, Balance(ont=1, ong=2, height=3)),
    (
        *("get_allowance", ("ONT", A, B), "getallowance", {"Asset": "ont", "From": A, "To": B}),
        *("7", 7),
    ),
    (
        *("get_allowance_v2", ("ong", A, B), "getallowancev2"),
        *({"Asset": "ong", "From": A, "To": B}, str(2**70), 2**70),
    ),
    ("get_unbound_ong", (A,), "getunboundong", {"Addr": A}, "7", 7),
    ("get_grant_ong", (A,), "getgrantong", {"Addr": A}, "7", 7),
    (
        *("get_gas_price", (), "getgasprice", {}, {"gasprice": 2500, "height": 1}),
        GasPrice(price=2500, height=1),
    ),
    (
        *("get_storage", (ONT, b"\1\2"), "getstorage", {"Hash": ONT, "Key": "0102"}),
        *("ff", b"\xff"),
    ),
    ("get_storage", (ONT, b""), "getstorage", {"Hash": ONT, "Key": ""}, "", b""),
    (
        *("get_contract", (ONG.upper(),), "getcontract", {"Hash": ONG}),
        *(CONTRACT, decode_contract_answer(CONTRACT)),
    ),
    ("get_raw_contract", (ONG,), "getcontract", {"Hash": ONG, "Raw": "1"}, "ff", b"\xff"),
]


class Asked(Actions):
    """Writes down what is asked, and answers always the same."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def call(
        self, action: str, /, *, repeatable: bool | None = None, **members: Any
    ) -> Outcome[Any]:
        assert repeatable is None
        self.asked.append((action, members))
        return succeeded(self.answer)


def end(outcome: Outcome[Any]) -> Any:
    """Return what an outcome that is there ends with."""
    ends: list[Any] = []
    outcome.addBoth(lambda one: ends.append(getattr(one, "value", one)))
    (found,) = ends
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[3]}"[:60])
def test_actions(row: Any) -> None:
    """A method asks for its action, and gives what the node means."""
    method, arguments, action, members, answer, result = row
    node = Asked(answer)
    assert end(getattr(node, method)(*arguments)) == result
    assert node.asked == [(action, members)]


def test_nothing_is_left_out() -> None:
    """There is a row for each method, and a method for each action of a node."""
    methods = [
        name
        for name, _ in inspect.getmembers(Actions, inspect.isfunction)
        if name.startswith("get_") or name == "heartbeat"
    ]
    assert sorted({row[0] for row in ROWS}) == methods
    elsewhere = {"subscribe", "sendrawtransaction"}
    assert {row[2] for row in ROWS} | elsewhere == set(make().methods)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_answers_that_are_none(row: Any) -> None:
    """An answer of the wrong kind is an error of its own, never a wrong value."""
    for wrong in ({"?": 1}, -1, ["?"]):
        assert isinstance(end(getattr(Asked(wrong), row[0])(*row[1])), BadAnswer)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_block", ("xy",)),
        ("get_transaction", ("11",)),
        ("get_balance", ("A",)),
        ("get_allowance", ("eth", A, B)),
        ("get_allowance", ("ont", A, "B")),
        ("get_storage", ("77", b"")),
        ("get_contract", (5,)),
    ],
)
def test_mistakes(method: str, arguments: Any) -> None:
    """What cannot be meant is not asked, and fails like everything else."""
    node = Asked(None)
    assert isinstance(end(getattr(node, method)(*arguments)), Misuse)
    assert node.asked == []
