from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.ethereum.token_chain import (
    drive,
    erc20,
    erc721,
    erc1155,
    text_answer,
    word_answer,
)
from tests.dialects.ethereum.views import hex_of, make_view
from tests.strategies import (
    ADDRESSES,
    SENDERS,
    address20,
    make_block,
    make_chain,
    make_log,
    make_native,
    make_transaction,
)
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block, EvmTransaction
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.types import Address20, Timestamp, Wei
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.ethereum import transfers
from twisted_chainws.dialects.ethereum.errors import fault_of
from twisted_chainws.dialects.outcomes import Fault, Forward, Query, Refused, Scan
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import ChainwsError, ExecutionReverted

ALICE, BOB = SENDERS
CAROL = ADDRESSES[2]
GOLD, CATS, ITEMS = (address20(name) for name in ("gold", "cats", "items"))


def sent(
    nonce: int, sender: Address20 = ALICE, to: Address20 | None = BOB, wei: int = 1
) -> EvmTransaction:
    """A transaction of so many wei."""
    return replace(make_transaction(sender, nonce), to=to, value=Wei(wei))


def failed(block: Block, position: int) -> Block:
    """The block with one of its transactions reverted."""
    receipts = list(block.receipts)
    receipts[position] = replace(receipts[position], succeeded=False, logs=())
    return replace(block, receipts=tuple(receipts))


def build() -> list[Block]:
    """Three blocks with one of everything."""
    genesis = make_block()
    first = make_block(
        genesis,
        [
            (sent(0, wei=5 * 10**17), []),
            (sent(1, to=CAROL, wei=0), [make_log(), erc20(GOLD, ALICE, BOB, 2_500_000)]),
            (sent(0, BOB, None, 7), [erc721(CATS, BOB, CAROL, 9)]),
        ],
    )
    second = make_block(
        first,
        [
            (sent(2, to=ITEMS, wei=0), [erc1155(ITEMS, ALICE, CAROL, (1, 10), (2, 20))]),
            (sent(3, wei=3), []),
            (sent(1, BOB, ALICE, 4), [erc20(GOLD, BOB, ALICE, 0)]),
            (make_native(), [erc20(GOLD, BOB, ALICE, 1)]),
        ],
    )
    return [genesis, first, failed(second, 1)]


BLOCKS = build()
VIEW = make_view(BLOCKS)
ALL = ["external", "erc20", "erc721", "erc1155"]
SYMBOLS = {hex_of(GOLD): "GLD", hex_of(CATS): "CAT"}


def metadata(query: Query) -> str:
    """Answer for the tokens: gold has six decimals, items say nothing."""
    to = query.params["call"]["to"]
    if to not in SYMBOLS:
        raise ExecutionReverted(data=b"")
    return (
        text_answer(SYMBOLS[to])
        if query.params["call"]["data"] == "0x95d89b41"
        else (word_answer(6))
    )


def ask(view: View = VIEW, **members: Any) -> Any:
    """Ask for transfers of all categories unless some are named."""
    outcome = transfers.get_asset_transfers(view, [{"category": ALL} | members])
    return drive(outcome, metadata)


def ids(result: Any) -> list[str]:
    """Name what was found: block number, transaction index and kind or log index."""
    places = {
        hex_of(transaction.hash): f"{block.number}.{position}"
        for block in BLOCKS
        for position, transaction in enumerate(block.transactions)
    }
    return [
        f"{places[each['hash']]} {each['uniqueId'].removeprefix(each['hash'] + ':')}"
        for each in result["transfers"]
    ]


EVERYTHING = [
    "1.0 external",
    "1.1 external",
    "1.1 log:1",
    "1.2 external",
    "1.2 log:2",
    "2.0 external",
    "2.0 log:0",
    "2.2 external",
    "2.2 log:1",
]
"""Also those of no value; the transaction that reverted and the native one are not there."""

