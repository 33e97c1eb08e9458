from typing import Any

import pytest

from tests.dialects.ethereum.token_chain import drive, erc20, erc721, text_answer, word_answer
from tests.dialects.ethereum.views import hex_of, make_view
from tests.strategies import (
    ADDRESSES,
    SENDERS,
    address20,
    make_block,
    make_chain,
    make_transaction,
)
from twisted_chainws.chain.model import Block, Log
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ethereum import tokens
from twisted_chainws.dialects.ethereum.tokens import Metadata
from twisted_chainws.dialects.outcomes import Forward, Query, Refused, Scan
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import ExecutionReverted

ALICE, BOB = SENDERS
CAROL = ADDRESSES[2]
GOLD, IRON, CLAY = sorted(address20(name) for name in ("gold", "iron", "clay"))


def chain_of(*logs: Log) -> list[Block]:
    """A chain of two blocks, the second with these logs."""
    genesis = make_block()
    return [genesis, make_block(genesis, [(make_transaction(), list(logs))])]


BLOCKS = chain_of(
    erc20(IRON, ALICE, BOB, 5),
    erc20(GOLD, BOB, ALICE, 5),
    erc20(CLAY, BOB, CAROL, 5),
    erc20(CLAY, BOB, CAROL, 5),
    erc721(address20("cats"), BOB, ALICE, 5),
)
VIEW = make_view(BLOCKS)


def balances(view: View, *params: Any, asked: list[Query] | None = None) -> Any:
    """Ask for balances; the source has 7 of everything but of iron, which reverts."""

    def answer(query: Query) -> str:
        if asked is not None:
            asked.append(query)
        if query.params["call"]["to"] == hex_of(IRON):
            raise ExecutionReverted(data=b"")
        return "0x" if query.params["call"]["to"] == hex_of(CLAY) else word_answer(7)

    return drive(tokens.get_token_balances(view, list(params)), answer)


def contracts(result: Any) -> list[str]:
    """Return the contracts of an answer."""
    return [each["contractAddress"] for each in result["tokenBalances"]]


def test_named_contracts_are_asked() -> None:
    """Each contract is called at the head; one that cannot tell has an error instead."""
    asked: list[Query] = []
    named = [hex_of(each) for each in (IRON, GOLD, CLAY)]
    result = balances(VIEW, hex_of(ALICE), named, asked=asked)
    assert result == {
        "address": hex_of(ALICE),
        "tokenBalances": [
            {"contractAddress": named[0], "tokenBalance": None, "error": "execution reverted"},
            {"contractAddress": named[1], "tokenBalance": word_answer(7), "error": None},
            {
                "contractAddress": named[2],
                "tokenBalance": None,
                "error": "the contract answered no balance",
            },
        ],
    }
    assert asked[0] == Query(
        method="call",
        params={
            "call": {"to": named[0], "data": "0x70a08231" + "0" * 24 + ALICE.hex()},
            "at": hex_of(BLOCKS[-1].hash),
        },
    )


@pytest.mark.parametrize(
    ("owner", "params", "expected"),
    [
        (ALICE, [], [GOLD, IRON]),
        (ALICE, [None], [GOLD, IRON]),
        (ALICE, ["erc20"], [GOLD, IRON]),
        (BOB, ["erc20"], [GOLD, IRON, CLAY]),
        (ADDRESSES[0], ["erc20"], []),
        (ADDRESSES[0], ["DEFAULT_TOKENS"], [CLAY, GOLD, IRON]),
        (BOB, ["erc20", {}], [GOLD, IRON, CLAY]),
        (BOB, ["erc20", {"pageKey": hex_of(IRON)}], [CLAY]),
        (BOB, ["erc20", {"maxCount": 5}], [GOLD, IRON, CLAY]),
        (ALICE, [[]], []),
    ],
)
def test_tokens_are_found_in_the_logs(
    owner: Address20, params: list[Any], expected: list[Address20]
) -> None:
    """Those that the owner moved, by address; or the most moved of all."""
    found = contracts(balances(VIEW, hex_of(owner), *params))
    order = sorted(expected) if params[:1] != ["DEFAULT_TOKENS"] else expected
    assert found == [hex_of(each) for each in order]


def test_pages() -> None:
    """A page says where the next one begins, the last one does not."""
    seen: list[str] = []
    options: dict[str, Any] = {"maxCount": "0x2"}
    result = balances(VIEW, hex_of(BOB), "erc20", options)
    seen += contracts(result)
    assert len(seen) == 2
    result = balances(VIEW, hex_of(BOB), "erc20", options | {"pageKey": result["pageKey"]})
    seen += contracts(result)
    assert "pageKey" not in result
    assert seen == sorted(hex_of(each) for each in (GOLD, IRON, CLAY))


