from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ethereum.asking import make_view
from tests.strategies import hash32, make_block, make_chain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Transition
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import Decoder, InvalidArgument
from twisted_chainws.dialects.ethereum.decode import BlockRef, StorageKey
from twisted_chainws.dialects.outcomes import Refused
from twisted_chainws.errors import HistoryPruned, NotCanonical, UnknownBlock, UnknownBlockHash

HASH = Hash32(bytes(range(32)))
HASH_TEXT = f"0x{HASH.hex()}"
NO_STRING = "json: cannot unmarshal non-string into Go value of type "


def refusal(decoder: Decoder, value: Any) -> str:
    """Return the text with which a decoder refuses a value."""
    with pytest.raises(InvalidArgument) as caught:
        decoder(value)
    return caught.value.text


@pytest.mark.parametrize(
    ("decoder", "value", "expected"),
    [
        (decode.quantity, "0x0", 0),
        (decode.quantity, "0XfF", 255),
        (decode.quantity, "0xffffffffffffffff", 2**64 - 1),
        (decode.quantity256, "0x" + "f" * 64, 2**256 - 1),
        (decode.data, "0x", b""),
        (decode.data, "", b""),
        (decode.data, "0xABcd", b"\xab\xcd"),
        (decode.address, "0x" + "Ab" * 20, b"\xab" * 20),
        (decode.hash32, HASH_TEXT, HASH),
        (decode.boolean, False, False),
        (decode.text, "x", "x"),
        (decode.fee_history_count, "0x10", 16),
        (decode.fee_history_count, "10", 10),
        (decode.fee_history_count, 10, 10),
        (decode.loose_number, 1e22, 10**22),
        (decode.loose_number, "0x000a", 10),
        (decode.loose_number, str(2**256 - 1), 2**256 - 1),
        (decode.loose_number53, 2**53 - 1, 2**53 - 1),
        (decode.percentiles, [1, 2.5], (1.0, 2.5)),
        (decode.percentiles, [], ()),
        (decode.storage_key, "", StorageKey(word=bytes(32), given_length=0)),
        (decode.storage_key, "0x", StorageKey(word=bytes(32), given_length=0)),
        (decode.storage_key, "0xabc", StorageKey(word=bytes(30) + b"\x0a\xbc", given_length=2)),
        (decode.storage_key, "1", StorageKey(word=bytes(31) + b"\x01", given_length=1)),
        (decode.storage_key, HASH_TEXT, StorageKey(word=HASH, given_length=32)),
        (decode.block_number, "latest", BlockRef(tag="latest")),
        (decode.block_number, "0x10", BlockRef(number=16)),
        (decode.block, "pending", BlockRef(tag="pending")),
        (decode.block, "0x7fffffffffffffff", BlockRef(number=2**63 - 1)),
        (decode.block, HASH_TEXT, BlockRef(block_hash=HASH)),
        (decode.block, {"blockNumber": "0x1"}, BlockRef(number=1)),
        (decode.block, {"blockNumber": "safe", "blockHash": None}, BlockRef(tag="safe")),
        (decode.block, {"blockHash": HASH_TEXT}, BlockRef(block_hash=HASH)),
        (
            decode.block,
            {"blockHash": HASH_TEXT, "requireCanonical": True},
            BlockRef(block_hash=HASH, require_canonical=True),
        ),
        (
            decode.block,
            {"blockHash": HASH_TEXT, "requireCanonical": None, "more": 1},
            BlockRef(block_hash=HASH),
        ),
    ],
)
def test_good_values_are_decoded(decoder: Decoder, value: Any, expected: Any) -> None:
    """Each decoder takes every form that its kind of value has."""
    assert decoder(value) == expected


