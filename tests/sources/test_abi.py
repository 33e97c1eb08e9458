"""Names of events: which logs are decoded, as what, and from when on."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.strategies import ADDRESSES, make_block, make_chain, make_log, make_transaction
from twisted_chainws.chain.model import Block, Log, NamedEvent, NamedParam
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.zilliqa.events import raw_event
from twisted_chainws.errors import InvalidAbi
from twisted_chainws.sources.abi import MOST_CONTRACTS, MOST_EVENTS, EventNames, read_abi_files

TOKEN, OTHER = ADDRESSES[:2]
ALICE, BOB = (bytes([at]) * 20 for at in (1, 2))


def entry(name: str, *inputs: tuple[str, str, bool], **more: Any) -> dict[str, Any]:
    """Describe an event: name, type and whether it is indexed, of each parameter."""
    described = [
        {"name": of, "type": kind, "indexed": indexed, "internalType": kind}
        for of, kind, indexed in inputs
    ]
    return {"type": "event", "name": name, "inputs": described, "anonymous": False, **more}


TRANSFER = entry(
    "Transfer", ("from", "address", True), ("to", "address", True), ("value", "uint256", False)
)


def topic(signature: str) -> Hash32:
    """Return the first topic of an event."""
    return Hash32(keccak(signature.encode()))


def padded(value: bytes) -> Hash32:
    """Return an address as a topic."""
    return Hash32(value.rjust(32, b"\0"))


def transfer(value: int, emitter: Any = TOKEN) -> Log:
    """Make the log of a token's transfer."""
    topics = [topic("Transfer(address,address,uint256)"), padded(ALICE), padded(BOB)]
    return make_log(emitter, topics, encode(["uint256"], [value]))


def block_of(*logs: Sequence[Log]) -> Block:
    """Make a block with a transaction for each list of logs."""
    contents = [(make_transaction(nonce=at), each) for at, each in enumerate(logs)]
    return make_block(make_chain(1)[0], contents)


def names(*abi: Any) -> EventNames:
    """Know the token by these entries."""
    known = EventNames()
    known.register(TOKEN, list(abi))
    return known


def decoded(names: EventNames, log: Log) -> Sequence[NamedEvent]:
    """Return the events of a block with one log."""
    return names.name(block_of([log])).receipts[0].events


def test_a_known_event() -> None:
    """Parameters come in the order of the event, indexed or not."""
    (event,) = decoded(names(TRANSFER), transfer(5))
    assert event == NamedEvent(
        address=TOKEN,
        name="Transfer",
        params=(
            NamedParam(name="from", type="address", value=ALICE),
            NamedParam(name="to", type="address", value=BOB),
            NamedParam(name="value", type="uint256", value=5),
        ),
    )


def test_all_logs_of_a_transaction_are_named() -> None:
    """With one that is known the others are named as they are; without any nothing changes."""
    known, strange = transfer(1), make_log(OTHER, [topic("Strange()")], b"data")
    block = block_of([strange, known], [strange], [])
    named = names(TRANSFER).name(block)
    assert [len(receipt.events) for receipt in named.receipts] == [2, 0, 0]
    assert named.receipts[0].events[0] == raw_event(strange)
    assert named.receipts[0].events[1].name == "Transfer"
    assert replace(named, receipts=block.receipts) == block
    assert names(TRANSFER).name(block_of([strange])) == block_of([strange])


def test_later_registrations_apply_to_later_blocks() -> None:
    """A block is named by what is known when it comes; a new ABI takes the place of the old."""
    known, block = EventNames(), block_of([transfer(1)])
    assert known.name(block) is block
    known.register(TOKEN, [TRANSFER])
    assert known.name(block).receipts[0].events[0].name == "Transfer"
    known.register(TOKEN, [])
    assert known.name(block) is block


@pytest.mark.parametrize(
    "log",
    [
        transfer(1, OTHER),
        make_log(TOKEN),
        make_log(TOKEN, [topic("Approval(address,address,uint256)")]),
        replace(transfer(1), topics=transfer(1).topics[:2]),
        replace(transfer(1), data=b""),
        replace(transfer(1), topics=(transfer(1).topics[0], Hash32(b"\xff" * 32), padded(BOB))),
    ],
)
def test_what_is_not_the_event(log: Log) -> None:
    """Other emitters, topics and data are left as they are."""
    assert decoded(names(TRANSFER), log) == ()


def test_one_signature_with_other_topics() -> None:
    """Tokens of two standards share a signature; what is indexed tells them apart."""
    unique = entry(
        "Transfer", ("from", "address", True), ("to", "address", True), ("id", "uint256", True)
    )
    known = names(TRANSFER, unique)
    log = replace(transfer(1), topics=(*transfer(1).topics, padded(b"\x09")), data=b"")
    assert decoded(known, log)[0].params[2] == NamedParam(name="id", type="uint256", value=9)
    assert decoded(known, transfer(1))[0].params[2].name == "value"


