from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.dialects.ontology.ledgers import EVM, sample
from tests.dialects.ontology.stand import BLOCKS, EMPTY, GENESIS, MIXED, Client, Stand
from tests.strategies import make_block, make_chain, make_native
from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.types import Hash32, Wei
from twisted_chainws.dialects.ontology import encode
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.block import decode_block
from twisted_chainws.dialects.ontology.transaction import decode_transaction

TRANSFER = sample("ont_transfer_1")
ZILLIQA = MIXED.transactions[1]
EVM_HASH, TRANSFER_HASH, ZILLIQA_HASH = (
    encode_reversed(each.hash) for each in (EVM, TRANSFER, ZILLIQA)
)
UNKNOWN = 64 * "0"


@pytest.fixture
def client() -> Client:
    """A client of a chain of genesis, a mixed block and an empty one."""
    return Stand().client()


def name_of(client: Client, number: int) -> str:
    """Return what Ontology calls a block."""
    return encode_reversed(client.stand.ledger.block(BLOCKS[number]).hash)


def test_height(client: Client) -> None:
    """That of the newest block."""
    assert client.result("getblockheight") == 2
    assert Stand([GENESIS]).client().result("getblockheight") == 0


@pytest.mark.parametrize("given", [1, "1", 1.9, 2**32 + 1, "4294967297"])
def test_heights(client: Client, given: Any) -> None:
    """A height may be written in many ways."""
    assert client.result("getblockhash", Height=given) == name_of(client, 1)
    assert client.result("getblockbyheight", Height=given)["Hash"] == name_of(client, 1)
    assert client.result("getblocktxsbyheight", Height=given)["Height"] == 1
    assert len(client.result("getsmartcodeeventbyheight", Height=given)) == 2


@pytest.mark.parametrize(
    "action",
    ["getblockhash", "getblockbyheight", "getblocktxsbyheight", "getsmartcodeeventbyheight"],
)
@pytest.mark.parametrize(
    "members", [{}, {"Height": None}, {"Height": True}, {"Height": ""}, {"Height": "one"}]
)
def test_no_heights(client: Client, action: str, members: Any) -> None:
    """There has to be one."""
    assert client.refusal(action, **members) == (42002, "")


@pytest.mark.parametrize("height", [3, "3", -1, "-1"])
def test_heights_above_the_head(client: Client, height: Any) -> None:
    """Every action has its own answer."""
    assert client.refusal("getblockhash", Height=height) == (44003, "")
    assert client.refusal("getblockbyheight", Height=height) == (44003, "")
    assert client.refusal("getblocktxsbyheight", Height=height) == (42002, "")
    assert client.result("getsmartcodeeventbyheight", Height=height) == ""


def test_heights_no_longer_kept() -> None:
    """Are told where they are no answer like any other."""
    client = Stand(make_chain(5), history=1).client()
    gone = (44003, "blocks below 3 are no longer kept")
    assert client.refusal("getblockhash", Height=1) == gone
    assert client.refusal("getblockbyheight", Height=1) == gone
    assert client.refusal("getblocktxsbyheight", Height=1) == gone
    assert client.result("getsmartcodeeventbyheight", Height=1) == ""
    assert client.result("getgasprice") == {"gasprice": 0, "height": 0}


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("raw", [1, "1", 1.5])
def test_blocks(client: Client, number: int, raw: Any) -> None:
    """By height and by hash, as members and as bytes."""
    block = client.stand.ledger.block(BLOCKS[number])
    ways: list[tuple[str, dict[str, Any]]] = [
        ("getblockbyheight", {"Height": number}),
        ("getblockbyhash", {"Hash": name_of(client, number)}),
    ]
    for action, members in ways:
        shown = client.result(action, **members, Raw=0)
        assert shown == orjson.loads(encode.json_block_text(block)) | {"Header": shown["Header"]}
        assert list(shown) == ["Hash", "Size", "Header", "Transactions"]
        found = decode_block(bytes.fromhex(client.result(action, **members, Raw=raw)))
        assert found.header.hash == block.hash
        assert len(found.transactions) == len(shown["Transactions"])


