from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ethereum.token_chain import erc20, erc721, erc1155, word
from tests.strategies import (
    ADDRESSES,
    SENDERS,
    make_block,
    make_log,
    make_native,
    make_transaction,
    relaxed,
)
from twisted_chainws.chain.model import Log
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ethereum.token_logs import (
    TRANSFER,
    TRANSFER_BATCH,
    TRANSFER_SINGLE,
    LoggedTransfer,
    Standard,
    TokenAmount,
    TokenTransfer,
    decode_transfer,
    transfers_in,
)

TOKEN = ADDRESSES[0]
ALICE, BOB = SENDERS


def transfer(
    standard: Standard, value: int | None = None, *amounts: tuple[int, int]
) -> TokenTransfer:
    """A transfer from Alice to Bob."""
    return TokenTransfer(
        standard=standard,
        contract=TOKEN,
        sender=ALICE,
        recipient=BOB,
        value=value,
        tokens=tuple(TokenAmount(*pair) for pair in amounts),
    )


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (TRANSFER, "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"),
        (TRANSFER_SINGLE, "c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62"),
        (TRANSFER_BATCH, "4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb"),
    ],
)
def test_topics_are_those_of_the_standards(topic: Hash32, expected: str) -> None:
    """The hashes of the signatures are the well-known ones."""
    assert topic.hex() == expected


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (erc20(TOKEN, ALICE, BOB, 5), transfer(Standard.ERC20, 5)),
        (erc20(TOKEN, ALICE, BOB, 2**256 - 1), transfer(Standard.ERC20, 2**256 - 1)),
        (erc721(TOKEN, ALICE, BOB, 7), transfer(Standard.ERC721, None, (7, 1))),
        (erc1155(TOKEN, ALICE, BOB, (7, 3)), transfer(Standard.ERC1155, None, (7, 3))),
        (
            erc1155(TOKEN, ALICE, BOB, (7, 3), (8, 0)),
            transfer(Standard.ERC1155, None, (7, 3), (8, 0)),
        ),
    ],
)
def test_transfers(log: Log, expected: TokenTransfer) -> None:
    """Each standard is told by its topics and read from where it writes."""
    assert decode_transfer(log) == expected


SINGLE = erc1155(TOKEN, ALICE, BOB, (7, 3))
BATCH = erc1155(TOKEN, ALICE, BOB, (7, 3), (8, 4))


@pytest.mark.parametrize(
    "log",
    [
        make_log(),
        make_log(topics=[TRANSFER]),
        make_log(topics=[TRANSFER] * 2),
        make_log(topics=[word(1), word(ALICE), word(BOB)], data=word(1)),
        make_log(topics=[word(1), word(ALICE), word(BOB), word(1)]),
        replace(erc20(TOKEN, ALICE, BOB, 5), data=b""),
        replace(erc20(TOKEN, ALICE, BOB, 5), data=bytes(64)),
        replace(erc721(TOKEN, ALICE, BOB, 5), data=bytes(32)),
        replace(SINGLE, data=bytes(32)),
        replace(SINGLE, data=bytes(63)),
        replace(BATCH, data=b""),
        replace(BATCH, data=BATCH.data[:-32]),
        replace(BATCH, data=word(64)),
        replace(BATCH, data=word(65) + BATCH.data[32:]),
        replace(BATCH, data=word(2**255) + BATCH.data[32:]),
        replace(BATCH, data=b"".join(map(word, [64, 96, 0, 1, 5]))),
        replace(BATCH, data=b"".join(map(word, [64, 96, 0, 0]))),
    ],
)
def test_other_logs_are_no_transfers(log: Log) -> None:
    """What has another form says nothing that could be told."""
    assert decode_transfer(log) is None


@relaxed
@given(
    st.lists(st.binary(min_size=32, max_size=32), max_size=4),
    st.binary(max_size=200),
    st.sampled_from([TRANSFER, TRANSFER_SINGLE, TRANSFER_BATCH]),
)
def test_any_log_is_read(topics: list[bytes], data: bytes, first: Hash32) -> None:
    """A contract may log what it likes without harm."""
    log = make_log(topics=[first, *map(Hash32, topics)][:4], data=data)
    found = decode_transfer(log)
    assert found is None or (found.value is None) is bool(found.tokens)


def test_transfers_of_a_block() -> None:
    """Transfers come with their place; logs of other families count and are not read."""
    token = erc20(TOKEN, ALICE, BOB, 5)
    block = make_block(
        None,
        [
            (make_transaction(), [make_log(), token]),
            (make_transaction(nonce=1), [token]),
            (make_native(), [token]),
        ],
    )
    found = transfer(Standard.ERC20, 5)
    assert list(transfers_in(block)) == [LoggedTransfer(0, 1, found), LoggedTransfer(1, 2, found)]
