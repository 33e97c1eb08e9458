from tests.strategies import make_chain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Seq
from twisted_chainws.dialects.ethereum.projection import EthereumLedger

MADE: list[int] = []


def number_text(block: Block) -> bytes:
    """Write a number and note that it was written."""
    MADE.append(block.number)
    return b"%d" % block.number


def number(block: Block) -> int:
    """Count and note that it was counted."""
    MADE.append(block.number)
    return block.number


def test_texts_are_made_once() -> None:
    """A text is made when it is first asked for and kept."""
    MADE.clear()
    ledger, block = EthereumLedger(), make_chain(4)[3]
    assert ledger.text(block, number_text) == ledger.text(block, number_text) == b"3"
    assert MADE == [3]


def test_oldest_texts_go_first() -> None:
    """Over the bound, the text that was not used for longest is dropped."""
    MADE.clear()
    ledger, blocks = EthereumLedger(max_bytes=2), make_chain(3)
    for block in (blocks[0], blocks[1], blocks[0], blocks[2], blocks[0], blocks[1]):
        ledger.text(block, number_text)
    assert MADE == [0, 1, 2, 1]


def test_figures_are_kept_and_bounded() -> None:
    """Figures are made once, and the bound counts them."""
    MADE.clear()
    ledger, blocks = EthereumLedger(max_figures=1), make_chain(2)
    assert [ledger.figure(block, number) for block in (*blocks, blocks[1], blocks[0])] == [
        0, 1, 1, 0,
    ]  # fmt: skip
    assert MADE == [0, 1, 0]


def test_a_reorganisation_leaves_texts_true() -> None:
    """Undone and new blocks have texts of their own, however the chain moves."""
    ledger, old, new = EthereumLedger(), make_chain(2)[1], make_chain(2, salt="new")[1]
    ledger.text(old, number_text)
    ledger.apply(Advance(seq=Seq(1), undone=(old,), applied=(new,)))
    assert ledger.text(new, number_text) == b"1"
    ledger.apply(Advance(seq=Seq(2), undone=(new,), applied=(old,)))
    assert ledger.text(old, number_text) == b"1"
