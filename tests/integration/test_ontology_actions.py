"""Every action of Ontology's nodes, asked over a real socket: what it answers and what it refuses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.integration.ontology_node import (
    ADDRESSES,
    FEE,
    FLAGS,
    GOVERNANCE,
    ONG,
    ONT,
    OWNERS,
    PAYEE,
    PRICE,
    Node,
    approve,
    transfer,
)
from tests.signing import ADDRESSES as ETHEREUM
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.block import RawBlock, decode_block
from twisted_chainws.dialects.ontology.envelope import ACTIONS
from twisted_chainws.dialects.ontology.keys import encode_public_key, p256_key
from twisted_chainws.dialects.ontology.merkle import hash_node
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT
from twisted_chainws.dialects.ontology.transaction import (
    Transaction,
    encode_transaction,
    read_deploy,
)
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

pytestmark = pytest.mark.integration

UNKNOWN: Final = "ab" * 32
NOWHERE: Final = "cd" * 20
NOBODY: Final = encode_base58(PAYEE)
TIP: Final = 3
BEYOND: Final = TIP + 1

REFUSALS: Final = [
    ("getblocktxsbyheight", {}, 42002, ""),
    ("getblocktxsbyheight", {"Height": None}, 42002, ""),
    ("getblocktxsbyheight", {"Height": BEYOND}, 42002, ""),
    ("getblockbyheight", {}, 42002, ""),
    ("getblockbyheight", {"Height": [1]}, 42002, ""),
    ("getblockbyheight", {"Height": BEYOND}, 44003, ""),
    ("getblockbyhash", {}, 42002, ""),
    ("getblockbyhash", {"Hash": None}, 42002, ""),
    ("getblockbyhash", {"Hash": ""}, 42002, ""),
    ("getblockbyhash", {"Hash": UNKNOWN[2:]}, 42002, ""),
    ("getblockbyhash", {"Hash": UNKNOWN}, 44003, None),
    ("getblockhash", {}, 42002, ""),
    ("getblockhash", {"Height": {}}, 42002, ""),
    ("getblockhash", {"Height": BEYOND}, 44003, ""),
    ("gettransaction", {}, 42002, ""),
    ("gettransaction", {"Hash": "zz" * 32}, 42002, ""),
    ("gettransaction", {"Hash": UNKNOWN}, 44001, ""),
    ("sendrawtransaction", {}, 42002, ""),
    ("sendrawtransaction", {"Data": 5}, 42002, ""),
    ("sendrawtransaction", {"Data": "0x00"}, 42002, ""),
    ("sendrawtransaction", {"Data": "00"}, 43001, ""),
    ("getstorage", {"Key": "00"}, 42002, ""),
    ("getstorage", {"Hash": ONT}, 42002, ""),
    ("getstorage", {"Hash": ONT, "Key": None}, 42002, ""),
    ("getstorage", {"Hash": ONT, "Key": 5}, 42002, ""),
    ("getstorage", {"Hash": ONT, "Key": "0"}, 42002, ""),
    ("getstorage", {"Hash": "0100", "Key": "00"}, 42002, ""),
    ("getbalance", {}, 42002, ""),
    ("getbalance", {"Addr": NOWHERE}, 42002, ""),
    ("getbalance", {"Addr": OWNERS[0][:-1]}, 42002, ""),
    ("getbalancev2", {}, 42002, ""),
    ("getbalancev2", {"Addr": NOWHERE}, 42002, ""),
    ("getcontract", {}, 42002, ""),
    ("getcontract", {"Hash": "zz"}, 42002, ""),
    ("getcontract", {"Hash": NOWHERE}, 45001, ""),
    ("getsmartcodeeventbyheight", {}, 42002, ""),
    ("getsmartcodeeventbyheight", {"Height": "one"}, 42002, ""),
    ("getsmartcodeeventbyhash", {}, 42002, ""),
    ("getsmartcodeeventbyhash", {"Hash": UNKNOWN + "00"}, 42002, ""),
    ("getblockheightbytxhash", {}, 42002, ""),
    ("getblockheightbytxhash", {"Hash": ""}, 42002, ""),
    ("getblockheightbytxhash", {"Hash": UNKNOWN}, 45001, ""),
    ("getmerkleproof", {}, 42002, ""),
    ("getmerkleproof", {"Hash": "xyz"}, 42002, ""),
    ("getmerkleproof", {"Hash": UNKNOWN}, 42002, ""),
    ("getallowance", {"From": OWNERS[0], "To": NOBODY}, 42002, ""),
    ("getallowance", {"Asset": "eth", "From": OWNERS[0], "To": NOBODY}, 42002, ""),
    ("getallowance", {"Asset": "ont", "From": OWNERS[0]}, 42002, ""),
    ("getallowance", {"Asset": "ont", "From": 5, "To": NOBODY}, 42002, ""),
    ("getallowancev2", {"Asset": "ong", "To": NOBODY}, 42002, ""),
    ("getunboundong", {}, 42002, ""),
    ("getunboundong", {"Addr": "A"}, 42002, ""),
    ("getgrantong", {}, 42002, ""),
    ("getgrantong", {"Addr": ""}, 42002, ""),
    ("getmempooltxstate", {}, 42002, ""),
    ("getmempooltxstate", {"Hash": "5"}, 42002, ""),
    ("getmempooltxstate", {"Hash": UNKNOWN}, 44001, ""),
]

DESCRIPTIONS: Final = {
    42002: "INVALID PARAMS",
    43001: "INVALID TRANSACTION",
    44001: "UNKNOWN TRANSACTION",
    44003: "UNKNOWN BLOCK",
    45001: "INTERNAL ERROR",
}

NOTHING: Final = [
    ("getsmartcodeeventbyheight", {"Height": 0}),
    ("getsmartcodeeventbyheight", {"Height": 2}),
    ("getsmartcodeeventbyheight", {"Height": BEYOND}),
    ("getsmartcodeeventbyhash", {"Hash": UNKNOWN}),
    ("getstorage", {"Hash": ONT, "Key": PAYEE.hex() + "00"}),
    ("getstorage", {"Hash": NOWHERE, "Key": ""}),
]
"""Successes that have nothing to tell. In genesis nothing has happened."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A chain of a block of two transactions, an empty one, and one of an EVM transaction.

    Attributes:
        node: which serves it.
        payment: of 5 ONT by the first account.
        approval: of 9 ONT by the second account to the first.
        evm: hash of the EVM transaction as Ethereum shows it.
        blocks: the decoded ones, by height.
        waiting: a payment that is in no block.
    """

    node: Node
    payment: Transaction
    approval: Transaction
    evm: str
    blocks: list[RawBlock]
    waiting: Transaction

    @property
    def name(self) -> str:
        """The payment's hash as it is shown."""
        return encode_reversed(self.payment.hash)

    def hash(self, height: int) -> str:
        """Return the hash of a block as it is shown, computed from its bytes."""
        return encode_reversed(self.blocks[height].header.hash)