NONZERO = [name for name in EVERYTHING if name not in {"1.1 external", "2.0 external", "2.2 log:1"}]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, NONZERO),
        ({"excludeZeroValue": True}, NONZERO),
        ({"excludeZeroValue": False}, EVERYTHING),
        ({"order": "asc"}, NONZERO),
        ({"order": "desc"}, NONZERO[::-1]),
        ({"category": ["external"]}, ["1.0 external", "1.2 external", "2.2 external"]),
        ({"category": ["erc20"]}, ["1.1 log:1"]),
        ({"category": ["erc721"]}, ["1.2 log:2"]),
        ({"category": ["erc1155"]}, ["2.0 log:0"]),
        ({"category": ["erc721", "erc1155"]}, ["1.2 log:2", "2.0 log:0"]),
        ({"fromBlock": "0x2"}, ["2.0 log:0", "2.2 external"]),
        ({"fromBlock": 2}, ["2.0 log:0", "2.2 external"]),
        ({"fromBlock": "latest"}, ["2.0 log:0", "2.2 external"]),
        ({"fromBlock": "earliest", "toBlock": "0x0"}, []),
        ({"toBlock": "0x1"}, NONZERO[:4]),
        ({"fromBlock": "0x1", "toBlock": "0x1"}, NONZERO[:4]),
        ({"fromBlock": "0x0", "toBlock": "indexed"}, NONZERO),
        ({"toBlock": "0xffffffffff"}, NONZERO),
        ({"fromAddress": hex_of(BOB)}, ["1.2 external", "1.2 log:2", "2.2 external"]),
        ({"toAddress": hex_of(CAROL)}, ["1.2 log:2", "2.0 log:0"]),
        ({"fromAddress": hex_of(ALICE), "toAddress": hex_of(BOB)}, ["1.0 external", "1.1 log:1"]),
        ({"contractAddresses": [hex_of(GOLD)], "category": ALL[1:]}, ["1.1 log:1"]),
        (
            {"contractAddresses": [hex_of(GOLD), hex_of(CATS)], "category": ALL[1:]},
            ["1.1 log:1", "1.2 log:2"],
        ),
        (
            {"contractAddresses": [hex_of(GOLD)]},
            ["1.0 external", "1.1 log:1", "1.2 external", "2.2 external"],
        ),
        ({"maxCount": "0xffff", "pageKey": ""}, NONZERO),
    ],
)
def test_what_is_found(members: dict[str, Any], expected: list[str]) -> None:
    """Each member narrows or orders; addresses must all fit, contracts concern tokens only."""
    result = ask(**members)
    assert ids(result) == expected
    assert "pageKey" not in result


def test_shapes() -> None:
    """Each category has the members of the documentation, absent ones being null."""
    found = dict(zip(NONZERO, ask()["transfers"], strict=True))
    block = BLOCKS[1]
    assert found["1.0 external"] == {
        "blockNum": "0x1",
        "uniqueId": hex_of(block.transactions[0].hash) + ":external",
        "hash": hex_of(block.transactions[0].hash),
        "from": hex_of(ALICE),
        "to": hex_of(BOB),
        "value": 0.5,
        "erc721TokenId": None,
        "erc1155Metadata": None,
        "tokenId": None,
        "asset": "ETH",
        "category": "external",
        "rawContract": {"value": "0x6f05b59d3b20000", "address": None, "decimal": "0x12"},
    }
    assert found["1.2 external"]["to"] is None
    gold = found["1.1 log:1"]
    assert (gold["value"], gold["asset"], gold["category"]) == (2.5, "GLD", "erc20")
    assert gold["rawContract"] == {"value": "0x2625a0", "address": hex_of(GOLD), "decimal": "0x6"}
    cat = found["1.2 log:2"]
    assert (cat["value"], cat["asset"], cat["category"]) == (None, "CAT", "erc721")
    assert cat["tokenId"] == cat["erc721TokenId"] == "0x" + "9".zfill(64)
    assert cat["rawContract"] == {"value": None, "address": hex_of(CATS), "decimal": None}
    items = found["2.0 log:0"]
    assert (items["value"], items["asset"], items["tokenId"]) == (None, None, None)
    assert items["erc1155Metadata"] == [
        {"tokenId": "0x" + "1".zfill(64), "value": "0xa"},
        {"tokenId": "0x" + "2".zfill(64), "value": "0x14"},
    ]


