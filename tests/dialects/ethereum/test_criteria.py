from typing import Any

import pytest

from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument
from twisted_chainws.dialects.ethereum.criteria import LogQuery, log_query, refuse_wide
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.outcomes import Refused

A, B = Address20(bytes([1] * 20)), Address20(bytes([2] * 20))
S, T = Hash32(bytes([3] * 32)), Hash32(bytes([4] * 32))


def text(value: bytes) -> str:
    """Write bytes as DATA."""
    return f"0x{value.hex()}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, LogQuery()),
        ({"address": None, "topics": None, "fromBlock": None, "unknown": 1}, LogQuery()),
        ({"address": text(A).upper().replace("X", "x")}, LogQuery(addresses=frozenset([A]))),
        ({"address": [text(A), text(B), text(A)]}, LogQuery(addresses=frozenset([A, B]))),
        ({"address": []}, LogQuery()),
        ({"topics": []}, LogQuery()),
        ({"topics": [text(S)]}, LogQuery(topics=(frozenset([S]),))),
        ({"topics": [None, text(T)]}, LogQuery(topics=(None, frozenset([T])))),
        ({"topics": [text(S), None, None]}, LogQuery(topics=(frozenset([S]), None, None))),
        ({"topics": [[], [text(S), text(T)]]}, LogQuery(topics=(None, frozenset([S, T])))),
        ({"topics": [[text(S), None, 5]]}, LogQuery(topics=(None,))),
        (
            {"fromBlock": "0x1", "toBlock": "latest"},
            LogQuery(first=BlockRef(number=1), last=BlockRef(tag="latest")),
        ),
        (
            {"fromBlock": "0x2", "toBlock": "0x2"},
            LogQuery(first=BlockRef(number=2), last=BlockRef(number=2)),
        ),
        ({"blockHash": text(S)}, LogQuery(block_hash=S)),
    ],
)
def test_filters_are_decoded(value: Any, expected: LogQuery) -> None:
    """Every form of the filter grammar has one meaning."""
    assert log_query(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "json: cannot unmarshal string into Go value of type filters.input"),
        ({"topics": [None] * 5}, "exceed max topics"),
        ({"topics": [[text(S)] * 1001]}, "exceed max topics"),
        ({"topics": "x"}, "json: cannot unmarshal string into Go value of type []interface {}"),
        ({"topics": [5]}, "invalid topic(s)"),
        ({"topics": [{}]}, "invalid topic(s)"),
        ({"topics": [[5]]}, "invalid topic(s)"),
        (
            {"topics": ["0x01"]},
            "hex has invalid length 1 after decoding; expected 32 for topic",
        ),
        ({"topics": ["x"]}, "hex string without 0x prefix"),
        (
            {"address": "0x0102"},
            "invalid address: hex has invalid length 2 after decoding; expected 20 for address",
        ),
        (
            {"address": [text(A), "0x0102"]},
            (
                "invalid address at index 1: hex has invalid length 2 after decoding; "
                "expected 20 for address"
            ),
        ),
        ({"address": ""}, "invalid address: empty hex string"),
        ({"address": [5]}, "non-string address at index 0"),
        ({"address": [text(A), None]}, "non-string address at index 1"),
        ({"address": 5}, "invalid addresses in query"),
        ({"address": {}}, "invalid addresses in query"),
        ({"fromBlock": "1"}, "hex string without 0x prefix"),
        ({"toBlock": {}}, "hex string without 0x prefix"),
        (
            {"blockHash": "0x12"},
            "hex string has length 2, want 64 for common.Hash",
        ),
        (
            {"blockHash": text(S), "fromBlock": "0x0"},
            "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
        ),
    ],
)
def test_wrong_filters_are_refused_in_geths_words(value: Any, expected: str) -> None:
    """The text after the argument's number is go-ethereum's."""
    with pytest.raises(InvalidArgument) as caught:
        log_query(value)
    assert caught.value.text == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"fromBlock": "pending"}, "pending logs are not supported"),
        ({"toBlock": "pending"}, "pending logs are not supported"),
        ({"fromBlock": "0x2", "toBlock": "0x1"}, "invalid block range params"),
    ],
)
def test_impossible_ranges_have_a_wording_of_their_own(value: Any, expected: str) -> None:
    """These texts come without the argument's number."""
    with pytest.raises(Refused) as caught:
        log_query(value)
    assert (caught.value.fault.code, caught.value.fault.message) == (-32602, expected)


def test_wide_filters_are_refused_by_the_operators_limit() -> None:
    """Addresses and the alternatives of one slot have the same limit."""
    narrow = LogQuery(addresses=frozenset([A]), topics=(None, frozenset([S])))
    refuse_wide(narrow, 1)
    for wide in (
        LogQuery(addresses=frozenset([A, B])),
        LogQuery(topics=(None, frozenset([S, T]))),
    ):
        with pytest.raises(Refused) as caught:
            refuse_wide(wide, 1)
        assert caught.value.fault.code == -32000
        assert caught.value.fault.message == ("exceed max addresses or topics per search position")