@pytest.mark.parametrize(
    ("decoder", "value", "text"),
    [
        (decode.quantity, "", "empty hex string"),
        (decode.quantity, "2", "hex string without 0x prefix"),
        (decode.quantity, "0x", 'hex string "0x"'),
        (decode.quantity, "0x01", "hex number with leading zero digits"),
        (decode.quantity, "0xg", "invalid hex string"),
        (decode.quantity, "0x1_0", "invalid hex string"),
        (decode.quantity, "0x1\n", "invalid hex string"),
        (decode.quantity, "0x\u0661", "invalid hex string"),
        (decode.quantity, "0x1" + "0" * 16, "hex number > 64 bits"),
        (decode.quantity256, "0x1" + "0" * 64, "hex number > 256 bits"),
        (decode.quantity, 1, NO_STRING + "hexutil.Uint64"),
        (decode.quantity256, {}, NO_STRING + "hexutil.Big"),
        (decode.data, 5, NO_STRING + "hexutil.Bytes"),
        (
            decode.data,
            "0xabc",
            "json: cannot unmarshal hex string of odd length into Go value of type hexutil.Bytes",
        ),
        (
            decode.data,
            "0x\u00e9\u00e9",
            "json: cannot unmarshal invalid hex string into Go value of type hexutil.Bytes",
        ),
        (
            decode.address,
            "abc",
            (
                "json: cannot unmarshal hex string without 0x prefix into Go value of type "
                "common.Address"
            ),
        ),
        (decode.address, "0x1234", "hex string has length 4, want 40 for common.Address"),
        (decode.address, "", "hex string has length 0, want 40 for common.Address"),
        (decode.hash32, "0x12", "hex string has length 2, want 64 for common.Hash"),
        (decode.boolean, {}, "json: cannot unmarshal object into Go value of type bool"),
        (decode.boolean, 1, "json: cannot unmarshal number into Go value of type bool"),
        (decode.boolean, None, "json: cannot unmarshal null into Go value of type bool"),
        (decode.text, [], "json: cannot unmarshal array into Go value of type string"),
        (decode.text, True, "json: cannot unmarshal bool into Go value of type string"),
        (decode.fee_history_count, "x", 'invalid hex or decimal integer "x"'),
        (decode.fee_history_count, -1, 'invalid hex or decimal integer "-1"'),
        (decode.fee_history_count, 2**64, f'invalid hex or decimal integer "{2**64}"'),
        (decode.percentiles, 1, "json: cannot unmarshal number into Go value of type []float64"),
        (
            decode.percentiles,
            ["x"],
            "json: cannot unmarshal string into Go value of type float64",
        ),
        (decode.percentiles, [True], "json: cannot unmarshal bool into Go value of type float64"),
        (decode.block, "2", "hex string without 0x prefix"),
        (decode.block, 2, "hex string without 0x prefix"),
        (decode.block, [], "hex string without 0x prefix"),
        (decode.block, -2, "hex string without 0x prefix"),
        (decode.block, "0x8000000000000000", "block number larger than int64"),
        (decode.block, "0x" + "g" * 64, "invalid hex string"),
        (decode.block, "a" * 66, "hex string without 0x prefix"),
        (decode.block_number, HASH_TEXT, "hex number with leading zero digits"),
        (decode.block_number, "0x1" + "0" * 63, "hex number > 64 bits"),
        (decode.block, {}, "must specify either BlockHash or BlockNumber"),
        (
            decode.block,
            {"blockHash": HASH_TEXT, "blockNumber": "0x1"},
            "cannot specify both BlockHash and BlockNumber, choose one or the other",
        ),
        (decode.block, {"blockHash": 1}, NO_STRING + "common.Hash"),
        (
            decode.block,
            {"blockHash": HASH_TEXT, "requireCanonical": "yes"},
            "json: cannot unmarshal string into Go value of type bool",
        ),
    ],
)
def test_bad_values_are_refused_in_geths_words(decoder: Decoder, value: Any, text: str) -> None:
    """The text after the argument's number is go-ethereum's."""
    assert refusal(decoder, value) == text


@pytest.mark.parametrize(
    "value", ["", "x", "0x", "0xg", "-1", "1.5", 1.5, float("inf"), -1, None, True, [], "9" * 79]
)
def test_loose_numbers_are_still_numbers(value: Any) -> None:
    """A development method takes many forms of a number and nothing else."""
    assert "invalid number" in refusal(decode.loose_number, value)