def test_a_token_that_does_not_tell_its_decimals() -> None:
    """The raw value is there, the converted one is not."""
    genesis = make_block()
    view = make_view([genesis, make_block(genesis, [(sent(0), [erc20(ITEMS, ALICE, BOB, 5)])])])
    (found,) = ask(view, category=["erc20"])["transfers"]
    assert (found["value"], found["asset"]) == (None, None)
    assert found["rawContract"] == {"value": "0x5", "address": hex_of(ITEMS), "decimal": None}


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (1_731_022_840, "2024-11-07T23:40:40.000Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        (253_402_300_800, None),
    ],
)
def test_metadata_by_request(timestamp: int, expected: str | None) -> None:
    """The time of the block in ISO form, where a calendar has it."""
    genesis = make_block()
    block = replace(make_block(genesis, [(sent(0), [])]), timestamp=Timestamp(timestamp))
    (found,) = ask(make_view([genesis, block]), withMetadata=True)["transfers"]
    assert found["metadata"] == {"blockTimestamp": expected}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 9])
def test_pages_make_up_the_whole(order: str, count: int) -> None:
    """Page by page nothing is missing or told twice, wherever a page is cut."""
    members: dict[str, Any] = {"order": order, "maxCount": hex(count), "excludeZeroValue": False}
    seen: list[str] = []
    while True:
        result = ask(**members)
        assert 0 < len(result["transfers"]) <= count
        seen += ids(result)
        if "pageKey" not in result:
            break
        members["pageKey"] = result["pageKey"]
    assert seen == (EVERYTHING if order == "asc" else EVERYTHING[::-1])


def test_a_thousand_transfers_are_a_page() -> None:
    """More are on the next one, whatever was asked for."""
    genesis = make_block()
    view = make_view([genesis, make_block(genesis, [(sent(at), []) for at in range(1_001)])])
    first = ask(view, maxCount="0x7d0")
    assert len(first["transfers"]) == 1_000
    assert len(ask(view, pageKey=first["pageKey"])["transfers"]) == 1


class Moving:
    """A chain that may change while it is searched."""

    def __init__(self, blocks: list[Block]) -> None:
        self.chain = CanonicalChain(blocks)
        fixed = make_view(blocks)
        chain = ChainView(chain=self.chain, pool=PendingPool(), chain_id=1)
        self.view = View(chain=chain, ledger=fixed.ledger, settings=fixed.settings)

    def search(self, **members: Any) -> Any:
        """Begin a search for external transfers."""
        given = {"category": ["external"]} | members
        return transfers.get_asset_transfers(self.view, [given])

    def half(self, **members: Any) -> Forward:
        """Begin a search and carry it to its middle."""
        outcome = self.search(**members)
        assert isinstance(outcome, Forward)
        assert isinstance(outcome.call, Scan)
        next(outcome.call.steps)
        return outcome

    def reorganise(self, depth: int) -> None:
        """Replace the highest blocks by one that holds a transfer."""
        base = self.chain.at(self.chain.height - depth)
        assert base is not None
        self.chain.reorganise(base.hash, [make_block(base, [(sent(9), [])], salt="new")])


def long_chain() -> list[Block]:
    """A chain whose search takes more than one step, with transfers at both ends."""
    blocks = make_chain(1)
    blocks.append(make_block(blocks[-1], [(sent(0), []), (sent(1), [])]))
    while len(blocks) < 1_100:
        blocks.append(make_block(blocks[-1]))
    blocks.append(make_block(blocks[-1], [(sent(2), []), (sent(3), [])]))
    return blocks


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_long_ranges_are_searched_in_steps(order: str) -> None:
    """Others have their turn in between; the first step is made at once."""
    moving = Moving(long_chain())
    scans: list[int] = []
    result = drive(moving.search(order=order), metadata, scans=scans)
    assert len(result["transfers"]) == 4
    assert scans == [1]


def test_a_search_begins_again_when_its_blocks_leave() -> None:
    """The answer is that of one chain, never a mixture of two."""
    moving = Moving(long_chain())
    outcome = moving.half(order="desc")
    moving.reorganise(2)
    result = drive(outcome, metadata)
    assert [each["hash"] for each in result["transfers"]] == [
        hex_of(sent(nonce).hash) for nonce in (9, 1, 0)
    ]