@pytest.fixture(scope="module", name="world")
def _world() -> Iterator[World]:
    with Node() as node:
        payment, approval, waiting = transfer(0, 5), approve(1, ADDRESSES[0], 9), transfer(2, 1)
        node.ethereum.call("evm_setAutomine", False)
        for transaction in (payment, approval):
            node.ontology.send(transaction)
        node.mine(2)
        fields = {"from": ETHEREUM[0], "to": ETHEREUM[1], "gasPrice": hex(10**10)}
        evm = node.ethereum.call("eth_sendTransaction", fields)
        node.mine()
        node.ontology.send(waiting)
        assert [push["Action"] for push in node.ontology.settle()] == ["Notify"] * 2
        raw = [node.ontology.get("getblockbyheight", Height=at, Raw="1") for at in range(TIP + 1)]
        yield World(
            node=node,
            payment=payment,
            approval=approval,
            evm=evm,
            blocks=[decode_block(bytes.fromhex(each)) for each in raw],
            waiting=waiting,
        )


def event_of_payment(world: World) -> dict[str, Any]:
    """Return what the payment did."""

    def noticed(contract: str, *states: Any) -> dict[str, Any]:
        return {"ContractAddress": contract, "States": ["transfer", *states], "IsEvm": False}

    return {
        "TxHash": world.name,
        "State": 1,
        "GasConsumed": FEE,
        "Notify": [noticed(ONT, OWNERS[0], NOBODY, 5), noticed(ONG, OWNERS[0], GOVERNANCE, FEE)],
        "GasStepUsed": 20_000,
        "TxIndex": 0,
        "CreatedContract": "00" * 20,
    }


