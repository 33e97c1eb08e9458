"""Model values and errors survive the pipe."""

import dataclasses
import inspect
from typing import Any, get_type_hints

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from twisted_chainws import errors
from twisted_chainws.chain.model import (
    AccessListEntry,
    Authorization,
    Block,
    NamedEvent,
    NamedParam,
    Withdrawal,
)
from twisted_chainws.chain.types import Address20, Hash32, Wei
from twisted_chainws.sources.devchain.codec import (
    FrameParser,
    RawJson,
    decode_block,
    decode_error,
    decode_hex,
    decode_quantity,
    decode_transaction,
    encode_block,
    encode_error,
    encode_hex,
    encode_transaction,
    render_frame,
)

_SAMPLES = {bytes: b"\x01\xff", int: 2**200, str: "text", float: 1.5, int | str: "safe"}


def _through_json(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


@strategies.relaxed
@given(strategies.chains(max_size=3))
def test_blocks_survive(chain: list[Block]) -> None:
    """A decoded block equals the encoded one."""
    for block in chain:
        assert decode_block(_through_json(encode_block(block))) == block


def test_rare_members_survive() -> None:
    """Blob, set-code and access-list members, withdrawals and named events are not lost."""
    block = strategies.make_chain(2)[1]
    transaction = dataclasses.replace(
        strategies.make_transaction(),
        value=Wei(2**255),
        to=None,
        access_list=(
            AccessListEntry(address=Address20(b"a" * 20), storage_keys=(Hash32(b"k" * 32),)),
        ),
        max_fee_per_blob_gas=Wei(7),
        blob_versioned_hashes=(Hash32(b"\x01" * 32),),
        authorizations=(
            Authorization(
                chain_id=0, address=Address20(b"b" * 20), nonce=2**63, y_parity=1, r=2**255, s=3
            ),
        ),
    )
    params = (1, 2**200, "0x12", True, b"\x00\x01", (), (1, (2**200, "0x", b"a", False)))
    event = NamedEvent(
        address=Address20(b"e" * 20),
        name="Mixed",
        params=tuple(NamedParam(name="p", type="any", value=value) for value in params),
    )
    receipt = dataclasses.replace(strategies.make_receipt(), events=(event,))
    withdrawal = Withdrawal(
        index=1, validator_index=2, address=Address20(b"w" * 20), amount_gwei=2**60
    )
    extras = dataclasses.replace(block.extras, withdrawals=(withdrawal,))
    rich = dataclasses.replace(
        block, transactions=(transaction,), receipts=(receipt,), extras=extras
    )
    decoded = decode_block(_through_json(encode_block(rich)))
    assert decoded == rich
    values = [param.value for param in decoded.receipts[0].events[0].params]
    assert [type(value) for value in values] == [int, int, str, bool, bytes, tuple, tuple]


def test_native_transactions_survive() -> None:
    """A transaction of another family keeps its kind and bytes."""
    native = strategies.make_native()
    assert decode_transaction(_through_json(encode_transaction(native))) == native


@pytest.mark.parametrize(
    "cls",
    [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.ChainwsError)
    ],
)
def test_every_error_survives(cls: type[errors.ChainwsError]) -> None:
    """Class and facts of each model error come back."""
    facts = {item: _SAMPLES[hint] for item, hint in get_type_hints(cls).items()}
    decoded = decode_error(_through_json(encode_error(cls(**facts))))
    assert type(decoded) is cls
    assert {item: getattr(decoded, item) for item in facts} == facts


@pytest.mark.parametrize("name", ["", "ValueError", "dataclass"])
def test_what_is_no_model_error_becomes_unavailable(name: str) -> None:
    """A fault of the worker is no fact about the chain."""
    assert isinstance(decode_error({"error": name, "facts": {}}), errors.SourceUnavailable)


@given(
    st.lists(st.lists(st.integers(-(2**53), 2**53) | st.text(), max_size=3), max_size=4),
    st.integers(1, 7),
)
def test_frames_survive_any_cut(messages: list[Any], size: int) -> None:
    """Messages come out whole and in order however the bytes are cut."""
    stream = b"".join(render_frame(message) for message in messages)
    parser = FrameParser()
    parsed = [
        message
        for start in range(0, len(stream), size)
        for message in parser.feed(stream[start : start + size])
    ]
    assert parsed == messages


def test_hex_and_quantities() -> None:
    """Hex needs its prefix; quantities are numbers or hex."""
    assert decode_hex(encode_hex(b"\x00\xff")) == b"\x00\xff"
    with pytest.raises(ValueError, match="expected 0x hex"):
        decode_hex("00")
    assert (decode_quantity(5), decode_quantity("0x10")) == (5, 16)


@given(st.data())
def test_ready_answers_pass_unparsed(data: st.DataObject) -> None:
    """Between other frames and in any pieces; what is no JSON is not even noticed."""
    texts = [b'{"a":[1,2]}', b"", b"no json \xff", b"7"]
    messages: list[Any] = [[1, {"x": 1}], [2**40, RawJson(data.draw(st.sampled_from(texts)))]]
    messages += [[3, None], [4, RawJson(b'"z"')]]
    stream = b"".join(render_frame(message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    parser, heard = FrameParser(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        heard += list(parser.feed(stream[start:end]))
    assert [message[0] for message in heard] == [1, 2**40, 3, 4]
    for message, (_, value) in zip(messages, heard, strict=True):
        if isinstance(message[1], RawJson):
            assert isinstance(value, orjson.Fragment)
            assert orjson.dumps([value]) == b"[" + message[1].text + b"]"
        else:
            assert value == message[1]