@pytest.mark.parametrize("kind", ["string", "bytes", "uint8[]", "uint8[2]"])
def test_indexed_values_of_any_length(kind: str) -> None:
    """Only their hash is known."""
    known = names(entry("Said", ("what", kind, True)))
    (event,) = decoded(known, make_log(TOKEN, [topic(f"Said({kind})"), topic("x")]))
    assert event.params == (NamedParam(name="what", type="bytes32", value=topic("x")),)


def test_structured_values() -> None:
    """Tuples and arrays are tuples; a parameter without a name is called by its position."""
    pair = {"name": "", "type": "tuple[]", "components": [{"type": "bool"}, {"type": "string"}]}
    known = names({"type": "event", "name": "Made", "inputs": [pair]})
    data = encode(["(bool,string)[]"], [[(True, "a")]])
    (event,) = decoded(known, make_log(TOKEN, [topic("Made((bool,string)[])")], data))
    assert event.params == (NamedParam(name="arg0", type="(bool,string)[]", value=((True, "a"),)),)


def test_native_events_stay() -> None:
    """A receipt that has events already keeps them."""
    native = NamedEvent(address=OTHER, name="native", params=())
    block = block_of([transfer(1)])
    receipt = replace(block.receipts[0], events=(native,))
    assert names(TRANSFER).name(replace(block, receipts=(receipt,))).receipts == (receipt,)


@pytest.mark.parametrize(
    "abi",
    [
        {"abi": [TRANSFER], "bytecode": "0x"},
        orjson.dumps([TRANSFER]),
        orjson.dumps({"abi": [TRANSFER]}).decode(),
        [{"type": "function", "name": "f", "inputs": "whatever"}, TRANSFER],
        [entry("Transfer", ("x", "nonsense", False), anonymous=True), TRANSFER],
    ],
)
def test_forms_of_an_abi(abi: Any) -> None:
    """A list, what compilers write around it, and the text of both; only named events count."""
    known = EventNames()
    known.register(TOKEN, abi)
    assert decoded(known, transfer(1))[0].name == "Transfer"


@pytest.mark.parametrize(
    ("abi", "reason"),
    [
        ("{", "abi: expected JSON"),
        (None, "abi: expected a list of functions and events"),
        ({"abi": {}}, "abi: expected a list of functions and events"),
        ([5], "abi: entry 0: expected an object"),
        ([TRANSFER, {"type": "event"}], "abi: entry 1: expected inputs, a list of objects"),
        ([{"type": "event", "inputs": []}], "abi: entry 0: expected a name"),
        (
            [entry("E", ("x", "uint7", False))],
            "abi: entry 0: type: expected one that events are read of, got 'uint7'",
        ),
        (
            [{"type": "event", "name": "E", "inputs": [{"type": "bool", "name": 5}]}],
            "abi: entry 0: expected the name of an input as a text",
        ),
        (
            [entry(f"E{at}") for at in range(MOST_EVENTS + 1)],
            f"abi: expected at most {MOST_EVENTS} events",
        ),
    ],
)
def test_what_is_no_abi(abi: Any, reason: str) -> None:
    """The reason says where the mistake is, and the former ABI stays."""
    known = names(TRANSFER)
    with pytest.raises(InvalidAbi) as refused:
        known.register(TOKEN, abi)
    assert refused.value.reason == reason
    assert decoded(known, transfer(1))


def test_contracts_are_bounded() -> None:
    """No more than so many contracts are known; those that are can change."""
    known = EventNames()
    for at in range(MOST_CONTRACTS):
        known.register(type(TOKEN)(at.to_bytes(20, "big")), [])
    with pytest.raises(InvalidAbi) as refused:
        known.register(TOKEN, [])
    assert refused.value.reason == f"abi: expected at most {MOST_CONTRACTS} contracts"
    known.register(type(TOKEN)(bytes(20)), [TRANSFER])


def test_files(tmp_path: Path) -> None:
    """Contracts are known by files; a mistake names its file."""
    file = tmp_path / "token.json"
    file.write_bytes(orjson.dumps({"abi": [TRANSFER]}))
    known = read_abi_files([(TOKEN, str(file))])
    assert decoded(known, transfer(1))[0].name == "Transfer"
    with pytest.raises(ValueError, match=r"absent\.json: cannot read it: No such file"):
        read_abi_files([(TOKEN, str(tmp_path / "absent.json"))])
    file.write_bytes(b"[5]")
    with pytest.raises(ValueError, match=r"token\.json: entry 0: expected an object"):
        read_abi_files([(TOKEN, str(file))])
