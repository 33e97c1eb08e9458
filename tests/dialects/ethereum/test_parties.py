from typing import Any

import orjson
import pytest

from tests.dialects.ethereum.views import hex_of, make_view, mixed_block
from tests.strategies import ADDRESSES, SENDERS, address20, make_block
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ethereum import encode, parties, topics
from twisted_chainws.dialects.outcomes import Refused, Subscribe
from twisted_chainws.subscriptions.events import TransactionMined
from twisted_chainws.subscriptions.filters import MinedFilter, Parties, PendingFilter

VIEW = make_view()
EITHER = make_view(mined_either=True)
ALICE, BOB = SENDERS
MINT, SHOP = ADDRESSES[:2]
NOBODY: list[Address20] = []


def pending(senders: list[Address20], recipients: list[Address20]) -> PendingFilter:
    """A filter of these senders or those recipients."""
    return PendingFilter(senders=frozenset(senders), recipients=frozenset(recipients))


def mined(*pairs: tuple[Address20 | None, Address20 | None], removed: bool = False) -> MinedFilter:
    """A filter of these pairs of sender and recipient."""
    made = (Parties(sender=sender, recipient=recipient) for sender, recipient in pairs)
    return MinedFilter(parties=frozenset(made), include_removed=removed)


def many(count: int, *, first: int = 0) -> list[str]:
    """So many different addresses."""
    return [hex_of(address20(at)) for at in range(first, first + count)]


FULL, HASH = topics.encode_pending, topics.encode_pending_hash


@pytest.mark.parametrize(
    ("options", "wanted", "encoder"),
    [
        (None, pending(NOBODY, NOBODY), FULL),
        ({}, pending(NOBODY, NOBODY), FULL),
        ({"fromAddress": None, "toAddress": []}, pending(NOBODY, NOBODY), FULL),
        ({"fromAddress": hex_of(ALICE)}, pending([ALICE], NOBODY), FULL),
        ({"fromAddress": [hex_of(ALICE), hex_of(BOB)]}, pending([ALICE, BOB], NOBODY), FULL),
        ({"toAddress": hex_of(MINT)}, pending(NOBODY, [MINT]), FULL),
        ({"toAddress": hex_of(MINT).upper().replace("0X", "0x")}, pending(NOBODY, [MINT]), FULL),
        (
            {"fromAddress": hex_of(ALICE), "toAddress": [hex_of(MINT)]},
            pending([ALICE], [MINT]),
            FULL,
        ),
        ({"hashesOnly": True}, pending(NOBODY, NOBODY), HASH),
        ({"hashesOnly": False}, pending(NOBODY, NOBODY), FULL),
        ({"hashesOnly": None, "somethingElse": 1}, pending(NOBODY, NOBODY), FULL),
    ],
)
def test_pending_transactions(options: Any, wanted: PendingFilter, encoder: Any) -> None:
    """Lists are joined by or, empty ones are absent, objects are sent unless hashes are wanted."""
    outcome = parties.pending_transactions(VIEW, options)
    assert outcome == Subscribe(filter=wanted, encode=encoder)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"address": hex_of(ALICE)}, pending([ALICE], [ALICE])),
        ({"address": [hex_of(ALICE), hex_of(MINT)]}, pending([ALICE, MINT], [ALICE, MINT])),
        ({"fromAddress": hex_of(ALICE)}, pending([ALICE], NOBODY)),
        ({"address": hex_of(ALICE), "toAddress": hex_of(MINT)}, pending([ALICE], [ALICE, MINT])),
    ],
)
def test_filtered_pending_transactions(options: Any, wanted: PendingFilter) -> None:
    """One address means both sides; the names of the newer kind are understood too."""
    outcome = parties.filtered_pending_transactions(VIEW, options)
    assert outcome == Subscribe(filter=wanted, encode=FULL)


@pytest.mark.parametrize("options", [None, {}, {"cursor": False}])
def test_all_full_pending_transactions(options: Any) -> None:
    """There is nothing to choose."""
    outcome = parties.full_pending_transactions(VIEW, options)
    assert outcome == Subscribe(filter=PendingFilter(), encode=FULL)


BOTH = {"from": hex_of(ALICE), "to": hex_of(MINT)}


@pytest.mark.parametrize(
    ("options", "wanted", "encoder"),
    [
        (None, mined(), parties.encode_mined),
        ({}, mined(), parties.encode_mined),
        ({"addresses": None}, mined(), parties.encode_mined),
        ({"addresses": []}, mined(), parties.encode_mined),
        ({"addresses": [{"from": hex_of(ALICE)}]}, mined((ALICE, None)), parties.encode_mined),
        ({"addresses": [{"to": hex_of(MINT)}]}, mined((None, MINT)), parties.encode_mined),
        (
            {"addresses": [{"from": None, "to": hex_of(MINT)}]},
            mined((None, MINT)),
            parties.encode_mined,
        ),
        ({"addresses": [BOTH]}, mined((ALICE, MINT)), parties.encode_mined),
        (
            {"addresses": [BOTH, {"to": hex_of(SHOP)}, BOTH]},
            mined((ALICE, MINT), (None, SHOP)),
            parties.encode_mined,
        ),
        ({"includeRemoved": True}, mined(removed=True), parties.encode_mined),
        ({"includeRemoved": False}, mined(), parties.encode_mined),
        ({"hashesOnly": True}, mined(), parties.encode_mined_hash),
    ],
)
def test_mined_transactions(options: Any, wanted: MinedFilter, encoder: Any) -> None:
    """Both members of a pair must fit; of several pairs one is enough."""
    outcome = parties.mined_transactions(VIEW, options)
    assert outcome == Subscribe(filter=wanted, encode=encoder)


