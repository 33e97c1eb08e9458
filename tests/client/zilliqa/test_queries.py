from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.zilliqa.vectors import derivation
from twisted_chainws.chain.types import Address20
from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.zilliqa.queries import (
    EVENT_LOG,
    LONGEST_QUERY,
    NEW_BLOCK,
    TXN_LOG,
    leave,
    plain_address,
    subscribing,
)
from twisted_chainws.dialects.zilliqa.address import encode_bech32, encode_checksum

addresses = st.binary(min_size=20, max_size=20)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (subscribing(NEW_BLOCK)[0], '{"query":"NewBlock"}'),
        (
            subscribing(TXN_LOG, ["0x" + "ab" * 20])[0],
            '{"query":"TxnLog","addresses":["0x' + "ab" * 20 + '"]}',
        ),
        (leave(EVENT_LOG), '{"query":"Unsubscribe","type":"EventLog"}'),
    ],
)
def test_what_goes_out(query: Any, text: str) -> None:
    """Queries are written as the libraries of others write them."""
    assert query.render() == text


@given(st.sampled_from([EVENT_LOG, TXN_LOG]), st.integers(0, 300))
def test_long_lists_are_split(topic: str, count: int) -> None:
    """No message is longer than nodes take, none could be saved, and no address is lost."""
    wanted = [f"0x{number:040x}" for number in range(count)]
    queries = subscribing(topic, wanted)
    assert [one for query in queries for one in query.addresses] == wanted
    sizes = [len(query.render()) for query in queries]
    assert all(size <= LONGEST_QUERY for size in sizes)
    assert all(size > LONGEST_QUERY - 50 for size in sizes[:-1])
    assert all(orjson.loads(query.render())["query"] == topic for query in queries)


@given(addresses)
def test_addresses_of_every_form(address: bytes) -> None:
    """Bech32 in either case, hex with and without prefix, bytes: servers get one form."""
    value, plain = Address20(address), "0x" + address.hex()
    for form in (
        address,
        plain,
        address.hex(),
        address.hex().upper(),
        "0X" + address.hex(),
        encode_checksum(value),
        encode_bech32(value),
        encode_bech32(value).upper(),
    ):
        assert plain_address(form) == plain


@pytest.mark.parametrize("key", derivation("keys"))
def test_published_addresses(key: Any) -> None:
    """The published forms of an address are the same one."""
    forms = {plain_address(key[name]) for name in ("address", "checksum", "bech32")}
    assert forms == {"0x" + key["address"]}


@pytest.mark.parametrize(
    "address",
    ["", "0x12", b"12", None, 7, "zil1", "zil198jk9ae53ry29wuah3tspvmp649ekp250ajt0b", "g" * 40],
)
def test_no_addresses(address: Any) -> None:
    """What is none is the caller's mistake."""
    with pytest.raises(Misuse):
        plain_address(address)
