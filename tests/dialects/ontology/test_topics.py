from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.dialects.ontology.ledgers import EVM, as_native, mixed_block, native_receipt, sample
from tests.dialects.ontology.stand import EMPTY, Client, Stand
from tests.strategies import make_block, make_log, make_native
from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology import encode
from twisted_chainws.dialects.ontology.block import decode_block
from twisted_chainws.dialects.ontology.topics import TOPICS, push

ALL = dict.fromkeys(TOPICS, True)
ONT, ONG = "01" + 38 * "0", "02" + 38 * "0"
TRANSFER = sample("ong_transfer_1_5")


@pytest.fixture
def stand() -> Stand:
    """A chain of three blocks."""
    return Stand()


def subscriber(stand: Stand, **members: Any) -> Client:
    """Connect and subscribe."""
    client = stand.client()
    client.result("subscribe", **members)
    return client


def actions(client: Client) -> list[str]:
    """Return the actions of the pushes that came since the last call."""
    return [action for action, _ in client.pushes()]


def free_transfer(parent: Block) -> Block:
    """Make a block with a native transaction that tells nothing."""
    block = make_block(parent, [(as_native(TRANSFER), [])])
    return replace(block, receipts=(native_receipt(sample("ont_transfer_1"), events=()),))


def test_names() -> None:
    """In the order of the wire."""
    assert list(TOPICS.items()) == [
        ("SubscribeEvent", "Notify"),
        ("SubscribeRawBlock", "sendrawblock"),
        ("SubscribeJsonBlock", "sendjsonblock"),
        ("SubscribeBlockTxHashs", "sendblocktxhashs"),
    ]


def test_everything(stand: Stand) -> None:
    """Events in the order of transactions, then the block as bytes, members, hashes."""
    client = subscriber(stand, **ALL)
    block = stand.publish(mixed_block(EMPTY))
    first, second, raw, shown, hashes = client.pushes()
    assert first == ("Notify", encode.encode_event(block, 0))
    assert second == ("Notify", encode.encode_event(block, 2))
    assert second[1]["TxIndex"] == 1
    seen = stand.ledger.block(block)
    assert raw[0] == "sendrawblock"
    assert decode_block(bytes.fromhex(raw[1])).header.hash == seen.hash
    assert shown == ("sendjsonblock", client.result("getblockbyheight", Height=3))
    assert hashes == ("sendblocktxhashs", client.result("getblocktxsbyheight", Height=3))


def test_an_empty_block(stand: Stand) -> None:
    """Has no events, but is told of."""
    client = subscriber(stand, **ALL)
    stand.mine()
    assert actions(client) == ["sendrawblock", "sendjsonblock", "sendblocktxhashs"]


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic(stand: Stand, topic: str) -> None:
    """Brings its messages and no others."""
    client = subscriber(stand, **{topic: True})
    stand.publish(mixed_block(EMPTY))
    assert set(actions(client)) == {TOPICS[topic]}
    client.result("subscribe", **{topic: False})
    stand.mine()
    assert client.take() == []


def test_members_of_a_push(stand: Stand) -> None:
    """In the order of the alphabet, without an id."""
    client = subscriber(stand, SubscribeBlockTxHashs=True)
    stand.mine()
    (text,) = client.take()
    assert text.startswith(b'{"Action":"sendblocktxhashs","Desc":"SUCCESS","Error":0,"Result":{"H')
    assert text.endswith(b'"Height":3,"Transactions":[]},"Version":"1.0.0"}')


@pytest.mark.parametrize(
    ("contracts", "count"),
    [
        (None, 2),
        ([], 2),
        ([ONT], 1),
        ([ONG], 2),
        ([ONT, ONG], 2),
        (["0" * 40], 0),
        ([ONT.upper() + " "], 0),
        (["AFmseVrdL9f9oyCzZefL9tG6UbvhUMqNMV"], 0),
    ],
)
def test_filters(stand: Stand, contracts: Any, count: int) -> None:
    """An event goes to who named one of its contracts, whole; fees tell of ONG."""
    client = subscriber(stand, SubscribeEvent=True, ContractsFilter=contracts)
    stand.publish(mixed_block(EMPTY))
    assert actions(client) == ["Notify"] * count


