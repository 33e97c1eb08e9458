from typing import Any

import orjson
import pytest

from tests.dialects.ethereum.views import (
    ask,
    at_base_fee,
    hex_of,
    make_view,
    mixed_block,
    refusal,
)
from tests.strategies import ADDRESSES, TOPICS, make_block, make_chain, make_transaction
from twisted_chainws.dialects.ethereum import encode, topics
from twisted_chainws.dialects.outcomes import Subscribe
from twisted_chainws.dialects.view import Profile
from twisted_chainws.subscriptions.events import (
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionPending,
)
from twisted_chainws.subscriptions.filters import (
    HeadFilter,
    LogFilter,
    PendingFilter,
    ReceiptFilter,
    SilentFilter,
)

VIEW = make_view(make_chain(3))
ADDRESS = hex_of(ADDRESSES[0])
TOPIC = hex_of(TOPICS[0])
HASH = hex_of(TOPICS[1])


def subscribe(*params: Any) -> Subscribe:
    """Ask for a subscription that is granted."""
    outcome = ask(VIEW, "eth_subscribe", *params)
    assert isinstance(outcome, Subscribe)
    return outcome


@pytest.mark.parametrize(
    ("params", "wanted", "encoder"),
    [
        (["newHeads"], HeadFilter(), topics.encode_head),
        (["newHeads", None], HeadFilter(), topics.encode_head),
        (["newHeads", {}], HeadFilter(), topics.encode_head),
        (["logs"], LogFilter(), topics.encode_log),
        (["logs", None], LogFilter(), topics.encode_log),
        (["logs", {"unknown": 1}], LogFilter(), topics.encode_log),
        (
            ["logs", {"address": ADDRESS, "topics": [None, [TOPIC], []]}],
            LogFilter(
                addresses=frozenset([ADDRESSES[0]]),
                topics=(None, frozenset([TOPICS[0]]), None),
            ),
            topics.encode_log,
        ),
        (
            ["logs", {"fromBlock": "0x5", "toBlock": "latest"}],
            LogFilter(first=5),  # type: ignore[arg-type]
            topics.encode_log,
        ),
        (
            ["logs", {"fromBlock": "0x5", "toBlock": "0x6"}],
            LogFilter(first=5, last=6),  # type: ignore[arg-type]
            topics.encode_log,
        ),
        (
            ["logs", {"fromBlock": "earliest"}],
            LogFilter(first=0),  # type: ignore[arg-type]
            topics.encode_log,
        ),
        (["newPendingTransactions"], PendingFilter(), topics.encode_pending_hash),
        (["newPendingTransactions", None], PendingFilter(), topics.encode_pending_hash),
        (["newPendingTransactions", False], PendingFilter(), topics.encode_pending_hash),
        (["newPendingTransactions", True], PendingFilter(), topics.encode_pending),
        (["transactionReceipts"], ReceiptFilter(), topics.encode_receipts),
        (
            ["transactionReceipts", {"transactionHashes": [HASH]}],
            ReceiptFilter(hashes=frozenset([TOPICS[1]])),
            topics.encode_receipts,
        ),
    ],
)
def test_subscription(params: list[Any], wanted: Any, encoder: Any) -> None:
    """Each name stands for a filter and a way of writing; options narrow it."""
    outcome = subscribe(*params)
    assert outcome.filter == wanted
    assert outcome.encode is encoder
    assert not outcome.cursor
    assert outcome.initial == ()


def test_syncing_says_false_once() -> None:
    """A subscriber to the synchronisation state hears one false and nothing more."""
    outcome = subscribe("syncing")
    assert outcome.filter == SilentFilter()
    assert [outcome.encode(VIEW, item) for item in outcome.initial] == [b"false"]


KINDS = ["newHeads", "logs", "newPendingTransactions", "syncing", "transactionReceipts"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wish", [True, False])
def test_cursor(kind: str, wish: bool) -> None:
    """Every kind takes the wish for cursors."""
    assert subscribe(kind, {"cursor": wish}).cursor is wish


@pytest.mark.parametrize("kind", KINDS)
def test_resuming_is_refused(kind: str) -> None:
    """Resuming is not silently ignored."""
    options = {"resumeFrom": "0000000000000000:1"}
    assert refusal(VIEW, "eth_subscribe", kind, options) == (-32602, "not supported yet")


BAD_TOPIC = "invalid argument 1: hex has invalid length 1 after decoding; expected 32 for topic"


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        (["newHeads", True], -32602, "too many arguments, want at most 1"),
        (["newHeads", {"full": True}], -32602, "too many arguments, want at most 1"),
        (["newHeads", {"fromBlock": "0x1"}], -32602, "not supported yet"),
        (["newHeads", {"cursor": 1}], -32602, None),
        (["syncing", 1], -32602, "too many arguments, want at most 1"),
        (["logs", 1], -32602, None),
        (["logs", {"topics": ["0x01"]}], -32602, BAD_TOPIC),
        (["logs", {"topics": [None] * 5}], -32602, "invalid argument 1: exceed max topics"),
        (["logs", {"fromBlock": "pending"}], -32602, "pending logs are not supported"),
        (["logs", {"fromBlock": "safe"}], -32602, "invalid block range params"),
        (["logs", {"toBlock": "0x5"}], -32602, "invalid block range params"),
        (
            ["logs", {"fromBlock": "0x6", "toBlock": "0x5"}],
            -32602,
            "invalid block range params",
        ),
        (["newPendingTransactions", 1], -32602, None),
        (["newPendingTransactions", {}], -32602, None),
        (["transactionReceipts", 1], -32602, None),
        (["transactionReceipts", {"transactionHashes": 1}], -32602, None),
        (["transactionReceipts", {"transactionHashes": ["0x1"]}], -32602, None),
        (
            ["transactionReceipts", {"transactionHashes": [HASH] * 201}],
            -32000,
            "exceed max number of transaction hashes allowed per transactionReceipts subscription",
        ),
    ],
)
def test_refusals(params: list[Any], code: int, message: str | None) -> None:
    """Options that make no sense are refused in go-ethereum's words."""
    refused = refusal(VIEW, "eth_subscribe", *params)
    assert refused[0] == code
    assert message is None or refused[1] == message


