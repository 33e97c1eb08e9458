import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.client.errors import RpcError
from twisted_chainws.client.ethereum.ranges import LogRanges, narrower

SUGGESTING = (
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and "
    "no limit on the response size, or you can request any block range with a cap of 10K logs in "
    "the response. Based on your parameters and the response size limit, this block range should "
    "work: [{}, {}]"
)
TOO_MUCH = RpcError(-32005, "query returned more than 10000 results")


@given(
    first=st.integers(0, 500),
    size=st.integers(0, 500),
    widest=st.integers(1, 300),
    takes=st.integers(1, 300),
)
def test_each_block_is_asked_for_once(first: int, size: int, widest: int, takes: int) -> None:
    """Whatever a server takes, the answered pieces are the range, in order, without overlap."""
    ranges = LogRanges(first, first + size - 1, widest)
    answered: list[int] = []
    while (piece := ranges.next()) is not None:
        low, high = piece
        assert 1 <= high - low + 1 <= widest
        if high - low + 1 > takes:
            assert ranges.refused(TOO_MUCH)
        else:
            answered += range(low, high + 1)
            ranges.done()
    assert answered == list(range(first, first + size))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32005, "query returned more than 10000 results"),
        (-32005, "limit exceeded"),
        (-32003, "response too large"),
        (-32602, "Log response size exceeded. You can make eth_getLogs requests with …"),
        (-32602, "exceed maximum block range 1000"),
        (-32602, "block range extends the limit"),
        (-32000, "Query timeout exceeded. Consider reducing your block range."),
        (-32600, "you can make eth_getLogs requests with up to a 10 block range"),
        (-32000, "query exceeds max results 20000, retry with the range 1-2"),
        (-32614, "eth_getLogs is limited to a 10,000 range, block range too large"),
        (None, "too many results"),
        (-32005, "no"),
        (-32003, "no"),
    ],
)
def test_refusals_for_width(code: int | None, message: str) -> None:
    """What providers say of a range that is too wide halves it."""
    assert narrower(RpcError(code, message), 100, 199) == 149


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "header not found"),
        (-32602, "invalid argument 0: hex string without 0x prefix"),
        (-32601, "the method eth_getLogs does not exist/is not available"),
        (429, "compute units per second"),
        (None, ""),
    ],
)
def test_other_refusals(code: int | None, message: str) -> None:
    """Other errors are not about the width."""
    ranges = LogRanges(1, 9, 100)
    assert not ranges.refused(RpcError(code, message))
    assert ranges.next() == (1, 9)


@pytest.mark.parametrize(
    ("low", "high", "last"),
    [
        ("0x64", "0x6e", 110),
        ("0x60", "0x6e", 110),
        ("0x64", "0xc7", 149),  # no smaller than what was refused
        ("0x64", "0xfff", 149),
        ("0x70", "0x7a", 149),  # does not begin where we do
        ("0x1", "0x2", 149),
    ],
)
def test_suggestions(low: str, high: str, last: int) -> None:
    """A range that a server suggests is taken if it is of use, and halved otherwise."""
    assert narrower(RpcError(-32602, SUGGESTING.format(low, high)), 100, 199) == last


def test_one_block_cannot_be_cut() -> None:
    """A single block that is refused stays so."""
    assert narrower(TOO_MUCH, 7, 7) is None
    assert narrower(TOO_MUCH, 7, 8) == 7