def test_filters_narrow_events_only(stand: Stand) -> None:
    """Blocks come whatever is in them."""
    client = subscriber(stand, **ALL, ContractsFilter=["0" * 40])
    stand.publish(mixed_block(EMPTY))
    assert actions(client) == ["sendrawblock", "sendjsonblock", "sendblocktxhashs"]


def test_events_without_notices(stand: Stand) -> None:
    """Go to those who narrow nothing."""
    all_of_them = subscriber(stand, SubscribeEvent=True)
    some = subscriber(stand, SubscribeEvent=True, ContractsFilter=[ONT, ONG])
    stand.publish(free_transfer(EMPTY))
    ((_, event),) = all_of_them.pushes()
    assert event["Notify"] is None
    assert some.take() == []


def test_events_of_evm_contracts(stand: Stand) -> None:
    """Are found under the reversed address."""
    log = make_log(Address20(bytes(range(20))))
    client = subscriber(
        stand, SubscribeEvent=True, ContractsFilter=[bytes(reversed(range(20))).hex()]
    )
    stand.mine((EVM, [log]))
    ((_, event),) = client.pushes()
    assert [each["IsEvm"] for each in event["Notify"]] == [True] * 3


def test_transactions_of_others(stand: Stand) -> None:
    """Those of the Zilliqa family are told nowhere."""
    client = subscriber(stand, **ALL)
    stand.mine((make_native(Kind.ZILLIQA), []))
    assert actions(client) == ["sendrawblock", "sendjsonblock", "sendblocktxhashs"]


def test_cursors(stand: Stand) -> None:
    """Count what was sent of the change; who did not ask gets the message without."""
    asking = subscriber(stand, **ALL, Cursor=True)
    other = subscriber(stand, SubscribeRawBlock=True)
    stand.publish(mixed_block(EMPTY))
    texts = asking.take()
    assert [orjson.loads(text)["Cursor"] for text in texts] == [f"1:1:{n}" for n in range(1, 6)]
    assert texts[0].startswith(b'{"Action":"Notify","Cursor":"1:1:1","Desc":"SUCCESS",')
    assert actions(other) == ["sendrawblock"]


def test_nothing_is_written_for_nobody(stand: Stand) -> None:
    """A block costs no text until somebody wants it."""
    block = stand.publish(mixed_block(EMPTY))
    pushes = list(push(stand.ledger, block))
    assert [each.transaction_hash for each in pushes[:2]] == [
        block.transactions[0].hash,
        block.transactions[2].hash,
    ]
    assert [each.keys is None for each in pushes] == [False, False, True, True, True]
    assert pushes[-1].encode() == pushes[-1].encode()


def test_reorganisations_repeat_heights_and_rollbacks_say_nothing(stand: Stand) -> None:
    """Each new block is told of under its height; the chain of hashes holds."""
    client = subscriber(stand, SubscribeJsonBlock=True)
    stand.mine(salt="old")
    stand.mine(salt="old")
    client.take()
    one = make_block(EMPTY, salt="new")
    two = make_block(one, salt="new")
    stand.advance(stand.chain.reorganise(EMPTY.hash, [one, two]))
    headers = [block["Header"] for _, block in client.pushes()]
    assert [header["Height"] for header in headers] == [3, 4]
    assert headers[1]["PrevBlockHash"] == headers[0]["Hash"]
    stand.advance(stand.chain.reorganise(EMPTY.hash, []))
    assert client.take() == []
    stand.mine()
    ((_, block),) = client.pushes()
    assert block["Header"]["Height"] == 3


def test_only_confirmed_blocks_are_told_of() -> None:
    """With what happened in them, once they are deep enough."""
    stand = Stand(depth=2)
    client = subscriber(stand, SubscribeEvent=True, SubscribeBlockTxHashs=True)
    stand.publish(mixed_block(EMPTY))
    stand.mine()
    heights = [result["Height"] for action, result in client.pushes() if action != "Notify"]
    assert heights == [1, 2]
    stand.mine()
    assert actions(client) == ["Notify", "Notify", "sendblocktxhashs"]