def test_a_page_has_a_hundred_tokens_at_most() -> None:
    """A larger wish means that many."""
    many = [erc20(address20(at), ALICE, BOB, 1) for at in range(101)]
    view = make_view(chain_of(*many))
    for options in ({}, {"maxCount": 500}):
        result = balances(view, hex_of(ALICE), "erc20", options)
        assert len(contracts(result)) == 100
        assert result["pageKey"] == contracts(result)[-1]
    everything = balances(view, hex_of(ALICE), "DEFAULT_TOKENS")
    assert len(contracts(everything)) == 100
    assert "pageKey" not in everything


def test_long_chains_are_searched_in_steps() -> None:
    """A search that takes long lets others have their turn."""
    blocks = make_chain(1_200)
    blocks.append(make_block(blocks[-1], [(make_transaction(), [erc20(GOLD, ALICE, BOB, 1)])]))
    outcome = tokens.get_token_balances(make_view(blocks), [hex_of(ALICE)])
    assert isinstance(outcome, Forward)
    assert isinstance(outcome.call, Scan)
    scans: list[int] = []
    result = drive(outcome, lambda _: word_answer(1), scans=scans)
    assert contracts(result) == [hex_of(GOLD)]
    assert scans == [1]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([], "missing value for required argument 0"),
        (["0x12"], "invalid argument 0: hex string has length 2, want 40 for common.Address"),
        (
            [hex_of(BOB), "NATIVE_TOKEN"],
            'invalid argument 1: want an array of contracts, "erc20" or "DEFAULT_TOKENS"',
        ),
        (
            [hex_of(BOB), ["0x12"]],
            "invalid argument 1: hex string has length 2, want 40 for common.Address",
        ),
        (
            [hex_of(BOB), [hex_of(BOB)] * 1001],
            "invalid argument 1: exceed max contracts, want at most 1000",
        ),
        ([hex_of(BOB), "erc20", 5], "invalid argument 2: want an object"),
        (
            [hex_of(BOB), "erc20", {"maxCount": 0}],
            "invalid argument 2: maxCount must not be 0",
        ),
        (
            [hex_of(BOB), "erc20", {"pageKey": "next"}],
            (
                "invalid argument 2: json: cannot unmarshal hex string without 0x prefix "
                "into Go value of type common.Address"
            ),
        ),
    ],
)
def test_refusals(params: list[Any], message: str) -> None:
    """Parameters that make no sense are refused."""
    with pytest.raises(Refused) as caught:
        tokens.get_token_balances(VIEW, params)
    assert (caught.value.fault.code, caught.value.fault.message) == (-32602, message)


LEGACY = "0x" + b"MKR".ljust(32, b"\0").hex()


@pytest.mark.parametrize(
    ("symbol", "decimals", "expected"),
    [
        (text_answer("GLD"), word_answer(18), Metadata(symbol="GLD", decimals=18)),
        (text_answer("x" * 40), word_answer(0), Metadata(symbol="x" * 40, decimals=0)),
        (text_answer("金"), word_answer(255), Metadata(symbol="金", decimals=255)),
        (LEGACY, word_answer(6), Metadata(symbol="MKR", decimals=6)),
        (None, None, Metadata(symbol=None, decimals=None)),
        ("0x", "0x", Metadata(symbol=None, decimals=None)),
        (text_answer(""), word_answer(256), Metadata(symbol=None, decimals=None)),
        (text_answer("GLD")[:-64], word_answer(2**200), Metadata(symbol=None, decimals=None)),
        ("0x" + "ff" * 32, "0x12", Metadata(symbol=None, decimals=None)),
    ],
)
def test_metadata(symbol: str | None, decimals: str | None, expected: Metadata) -> None:
    """Symbol and decimals are what the contract says, if it says something that can be read."""
    found: list[dict[Address20, Metadata]] = []

    def answer(query: Query) -> str:
        said = {tokens.SYMBOL: symbol, tokens.DECIMALS: decimals}[query.params["call"]["data"]]
        if said is None:
            raise ExecutionReverted(data=b"")
        return said

    drive(tokens.ask_metadata(VIEW, [GOLD], found.append), answer)
    assert found == [{GOLD: expected}]


def test_without_contracts_nobody_is_asked() -> None:
    """There is nothing to ask, so the answer is there at once."""
    assert tokens.ask_metadata(VIEW, [], lambda found: found) == {}
