"""States as files: what is listed, what is read, what is refused."""

import gzip
from typing import Any

import orjson
import pytest
from eth.abc import StateAPI
from eth.constants import BLANK_ROOT_HASH
from eth_typing import Address

from tests.sources.devchain.engine.building import (
    ALICE,
    CAROL,
    CLEARS,
    CODE,
    ETHER,
    STORE,
    mine,
    text,
    transaction,
)
from twisted_chainws.errors import ExecutionFailed, InvalidControl
from twisted_chainws.sources.devchain.engine import dumping
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.dumping import (
    LoadedAccount,
    lay_accounts,
    pack,
    read_accounts,
    read_timestamp,
    unpack,
)
from twisted_chainws.sources.devchain.engine.preimages import name_of

ACCOUNT = {"nonce": 1, "balance": "0x2", "code": "0x03", "storage": {"0x04": "0x05"}}


def word(number: int) -> str:
    """Return 32 bytes as ``0x`` hex."""
    return f"0x{number:064x}"


def test_a_state_is_listed_whole(engine: Engine) -> None:
    """Every account with nonce, balance, code and storage, as it is now."""
    call = transaction(to=STORE, data=(7).to_bytes(32, "big"), gas=100_000, value=0)
    mine(engine, call, transaction(nonce=1, to=CAROL))
    found = engine.dump_accounts()
    assert found[text(STORE)] == {
        "nonce": 1,
        "balance": "0x0",
        "code": "0x" + CODE[STORE],
        "storage": {word(0): word(7)},
    }
    assert found[text(CLEARS)]["storage"] == {word(slot): word(7) for slot in range(10)}
    assert found[text(CAROL)] == {"nonce": 0, "balance": "0x1", "code": "0x", "storage": {}}
    assert found[text(ALICE)]["nonce"] == 2
    assert int(found[text(ALICE)]["balance"], 16) < 10_000 * ETHER
    everybody = {bytes.fromhex(name[2:]) for name in found}
    assert set(CODE) <= everybody


def test_edits_are_listed(engine: Engine) -> None:
    """The dump is of what can be read, not of the last header."""
    engine.edit(lambda state: state.set_balance(Address(CAROL), 9))
    assert engine.dump_accounts()[text(CAROL)]["balance"] == "0x9"


def test_an_empty_state_is_an_empty_list(engine: Engine) -> None:
    """The root of nothing has no leaves."""
    assert dumping.dump_accounts(engine._db, BLANK_ROOT_HASH) == {}


def test_a_state_without_names_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in files that were written before names were noted."""
    assert name_of(engine._db, bytes(32)) is None
    monkeypatch.setattr(dumping, "name_of", lambda _db, _hash: None)
    with pytest.raises(ExecutionFailed) as caught:
        engine.dump_accounts()
    assert caught.value.reason == "state dump is not available"


def test_dumps_are_read_packed_or_plain() -> None:
    """The same accounts come out."""
    shape = {"accounts": {text(ALICE): ACCOUNT}, "block": {"timestamp": "0x6"}}
    for data in (pack(shape), orjson.dumps(shape)):
        read = unpack(data)
        assert read_timestamp(read) == 6
        assert read_accounts(read) == [
            LoadedAccount(address=ALICE, nonce=1, balance=2, code=b"\x03", storage={4: 5})
        ]


def test_packing_is_repeatable() -> None:
    """No clock goes into the file."""
    assert pack({"accounts": {}}) == pack({"accounts": {}})
    assert gzip.decompress(pack({"accounts": {}})) == b'{"accounts":{}}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"accounts":[]}',
        b"\x1f\x8b",
        b"\x1f\x8bxxxxxxxxxxxx",
        gzip.compress(b"{}"),
        gzip.compress(b'{"accounts":{}}')[:-9],
    ],
)
def test_what_is_no_dump_is_refused(data: bytes) -> None:
    """In anvil's words."""
    with pytest.raises(InvalidControl) as caught:
        unpack(data)
    assert caught.value.reason == "Failed to decode state dump"


def test_a_dump_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the limit is unpacked."""
    monkeypatch.setattr(dumping, "MAX_BYTES", 1_000)
    shape = {"accounts": {}, "filling": "x" * 2_000}
    with pytest.raises(InvalidControl):
        unpack(pack(shape))
    monkeypatch.setattr(dumping, "MAX_BYTES", 3_000)
    assert unpack(pack(shape)) == shape


@pytest.mark.parametrize(
    ("address", "changes"),
    [
        ("0x01", {}),
        ("01" * 20, {}),
        ("0x" + "zz" * 20, {}),
        (text(ALICE), {"nonce": 1 << 64}),
        (text(ALICE), {"nonce": -1}),
        (text(ALICE), {"nonce": None}),
        (text(ALICE), {"nonce": True}),
        (text(ALICE), {"balance": hex(1 << 256)}),
        (text(ALICE), {"balance": "two"}),
        (text(ALICE), {"code": "03"}),
        (text(ALICE), {"code": 3}),
        (text(ALICE), {"storage": []}),
        (text(ALICE), {"storage": {"x": "0x1"}}),
        (text(ALICE), {"storage": {"0x1": hex(1 << 256)}}),
    ],
)
def test_malformed_accounts_are_refused(address: str, changes: Any) -> None:
    """Nothing is guessed."""
    with pytest.raises(InvalidControl):
        read_accounts({"accounts": {address: ACCOUNT | changes}})


@pytest.mark.parametrize("missing", sorted(ACCOUNT))
def test_accounts_must_be_whole(missing: str) -> None:
    """Each member is needed."""
    given = {name: value for name, value in ACCOUNT.items() if name != missing}
    with pytest.raises(InvalidControl):
        read_accounts({"accounts": {text(ALICE): given}})
    with pytest.raises(InvalidControl):
        read_accounts({"accounts": {text(ALICE): None}})


@pytest.mark.parametrize(
    ("shape", "expected"),
    [({}, 0), ({"block": None}, 0), ({"block": {}}, 0), ({"block": {"timestamp": 5}}, 5)],
)
def test_a_dump_need_not_say_when_it_was_taken(shape: Any, expected: int) -> None:
    """Old ones leave the block out."""
    assert read_timestamp(shape) == expected


@pytest.mark.parametrize("block", [5, {"timestamp": "x"}, {"timestamp": -1}, {"timestamp": []}])
def test_a_time_that_is_none_is_refused(block: Any) -> None:
    """It would become the clock."""
    with pytest.raises(InvalidControl):
        read_timestamp({"block": block})


def test_accounts_are_laid_over_the_state(engine: Engine) -> None:
    """Balance and code are replaced, nonces never fall, other slots stay."""
    mine(engine, transaction())

    def change(state: StateAPI) -> None:
        lay_accounts(
            state,
            [
                LoadedAccount(address=ALICE, nonce=0, balance=5, code=b"", storage={}),
                LoadedAccount(address=CLEARS, nonce=9, balance=0, code=b"\x01", storage={0: 1}),
            ],
        )

    engine.edit(change)
    read = engine.read(engine.head_hash)
    assert (read.balance(ALICE), read.nonce(ALICE)) == (5, 1)
    assert (read.code(CLEARS), read.nonce(CLEARS)) == (b"\x01", 9)
    assert [read.storage(CLEARS, slot) for slot in range(3)] == [1, 7, 7]