def header(world: World, height: int) -> dict[str, Any]:
    """Return a header as it is shown, from its bytes."""
    found = world.blocks[height].header
    return {
        "Version": 0,
        "PrevBlockHash": encode_reversed(found.previous_hash),
        "TransactionsRoot": encode_reversed(found.transactions_root),
        "BlockRoot": encode_reversed(found.block_root),
        "Timestamp": found.timestamp,
        "Height": height,
        "ConsensusData": found.consensus_data,
        "ConsensusPayload": "",
        "NextBookkeeper": encode_base58(found.next_bookkeeper),
        "Bookkeepers": [encode_public_key(each).hex() for each in found.bookkeepers],
        "SigData": [each.hex() for each in found.signatures],
        "Hash": world.hash(height),
    }


def empty_block(world: World) -> dict[str, Any]:
    """Return the second block as it is shown."""
    raw = world.node.ontology.get("getblockbyheight", Height=2, Raw=1)
    return {
        "Hash": world.hash(2),
        "Size": len(raw) // 2,
        "Header": header(world, 2),
        "Transactions": [],
    }


def shown_payment(world: World) -> dict[str, Any]:
    """Return the payment as it is shown, from its bytes."""
    (witness,) = world.payment.witnesses
    account = WELL_KNOWN_ACCOUNTS[0]
    return {
        "Version": 0,
        "Nonce": world.payment.nonce,
        "GasPrice": PRICE,
        "GasLimit": 20_000,
        "Payer": OWNERS[0],
        "TxType": 209,
        "Payload": {"Code": world.payment.payload.code.hex()},
        "Attributes": [],
        "Sigs": [
            {
                "PubKeys": [encode_public_key(p256_key(account.ontology_key)).hex()],
                "M": 1,
                "SigData": [witness.invocation[1:].hex()],
            }
        ],
        "Hash": world.name,
        "Height": 1,
    }


def hashes(world: World) -> dict[str, Any]:
    """Return the hashes of the first block."""
    listed = [encode_reversed(each.hash) for each in (world.payment, world.approval)]
    return {"Hash": world.hash(1), "Height": 1, "Transactions": listed}


def proof(world: World) -> dict[str, Any]:
    """Return the proof of the first block: of four leaves the first, and the other two."""
    leaves = [each.header.transactions_root for each in world.blocks]
    path = [leaves[0], hash_node(leaves[2], leaves[3])]
    return {
        "Type": "MerkleProof",
        "TransactionsRoot": encode_reversed(leaves[1]),
        "BlockHeight": 1,
        "CurBlockRoot": encode_reversed(world.blocks[TIP].header.block_root),
        "CurBlockHeight": TIP,
        "TargetHashes": [encode_reversed(each) for each in path],
    }


def pooled(world: World) -> dict[str, Any]:
    """Return the state of what waits."""
    checks = [{"Height": at, "Type": kind, "ErrCode": 0} for kind, at in ((0, 0), (1, TIP))]
    return {"State": checks, "Raw": encode_transaction(world.waiting).hex()}