@pytest.mark.parametrize("value", [2**64, "0x1" + "0" * 16, str(2**64)])
def test_loose_numbers_have_a_size(value: Any) -> None:
    """A number above its bits is refused in every form."""
    assert refusal(decode.loose_number64, value) == (
        "invalid number, want an integer of at most 64 bits"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            "0x" + "0" * 65,
            'storage key too long (want at most 32 bytes): "0x' + "0" * 65 + '"',
        ),
        ("0xzz", 'invalid hex in storage key: "0xzz"'),
        ('"', 'invalid hex in storage key: "\\""'),
    ],
)
def test_bad_storage_keys_have_a_wording_of_their_own(value: Any, text: str) -> None:
    """A storage key is refused by the method, not by the argument decoder."""
    with pytest.raises(Refused) as caught:
        decode.storage_key(value)
    assert (caught.value.fault.code, caught.value.fault.message) == (-32602, text)


def test_a_storage_key_is_a_string() -> None:
    """Anything else is a wrong argument."""
    assert refusal(decode.storage_key, 1).endswith("of type string")


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_numbers_survive_a_round_trip(number: int) -> None:
    """Whatever hex() writes is a QUANTITY, and str() a loose number."""
    assert decode.quantity256(hex(number)) == number
    assert decode.loose_number(str(number)) == number


def test_tags_mean_blocks() -> None:
    """Every tag resolves as on a development node."""
    blocks = make_chain(40)
    view = make_view(blocks)
    expected = {
        "latest": blocks[-1],
        "earliest": blocks[0],
        "safe": blocks[-33],
        "finalized": blocks[0],
        "pending": "pending",
    }
    assert {tag: decode.resolve(view, BlockRef(tag=tag)) for tag in expected} == expected
    assert decode.resolve(view, None) is blocks[-1]
    assert decode.resolve(view, BlockRef(number=3)) is blocks[3]
    assert decode.resolve(view, BlockRef(block_hash=blocks[3].hash)) is blocks[3]
    assert decode.position(view, BlockRef(number=3)) == f"0x{blocks[3].hash.hex()}"
    assert decode.position(view, BlockRef(tag="pending")) == "pending"


def test_unknown_blocks_are_errors() -> None:
    """A selector without a block names what is missing."""
    view = make_view()
    with pytest.raises(UnknownBlock) as number:
        decode.resolve(view, BlockRef(number=99))
    assert number.value.block == 99
    with pytest.raises(UnknownBlockHash):
        decode.resolve(view, BlockRef(block_hash=hash32("none")))


def test_pruned_blocks_are_errors() -> None:
    """What was kept once is said to be gone, by number and by tag."""
    view = make_view(make_chain(80), history=10)
    with pytest.raises(HistoryPruned):
        decode.resolve(view, BlockRef(number=1))
    for tag in ("safe", "finalized"):
        with pytest.raises(UnknownBlock) as caught:
            decode.resolve(view, BlockRef(tag=tag))
        assert caught.value.block == tag


def test_a_side_block_may_be_asked_for_unless_it_must_be_canonical() -> None:
    """EIP-1898: a hash of a side branch is good as long as nobody insists."""
    blocks = make_chain(3)
    view, side = with_side_block(blocks)
    assert decode.resolve(view, BlockRef(block_hash=side.hash)) == side
    with pytest.raises(NotCanonical):
        decode.resolve(view, BlockRef(block_hash=side.hash, require_canonical=True))
    canonical = BlockRef(block_hash=blocks[1].hash, require_canonical=True)
    assert decode.resolve(view, canonical) is blocks[1]


def with_side_block(blocks: list[Block]) -> tuple[Any, Block]:
    """Make a view whose last block was replaced, and return the replaced one too."""
    view = make_view(blocks)
    transition: Transition = view.chain._chain.reorganise(
        blocks[-2].hash, [make_block(blocks[-2], salt="other")]
    )
    return view, transition.undone[0]