def test_block_members_of_requests_do_not_matter(client: Client) -> None:
    """What is neither one nor "1" asks for members."""
    assert client.result("getblockbyheight", Height=1, Raw=True) == client.result(
        "getblockbyheight", Height=1
    )


@pytest.mark.parametrize("members", [{}, {"Hash": None}, {"Hash": ""}, {"Hash": 64 * "g"}])
@pytest.mark.parametrize(
    "action",
    [
        "getblockbyhash",
        "gettransaction",
        "getblockheightbytxhash",
        "getsmartcodeeventbyhash",
        "getmerkleproof",
    ],
)
def test_no_hashes(client: Client, action: str, members: Any) -> None:
    """There has to be one; where nodes drop the connection it is a wrong parameter, too."""
    assert client.refusal(action, **members) == (42002, "")


def test_unknown_hashes(client: Client) -> None:
    """Every action has its own answer."""
    assert client.refusal("getblockbyhash", Hash=UNKNOWN) == (44003, None)
    assert client.refusal("gettransaction", Hash=UNKNOWN) == (44001, "")
    assert client.refusal("getblockheightbytxhash", Hash=UNKNOWN) == (45001, "")
    assert client.result("getsmartcodeeventbyhash", Hash=UNKNOWN) == ""
    assert client.refusal("getmerkleproof", Hash=UNKNOWN) == (42002, "")


def test_transactions_of_others(client: Client) -> None:
    """Those of the Zilliqa family are as unknown as any other."""
    assert client.refusal("gettransaction", Hash=ZILLIQA_HASH) == (44001, "")
    assert client.refusal("getblockheightbytxhash", Hash=ZILLIQA_HASH) == (45001, "")
    assert client.result("getsmartcodeeventbyhash", Hash=ZILLIQA_HASH) == ""
    assert client.refusal("getmerkleproof", Hash=ZILLIQA_HASH) == (42002, "")


def test_blocks_that_were_undone() -> None:
    """Are known by their hash no longer."""
    stand = Stand()
    client = stand.client()
    name = name_of(client, 2)
    assert client.result("getblockbyhash", Hash=name)["Hash"] == name
    stand.advance(stand.chain.reorganise(MIXED.hash, [make_block(MIXED, salt="new")]))
    assert client.refusal("getblockbyhash", Hash=name) == (44003, None)
    assert client.result("getblockhash", Height=2) != name


def test_hashes_of_a_block(client: Client) -> None:
    """In order; an empty block has none."""
    found = client.result("getblocktxsbyheight", Height=1)
    assert list(found) == ["Hash", "Height", "Transactions"]
    assert found == {
        "Hash": name_of(client, 1),
        "Height": 1,
        "Transactions": [EVM_HASH, TRANSFER_HASH],
    }
    assert client.result("getblocktxsbyheight", Height=2)["Transactions"] == []


def test_transactions(client: Client) -> None:
    """As members and as the bytes that were sent."""
    shown = client.result("gettransaction", Hash=TRANSFER_HASH)
    assert shown == encode.encode_transaction(MIXED, 2)
    raw = client.result("gettransaction", Hash=TRANSFER_HASH.upper(), Raw=1)
    assert decode_transaction(bytes.fromhex(raw)) == TRANSFER
    assert client.result("gettransaction", Hash=EVM_HASH, Raw="1").startswith("00d3")
    assert client.result("gettransaction", Hash=EVM_HASH, Raw="0")["TxType"] == 211


def test_waiting_transactions_are_unknown() -> None:
    """Only the chain is searched."""
    waiting = make_native()
    client = Stand(pending=[waiting]).client()
    assert client.refusal("gettransaction", Hash=encode_reversed(waiting.hash)) == (44001, "")