ANSWERS: Final[dict[str, tuple[Callable[[World], Any], Callable[[World], Any]]]] = {
    "getblocktxsbyheight": (lambda _w: {"Height": 1}, hashes),
    "getblockbyheight": (lambda _w: {"Height": "2"}, empty_block),
    "getblockbyhash": (lambda w: {"Hash": w.hash(2).upper(), "Raw": "0"}, empty_block),
    "getblockheight": (lambda _w: {}, lambda _w: TIP),
    "getblockhash": (lambda _w: {"Height": 1}, lambda w: w.hash(1)),
    "gettransaction": (lambda w: {"Hash": w.name}, shown_payment),
    "getstorage": (
        lambda _w: {"Hash": ONT, "Key": PAYEE.hex()},
        lambda _w: (5).to_bytes(8, "little").hex(),
    ),
    "getbalance": (
        lambda _w: {"Addr": OWNERS[0]},
        lambda _w: {"ont": str(10**8 - 5), "ong": str(10_000 * 10**9 - FEE), "height": str(TIP)},
    ),
    "getbalancev2": (
        lambda _w: {"Addr": NOBODY},
        lambda _w: {"ont": str(5 * 10**9), "ong": "0", "height": str(TIP)},
    ),
    "getcontract": (
        lambda _w: {"Hash": ONT},
        lambda _w: {
            "Code": "01".zfill(40),
            "VmType": 1,
            "Name": "ONT",
            "CodeVersion": "1.0",
            "Author": "Ontology Team",
            "Email": "contact@ont.io",
            "Description": "Ontology Network ONT Token",
        },
    ),
    "getsmartcodeeventbyhash": (lambda w: {"Hash": w.name}, event_of_payment),
    "getblockheightbytxhash": (lambda w: {"Hash": w.name}, lambda _w: 1),
    "getmerkleproof": (lambda w: {"Hash": w.name}, proof),
    "getallowance": (
        lambda _w: {"Asset": "ONT", "From": OWNERS[1], "To": OWNERS[0]},
        lambda _w: "9",
    ),
    "getallowancev2": (
        lambda _w: {"Asset": "ont", "From": encode_reversed(ADDRESSES[1]), "To": OWNERS[0]},
        lambda _w: str(9 * 10**9),
    ),
    "getunboundong": (lambda _w: {"Addr": OWNERS[0]}, lambda _w: "0"),
    "getgrantong": (lambda _w: {"Addr": encode_reversed(ADDRESSES[0])}, lambda _w: "0"),
    "getmempooltxstate": (lambda w: {"Hash": encode_reversed(w.waiting.hash)}, pooled),
    "getmempooltxcount": (lambda _w: {}, lambda _w: [1, 0]),
    "getmempooltxhashlist": (lambda _w: {}, lambda w: [list(w.waiting.hash)]),
    "getnetworkid": (lambda _w: {}, lambda _w: 3),
    "getconnectioncount": (lambda _w: {}, lambda _w: 1),
    "getsessioncount": (lambda _w: {}, lambda _w: 1),
    "heartbeat": (
        lambda _w: {},
        lambda _w: {"ContractsFilter": None} | dict.fromkeys(FLAGS, False),
    ),
    "subscribe": (
        lambda _w: {},
        lambda _w: {"ContractsFilter": None} | dict.fromkeys(FLAGS, False),
    ),
}
"""Action -> (members of the request, result), both functions of the chain."""

OTHERS: Final = {
    "getgasprice", "getversion", "getsmartcodeeventbyheight", "sendrawtransaction",
}  # fmt: skip
"""Looked at in tests of their own."""


def test_all_actions_are_here() -> None:
    """Each has its answer, and each that takes parameters its refusals."""
    assert set(ANSWERS) | OTHERS == ACTIONS
    assert set(ANSWERS).isdisjoint(OTHERS)
    assert len(ACTIONS) == 29
    refused = {action for action, *_ in REFUSALS}
    unfailing = {
        "heartbeat", "subscribe", "getconnectioncount", "getblockheight", "getsessioncount",
        "getgasprice", "getmempooltxcount", "getmempooltxhashlist", "getversion", "getnetworkid",
    }  # fmt: skip
    assert refused | unfailing == ACTIONS


@pytest.mark.parametrize("action", ANSWERS)
def test_answers(world: World, action: str) -> None:
    """With members in the order of the node, too."""
    members, expected = ANSWERS[action]
    reply = world.node.ontology.ask(action, **members(world))
    assert reply == {
        "Action": action,
        "Desc": "SUCCESS",
        "Error": 0,
        "Id": 7,
        "Result": expected(world),
        "Version": "1.0.0",
    }
    assert list(reply) == ["Action", "Desc", "Error", "Id", "Result", "Version"]
    if isinstance(reply["Result"], dict):
        assert list(reply["Result"]) == list(expected(world))