def test_too_many_alternatives() -> None:
    """A filter wider than the operator allows is refused."""
    view = make_view(query_alternatives=1)
    options = {"address": [hex_of(address) for address in ADDRESSES]}
    assert refusal(view, "eth_subscribe", "logs", options) == (
        -32000,
        "exceed max addresses or topics per search position",
    )


GENESIS = make_block()
BLOCK = mixed_block(GENESIS)


def test_head_texts() -> None:
    """A head is written as its header, or as its hash."""
    event = HeadAdded(block=BLOCK)
    shape = orjson.loads(topics.encode_head(VIEW, event))
    assert shape == encode.encode_header(BLOCK.extras.header, BLOCK.hash)
    assert topics.encode_head(VIEW, event) is topics.encode_head(VIEW, event)
    assert orjson.loads(topics.encode_head_hash(VIEW, event)) == hex_of(BLOCK.hash)


def test_geth_names_every_member_of_a_head() -> None:
    """Where go-ethereum is spoken, fields of forks that are not active are null, in its order."""
    old = at_base_fee(BLOCK, None, requests_hash=None)
    outcome = ask(make_view(profile=Profile.GETH), "eth_subscribe", "newHeads")
    text = outcome.encode(VIEW, HeadAdded(block=old))
    shape = orjson.loads(text)
    assert text is outcome.encode(VIEW, HeadAdded(block=old))
    assert tuple(shape) == topics.HEADER_MEMBERS
    inactive = {name for name, value in shape.items() if value is None}
    assert inactive == {"baseFeePerGas", "requestsHash", "blockAccessListHash", "slotNumber"}
    known = encode.encode_header(old.extras.header, old.hash)
    assert {name: value for name, value in shape.items() if value is not None} == known


@pytest.mark.parametrize("profile", [Profile.SUPERSET, Profile.ANVIL, Profile.TOKENVIEW])
def test_other_profiles_leave_inactive_members_out(profile: Profile) -> None:
    """Absent and null mean the same to every client."""
    outcome = ask(make_view(profile=profile), "eth_subscribe", "newHeads")
    assert outcome.encode is topics.encode_head


@pytest.mark.parametrize("profile", [Profile.ALCHEMY, Profile.TOKENVIEW])
def test_vendors_send_pending_hashes(profile: Profile) -> None:
    """Full objects have names of their own there."""
    view = make_view(profile=profile)
    for options in ([], [None], [False], [{"cursor": True}]):
        outcome = ask(view, "eth_subscribe", "newPendingTransactions", *options)
        assert outcome.encode is topics.encode_pending_hash
    code, _ = refusal(view, "eth_subscribe", "newPendingTransactions", True)
    assert code == -32602


@pytest.mark.parametrize("removed", [True, False])
def test_log_text(removed: bool) -> None:
    """A log says whether it left the chain."""
    found = list(BLOCK.logs())[1]
    event = LogEvent(
        block=BLOCK,
        transaction_index=found.transaction_index,
        log_index=found.log_index,
        log=found.log,
        removed=removed,
    )
    shape = orjson.loads(topics.encode_log(VIEW, event))
    assert (shape["logIndex"], shape["data"], shape["removed"]) == ("0x1", "0x01", removed)


def test_pending_texts() -> None:
    """A pending transaction is written as its hash, or in full."""
    event = TransactionPending(transaction=make_transaction())
    assert orjson.loads(topics.encode_pending_hash(VIEW, event)) == hex_of(event.transaction.hash)
    assert orjson.loads(topics.encode_pending(VIEW, event)) == encode.encode_transaction(
        event.transaction
    )


def test_receipt_texts() -> None:
    """The receipts that were asked for are written as an array."""
    every = topics.encode_receipts(VIEW, ReceiptsAdded(block=BLOCK, positions=(0, 1)))
    second = topics.encode_receipts(VIEW, ReceiptsAdded(block=BLOCK, positions=(1,)))
    assert orjson.loads(every) == encode.encode_receipts(BLOCK)
    assert orjson.loads(second) == orjson.loads(every)[1:]