def test_height_of_a_transaction(client: Client) -> None:
    """That of its block."""
    assert client.result("getblockheightbytxhash", Hash=EVM_HASH) == 1


def test_events(client: Client) -> None:
    """Of a block all, of one without transactions none, which is an empty text."""
    first, second = client.result("getsmartcodeeventbyheight", Height=1, Raw=0)
    assert (first["TxHash"], second["TxHash"]) == (EVM_HASH, TRANSFER_HASH)
    assert second == encode.encode_event(MIXED, 2)
    assert list(second) == [
        *("TxHash", "State", "GasConsumed", "Notify"),
        *("GasStepUsed", "TxIndex", "CreatedContract"),
    ]
    assert client.result("getsmartcodeeventbyheight", Height=2) == ""
    assert client.result("getsmartcodeeventbyhash", Hash=TRANSFER_HASH) == second


def test_proofs(client: Client) -> None:
    """Of the block that holds a transaction, up to the newest."""
    found = client.result("getmerkleproof", Hash=TRANSFER_HASH, Raw=0)
    assert found == encode.encode_proof(client.stand.ledger.proof(MIXED))
    assert (found["BlockHeight"], found["CurBlockHeight"]) == (1, 2)


def test_a_proof_in_genesis() -> None:
    """Has no hashes, which is null."""
    block = make_block(None, [(make_native(), [])])
    client = Stand([block]).client()
    proof = client.result("getmerkleproof", Hash=encode_reversed(block.transactions[0].hash))
    assert proof["TargetHashes"] is None
    assert proof["CurBlockRoot"] == UNKNOWN


def priced(*gwei: int, kind: Kind = Kind.ONTOLOGY) -> Any:
    """Make a block on genesis whose transactions paid these prices."""
    block = make_block(GENESIS, [(make_native(kind, salt=each), []) for each in enumerate(gwei)])
    receipts = [
        replace(receipt, effective_gas_price=Wei(price * 10**9))
        for receipt, price in zip(block.receipts, gwei, strict=True)
    ]
    return replace(block, receipts=tuple(receipts), hash=Hash32(bytes(31) + b"\1"))


@pytest.mark.parametrize(
    ("prices", "average"), [([2500], 2500), ([2500, 2501], 2500), ([1, 2, 6], 3), ([0], 0)]
)
def test_gas_price(prices: list[int], average: int) -> None:
    """The average of the newest block that is not empty, cut to an integer."""
    block = priced(*prices)
    found = Stand([GENESIS, block, make_block(block)]).client().result("getgasprice")
    assert list(found.items()) == [("gasprice", average), ("height", 1)]


def test_gas_price_of_a_chain_without_transactions() -> None:
    """There is none: the least that is taken, in no block."""
    assert Stand([GENESIS]).client().result("getgasprice") == {"gasprice": 0, "height": 0}
    others = [GENESIS, priced(9, kind=Kind.ZILLIQA)]
    assert Stand(others).client().result("getgasprice") == {"gasprice": 0, "height": 0}


@pytest.mark.parametrize(("above", "height"), [(100, 1), (101, 0)])
def test_gas_price_of_old_blocks(above: int, height: int) -> None:
    """Only so many blocks below the newest are looked at."""
    blocks = [GENESIS, priced(7)]
    while len(blocks) < above + 2:
        blocks.append(make_block(blocks[-1]))
    found = Stand(blocks).client().result("getgasprice")
    assert found == {"gasprice": 7 if height else 0, "height": height}


def test_blocks_are_the_same_texts(client: Client) -> None:
    """What was written once is sent again, also where somebody else asks."""
    (first,) = client.say(b'{"Action":"getblockbyheight","Height":1,"Id":1}')
    (again,) = client.stand.client().say(b'{"Action":"getblockbyheight","Height":"1","Id":1}')
    assert first == again
    assert EMPTY.number == 2