@pytest.mark.parametrize(("action", "members", "code", "result"), REFUSALS)
def test_refusals(world: World, action: str, members: Any, code: int, result: Any) -> None:
    """In the codes of the node, with action and id."""
    assert world.node.ontology.ask(action, **members) == {
        "Action": action,
        "Desc": DESCRIPTIONS[code],
        "Error": code,
        "Id": 7,
        "Result": result,
        "Version": "1.0.0",
    }


@pytest.mark.parametrize(("action", "members"), NOTHING)
def test_nothing_is_an_empty_text(world: World, action: str, members: Any) -> None:
    """Where others would say that there is no such thing."""
    assert world.node.ontology.get(action, **members) == ""


def test_events_of_a_block(world: World) -> None:
    """One for each transaction; that of the EVM speaks of logs."""
    first, second = world.node.ontology.get("getsmartcodeeventbyheight", Height=1)
    assert first == event_of_payment(world)
    assert (second["TxIndex"], second["State"]) == (1, 1)
    assert [each["States"][-1] for each in second["Notify"]] == [FEE]
    (third,) = world.node.ontology.get("getsmartcodeeventbyheight", Height=3)
    assert third["TxHash"] == encode_reversed(bytes.fromhex(world.evm[2:]))
    assert {each["IsEvm"] for each in third["Notify"]} == {True}


def test_raw_forms(world: World) -> None:
    """The bytes of a transaction and of a contract."""
    get = world.node.ontology.get
    assert (
        get("gettransaction", Hash=world.name, Raw="1") == encode_transaction(world.payment).hex()
    )
    raw = bytes.fromhex(get("getcontract", Hash=ONT, Raw=1))
    deploy = read_deploy(Reader(raw))
    assert (deploy.name, deploy.code) == (b"ONT", bytes(19) + b"\x01")
    evm = encode_reversed(bytes.fromhex(world.evm[2:]))
    shown = get("gettransaction", Hash=evm)
    assert (shown["TxType"], shown["Sigs"], shown["Height"]) == (211, [], 3)
    assert get("gettransaction", Hash=evm, Raw=1).startswith("00d3")


def test_price_and_version(world: World) -> None:
    """The newest block with a transaction tells the price, the server its version."""
    price = world.node.ontology.get("getgasprice")
    receipt = world.node.ethereum.call("eth_getTransactionReceipt", world.evm)
    wei = int(receipt["effectiveGasPrice"], 16)
    assert price == {"gasprice": wei // 10**9, "height": 3}
    assert "chainws" in world.node.ontology.get("getversion").lower()


def test_trying_and_sending(world: World) -> None:
    """Tried, the payment changes nothing; sent, it waits, and a second time it is refused."""
    ask, get = world.node.ontology.ask, world.node.ontology.get
    sent = transfer(3, 10**9, ONG_CONTRACT)
    data = encode_transaction(sent).hex()
    before = get("getmempooltxcount")
    notice = {
        "ContractAddress": ONG, "States": ["transfer", OWNERS[3], NOBODY, 10**9], "IsEvm": False,
    }  # fmt: skip
    way: Any
    for way in ("1", 1, True):
        tried = get("sendrawtransaction", Data=data, PreExec=way)
        assert tried == {"State": 1, "Gas": 20_000, "Result": "01", "Notify": [notice]}
    assert get("getmempooltxcount") == before
    for way in ("0", 0, False, None):
        reply = ask("sendrawtransaction", Data=data, PreExec=way)
        if reply["Error"]:
            assert reply["Error"] == 45003
            assert reply["Result"] == f"transaction {sent.hash.hex()} is already in the tx pool"
        else:
            assert (way, reply["Result"]) == ("0", encode_reversed(sent.hash))
    world.node.mine()
    assert world.node.ontology.push()["Action"] == "Notify"
    assert ask("sendrawtransaction", Data=data)["Error"] == 45002