def test_a_page_whose_block_leaves_is_no_page() -> None:
    """Where the next page began cannot be told any more; that is said, also in the middle."""
    moving = Moving(long_chain())
    first = drive(moving.search(order="desc", maxCount=1), metadata)
    outcome = moving.half(order="desc", pageKey=first["pageKey"])
    moving.reorganise(2)
    expired = "invalid argument 0: pageKey expired, its block has left the chain"
    with pytest.raises(Refused, match=expired):
        drive(outcome, metadata)
    with pytest.raises(Refused, match=expired):
        moving.search(order="desc", pageKey=first["pageKey"])


def test_another_reorganisation_leaves_pages_alone() -> None:
    """A page below the change goes on, even when it has to begin again."""
    moving = Moving(long_chain())
    first = drive(moving.search(maxCount=1), metadata)
    outcome = moving.half(pageKey=first["pageKey"])
    moving.reorganise(1_000)
    result = drive(outcome, metadata)
    assert [each["hash"] for each in result["transfers"]] == [
        hex_of(sent(nonce).hash) for nonce in (1, 9)
    ]


def refused(**members: Any) -> Fault:
    """Return the fault with which a question is refused."""
    try:
        transfers.get_asset_transfers(VIEW, [{"category": ALL} | members])
    except ChainwsError as error:
        return fault_of(error)
    raise AssertionError("not refused")


KEY = "0x" + "11" * 36


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"category": None}, "category must be an array of at least one category"),
        ({"category": []}, "category must be an array of at least one category"),
        ({"category": "erc20"}, "category must be an array of at least one category"),
        ({"category": ["erc777"]}, 'unknown category "erc777"'),
        ({"category": [{}]}, "json: cannot unmarshal object into Go value of type string"),
        ({"order": "up"}, 'order must be "asc" or "desc"'),
        ({"maxCount": "0x0"}, "maxCount must not be 0"),
        ({"maxCount": "many"}, "invalid number, want an integer of at most 64 bits"),
        ({"fromBlock": "pending"}, "pending transfers are not supported"),
        ({"fromBlock": "first"}, "hex string without 0x prefix"),
        ({"fromBlock": -1}, "hex string without 0x prefix"),
        ({"fromAddress": "0x12"}, "hex string has length 2, want 40 for common.Address"),
        ({"contractAddresses": 1}, "invalid addresses in query"),
        ({"withMetadata": 1}, "json: cannot unmarshal number into Go value of type bool"),
        ({"pageKey": "0x12"}, "invalid pageKey"),
        ({"pageKey": KEY}, "pageKey expired, its block has left the chain"),
        (
            {"pageKey": hex_of(BLOCKS[1].hash) + "00000000", "fromBlock": "0x2"},
            "pageKey of another range",
        ),
    ],
)
def test_refusals(members: dict[str, Any], message: str) -> None:
    """Members that make no sense are refused."""
    assert refused(**members) == Fault(code=-32602, message=f"invalid argument 0: {message}")


@pytest.mark.parametrize("members", [{"fromBlock": "0x2", "toBlock": "0x1"}, {"fromBlock": "0x9"}])
def test_empty_ranges(members: dict[str, Any]) -> None:
    """A range that begins above its end, or above the head, is refused."""
    assert refused(**members) == Fault(code=-32602, message="invalid block range params")


@pytest.mark.parametrize("category", ["internal", "specialnft"])
def test_categories_that_nothing_tells_of(category: str) -> None:
    """They are refused by name instead of being left out in silence."""
    assert refused(category=["external", category]) == Fault(
        code=-32004,
        message=f'category "{category}" is not supported: neither transactions nor logs tell',
    )


@pytest.mark.parametrize("params", [[], ["external"], [None]])
def test_the_question_is_an_object(params: list[Any]) -> None:
    """Anything else is refused."""
    with pytest.raises(Refused, match="-32602"):
        transfers.get_asset_transfers(VIEW, params)


def test_pruned_history_is_said() -> None:
    """By default the search begins with the oldest block there is; older ones are an error."""
    view = make_view(make_chain(200), history=64)
    assert ask(view)["transfers"] == []
    handler: Callable[..., Any] = transfers.get_asset_transfers
    with pytest.raises(ChainwsError) as caught:
        handler(view, [{"category": ALL, "fromBlock": "0x0"}])
    assert fault_of(caught.value).code == 4444
