import pytest

from tests.dialects.ethereum.views import ask, hex_of, make_view, read, refusal, with_contract
from tests.strategies import SENDERS, make_transaction
from twisted_chainws.dialects.ethereum import encode
from twisted_chainws.dialects.ethereum.pool import encode_checksummed

FIRST = make_transaction(nonce=0)
SECOND = with_contract(make_transaction(nonce=1, type_=0))
LATER = make_transaction(nonce=5)
OTHER = make_transaction(SENDERS[1], nonce=0)
VIEW = make_view(pending=[FIRST, SECOND, OTHER], queued=[LATER])
ALICE, BOB = (encode_checksummed(sender) for sender in SENDERS)


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
    ],
)
def test_checksum(address: str) -> None:
    """Addresses get the capitals of the examples of EIP-55."""
    assert encode_checksummed(bytes.fromhex(address[2:])) == address


def test_status() -> None:
    """The status counts both parts of the pool."""
    assert ask(VIEW, "txpool_status") == {"pending": "0x3", "queued": "0x1"}
    assert ask(make_view(), "txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_content() -> None:
    """The content is sorted by sender and decimal nonce."""
    content = ask(VIEW, "txpool_content")
    assert content["pending"].keys() == {ALICE, BOB}
    assert list(content["pending"][ALICE]) == ["0", "1"]
    assert content["pending"][BOB]["0"] == read(encode.encode_transaction(OTHER))
    assert content["queued"] == {ALICE: {"5": read(encode.encode_transaction(LATER))}}


def test_content_from() -> None:
    """The content of one sender has no address level."""
    content = ask(VIEW, "txpool_contentFrom", hex_of(SENDERS[0]))
    assert content == {
        "pending": ask(VIEW, "txpool_content")["pending"][ALICE],
        "queued": ask(VIEW, "txpool_content")["queued"][ALICE],
    }
    assert ask(VIEW, "txpool_contentFrom", "0x" + "00" * 20) == {"pending": {}, "queued": {}}
    assert refusal(VIEW, "txpool_contentFrom")[0] == -32602


def test_inspect() -> None:
    """A transaction is summed up in one line."""
    assert FIRST.to is not None
    summary = ask(VIEW, "txpool_inspect")
    target = encode_checksummed(FIRST.to)
    assert summary["pending"][ALICE] == {
        "0": f"{target}: 1 wei + 100000 gas × 2000000000 wei",
        "1": "contract creation: 1 wei + 100000 gas × 2000000000 wei",
    }
    assert list(summary["queued"][ALICE]) == ["5"]
