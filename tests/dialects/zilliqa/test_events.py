from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.zilliqa.vectors import vectors
from tests.strategies import ADDRESSES, TOPICS, make_log, make_receipt
from twisted_chainws.chain.model import NamedEvent, NamedParam
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.zilliqa import events

TYPES = [
    ("address", "ByStr20"),
    ("bool", "Bool"),
    ("string", "String"),
    ("bytes", "ByStr"),
    ("bytes1", "ByStr1"),
    ("bytes32", "ByStr32"),
    ("uint", "Uint256"),
    ("uint8", "Uint32"),
    ("uint32", "Uint32"),
    ("uint40", "Uint64"),
    ("uint64", "Uint64"),
    ("uint96", "Uint128"),
    ("uint128", "Uint128"),
    ("uint136", "Uint256"),
    ("uint256", "Uint256"),
    ("int", "Int256"),
    ("int24", "Int32"),
    ("int256", "Int256"),
    ("uint512", "Uint512"),
    ("uint256[]", "List (Uint256)"),
    ("bytes4[3][]", "List (List (ByStr4))"),
    ("(uint256[2],bool)[]", "List ((uint256[2],bool))"),
    ("(address,bool)", "(address,bool)"),
    ("ByStr20", "ByStr20"),
]


@pytest.mark.parametrize(("solidity", "scilla"), TYPES)
def test_types(solidity: str, scilla: str) -> None:
    """Each type has Scilla's word; integers are told in the next wider one."""
    assert events.scilla_type(solidity) == scilla


VALUES: list[tuple[Any, Any]] = [
    (2**256 - 1, str(2**256 - 1)),
    (-1, "-1"),
    ("abc", "abc"),
    (b"\x0a\xff", "0x0aff"),
    (b"", "0x"),
    (True, {"argtypes": [], "arguments": [], "constructor": "True"}),
    (False, {"argtypes": [], "arguments": [], "constructor": "False"}),
    ((), []),
    ((1, (b"a", "b")), ["1", ["0x61", "b"]]),
]


@pytest.mark.parametrize(("value", "shape"), VALUES)
def test_values(value: Any, shape: Any) -> None:
    """Numbers are decimal text, bytes hex with prefix, truth a constructor."""
    param = NamedParam(name="x", type="any", value=value)
    event = NamedEvent(address=ADDRESSES[0], name="e", params=(param,))
    assert events.encode_event(event) == {
        "_eventname": "e",
        "params": [{"type": "any", "value": shape, "vname": "x"}],
    }


def test_published_event() -> None:
    """The sample event is written as a node writes it, in an item and in a receipt."""
    [_, item, _, _] = vectors("notifications")["node_shape"]["values"]
    [entry] = item["value"]
    event = NamedEvent(
        address=Address20(bytes.fromhex(entry["address"])),
        name="foo1",
        params=(
            NamedParam(name="bar1", type="string", value="abc"),
            NamedParam(name="bar2", type="address", value=bytes(19) + b"\1"),
        ),
    )
    assert [events.encode_event(event)] == entry["event_logs"]
    assert events.encode_receipt_event(event) == {
        **entry["event_logs"][0],
        "address": "0x" + entry["address"],
    }


def test_logs_that_nobody_decodes() -> None:
    """A log is called by its first topic and holds the others and its data unread."""
    event = events.raw_event(make_log(topics=TOPICS[:3], data=b"\7"))
    assert event.address == ADDRESSES[0]
    assert events.encode_event(event) == {
        "_eventname": "0x" + TOPICS[0].hex(),
        "params": [
            {"type": "ByStr32", "value": "0x" + TOPICS[1].hex(), "vname": "topic1"},
            {"type": "ByStr32", "value": "0x" + TOPICS[2].hex(), "vname": "topic2"},
            {"type": "ByStr", "value": "0x07", "vname": "data"},
        ],
    }


def test_logs_without_topics() -> None:
    """A log without topics has a name all the same."""
    event = events.raw_event(make_log())
    assert (event.name, [param.value for param in event.params]) == ("anonymous", [b""])


def test_events_of_a_receipt() -> None:
    """Named events stand for the logs; without any, every log is told unread, in order."""
    logs = [make_log(ADDRESSES[at], [TOPICS[at]]) for at in range(2)]
    plain = make_receipt(logs)
    assert events.named_events(plain) == tuple(map(events.raw_event, logs))
    named = NamedEvent(address=ADDRESSES[2], name="e", params=())
    assert events.named_events(replace(plain, events=(named,))) == (named,)
    assert events.named_events(make_receipt()) == ()