@pytest.mark.parametrize(
    ("addresses", "wanted"),
    [
        ([BOTH], mined((ALICE, None), (None, MINT))),
        ([BOTH, {"to": hex_of(SHOP)}], mined((ALICE, None), (None, MINT), (None, SHOP))),
        ([], mined()),
    ],
)
def test_the_operator_may_let_either_member_fit(addresses: Any, wanted: MinedFilter) -> None:
    """What Alchemy does not say can be switched: sender or recipient of a pair."""
    outcome = parties.mined_transactions(EITHER, {"addresses": addresses})
    assert outcome.filter == wanted


@pytest.mark.parametrize(
    "topic",
    [
        parties.full_pending_transactions,
        parties.pending_transactions,
        parties.mined_transactions,
    ],
)
@pytest.mark.parametrize("wish", [True, False])
def test_cursor(topic: topics.Topic, wish: bool) -> None:
    """Every kind takes the wish for cursors, and none resumes yet."""
    assert topic(VIEW, {"cursor": wish}).cursor is wish
    with pytest.raises(Refused, match="-32602 not supported yet"):
        topic(VIEW, {"resumeFrom": "x"})


EXCEEDED = "invalid argument 1: exceed max addresses, want at most 1000"


@pytest.mark.parametrize(
    ("topic", "options", "message"),
    [
        (parties.full_pending_transactions, {"a": 1}, "too many arguments, want at most 1"),
        (parties.full_pending_transactions, True, "too many arguments, want at most 1"),
        (parties.pending_transactions, True, "invalid argument 1: want an object"),
        (parties.pending_transactions, [], "invalid argument 1: want an object"),
        (
            parties.pending_transactions,
            {"fromAddress": 5},
            "invalid argument 1: invalid addresses in query",
        ),
        (
            parties.pending_transactions,
            {"toAddress": ["0x12"]},
            (
                "invalid argument 1: invalid address at index 0: "
                "hex has invalid length 1 after decoding; expected 20 for address"
            ),
        ),
        (
            parties.pending_transactions,
            {"hashesOnly": 1},
            "invalid argument 1: json: cannot unmarshal number into Go value of type bool",
        ),
        (
            parties.pending_transactions,
            {"fromAddress": many(600), "toAddress": many(401, first=600)},
            EXCEEDED,
        ),
        (parties.filtered_pending_transactions, None, "invalid argument 1: missing address"),
        (
            parties.filtered_pending_transactions,
            {"address": []},
            "invalid argument 1: missing address",
        ),
        (parties.filtered_pending_transactions, {"address": many(1001)}, EXCEEDED),
        (
            parties.mined_transactions,
            {"addresses": hex_of(ALICE)},
            "invalid argument 1: addresses must be an array of objects",
        ),
        (
            parties.mined_transactions,
            {"addresses": [hex_of(ALICE)]},
            "invalid argument 1: address filter at index 0 is not an object",
        ),
        (
            parties.mined_transactions,
            {"addresses": [BOTH, {}]},
            "invalid argument 1: address filter at index 1 has neither from nor to",
        ),
        (
            parties.mined_transactions,
            {"addresses": [{"from": "0x12"}]},
            "invalid argument 1: hex string has length 2, want 40 for common.Address",
        ),
        (
            parties.mined_transactions,
            {"addresses": [{"to": each} for each in many(1001)]},
            EXCEEDED,
        ),
        (
            parties.mined_transactions,
            {"addresses": [{"from": hex_of(ALICE), "to": each} for each in many(501)]},
            EXCEEDED,
        ),
        (
            parties.mined_transactions,
            {"includeRemoved": "yes"},
            "invalid argument 1: json: cannot unmarshal string into Go value of type bool",
        ),
    ],
)
def test_refusals(topic: topics.Topic, options: Any, message: str) -> None:
    """Options that make no sense, and more than a thousand addresses, are refused."""
    with pytest.raises(Refused) as caught:
        topic(VIEW, options)
    assert (caught.value.fault.code, caught.value.fault.message) == (-32602, message)


@pytest.mark.parametrize(
    "options",
    [
        {"fromAddress": many(600), "toAddress": many(400, first=600)},
        {"fromAddress": many(1000), "toAddress": many(1000)},
        {"fromAddress": many(1000) * 2},
    ],
)
def test_a_thousand_unique_addresses_are_allowed(options: Any) -> None:
    """An address counts once, however often and in whichever list it stands."""
    outcome = parties.pending_transactions(VIEW, options)
    assert isinstance(outcome.filter, PendingFilter)
    assert len(outcome.filter.senders | outcome.filter.recipients) == 1000


def test_a_thousand_mined_addresses_are_allowed() -> None:
    """The bound is inclusive."""
    pairs = [{"from": each, "to": each} for each in many(500)]
    outcome = parties.mined_transactions(VIEW, {"addresses": pairs})
    assert isinstance(outcome.filter, MinedFilter)
    assert len(outcome.filter.parties) == 500


BLOCK = mixed_block(make_block())


@pytest.mark.parametrize("removed", [True, False])
def test_mined_texts(removed: bool) -> None:
    """A mined transaction carries its block, also when that has left the chain; or its hash only."""
    event = TransactionMined(block=BLOCK, position=1, removed=removed)
    full = orjson.loads(parties.encode_mined(VIEW, event))
    assert full == {"removed": removed, "transaction": encode.encode_mined(BLOCK, 1)}
    assert full["transaction"]["blockHash"] == hex_of(BLOCK.hash)
    assert full["transaction"]["transactionIndex"] == "0x1"
    assert orjson.loads(parties.encode_mined_hash(VIEW, event)) == {
        "removed": removed,
        "transaction": {"hash": hex_of(BLOCK.transactions[1].hash)},
    }
