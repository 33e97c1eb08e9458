from typing import Any

import pytest

from tests.dialects.ethereum.asking import ask, fault, make_view
from tests.strategies import hash32, make_chain
from twisted_chainws.dialects.ethereum.development import DEVELOPMENT, REWIND
from twisted_chainws.dialects.ethereum.encode import encode_block
from twisted_chainws.dialects.ethereum.reads import READS
from twisted_chainws.dialects.outcomes import Query, Refused
from twisted_chainws.errors import InvalidReorg

A = "0x" + "01" * 20
WORD = "0x" + "03" * 32


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ([], {}),
        (None, {}),
        ([None], {}),
        ([1_800_000_000], {"timestamp": 1_800_000_000}),
        (["0x10"], {"timestamp": 16}),
        ([{"timestamp": 5, "blocks": "0x2"}], {"timestamp": 5, "count": 2}),
        ([{"blocks": 2}], {"count": 2}),
        ([{"timestamp": "5", "blocks": None}], {"timestamp": 5}),
        ([{}], {}),
    ],
)
def test_mining_takes_a_moment_or_an_object(params: Any, sent: Any) -> None:
    """Each member may be left out."""
    result, calls = ask(DEVELOPMENT["evm_mine"], params, {"hashes": [WORD]})
    assert result == "0x0"
    assert calls == [Query(method="mine", params=sent)]


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ([], {}),
        ([3], {"count": 3}),
        ([3, "0xa"], {"count": 3, "interval_s": 10, "leap": True}),
        ([None, 0], {"interval_s": 0, "leap": True}),
    ],
)
def test_anvil_mines_at_intervals_from_the_head(params: Any, sent: Any) -> None:
    """An interval counts before the first block, too."""
    result, calls = ask(DEVELOPMENT["anvil_mine"], params, {"hashes": [WORD]})
    assert result is None
    assert calls == [Query(method="mine", params=sent)]


@pytest.mark.parametrize("method", ["anvil_mine_detailed", "evm_mine_detailed"])
def test_mined_blocks_are_shown_whole(method: str) -> None:
    """By the time of the answer the chain has them; what has left it again is left out."""
    blocks = make_chain(3)
    gone = hash32("gone")
    answer = {"hashes": [f"0x{each.hex()}" for each in (blocks[1].hash, gone, blocks[2].hash)]}
    result, calls = ask(DEVELOPMENT[method], [{"blocks": 3}], answer, view=make_view(blocks))
    assert calls == [Query(method="mine", params={"count": 3})]
    assert result == [encode_block(block, full=True) for block in blocks[1:]]


def test_hardhat_sets_nonces_upwards_only() -> None:
    """It looks first, then sets."""
    view = make_view()
    at = f"0x{view.chain.head.hash.hex()}"
    result, calls = ask(DEVELOPMENT["hardhat_setNonce"], [A, 7], "0x7", None, view=view)
    assert result is True
    assert calls == [
        Query(method="nonce", params={"address": A, "at": at}),
        Query(method="set_nonce", params={"address": A, "nonce": "0x7"}),
    ]
    with pytest.raises(Refused) as caught:
        ask(DEVELOPMENT["hardhat_setNonce"], [A, 6], "0x7")
    assert caught.value.fault.message == (
        "New nonce (6) must not be smaller than the existing nonce (7)"
    )


@pytest.mark.parametrize(("answer", "expected"), [(True, True), (False, False), (None, False)])
def test_removing_the_timestamp_interval_tells_whether_there_was_one(
    answer: Any, expected: bool
) -> None:
    """An interval of null is none."""
    result, calls = ask(DEVELOPMENT["anvil_removeBlockTimestampInterval"], [], answer)
    assert result is expected
    assert calls == [Query(method="set_timestamp_interval", params={"seconds": None})]


def test_the_view_follows_the_chain_id() -> None:
    """It changes once the source has agreed."""
    view = make_view()
    result, calls = ask(DEVELOPMENT["anvil_setChainId"], ["0x539"], None, view=view)
    assert result is None
    assert calls == [Query(method="set_chain_id", params={"chain_id": 1337})]
    assert view.chain.chain_id == 1337
    assert READS["net_version"](view, []) == "1337"


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ([3], {"depth": 3, "transactions": []}),
        (["0x3", []], {"depth": 3, "transactions": []}),
        (
            [2, [["0xAB", 0], [{"from": A, "to": A, "input": "0xCD"}, "1"]]],
            {
                "depth": 2,
                "transactions": [["0xab", 0], [{"from": A, "to": A, "data": "0xcd"}, 1]],
            },
        ),
    ],
)
def test_reorgs_take_raw_and_described_transactions(params: Any, sent: Any) -> None:
    """Each stands with the new block that is to hold it, counted from 0."""
    result, calls = ask(DEVELOPMENT["anvil_reorg"], params, {"hashes": []})
    assert result is None
    assert calls == [Query(method="reorg", params=sent)]


def test_reorg_transactions_must_fit_the_new_blocks() -> None:
    """An offset counts from the first new block."""
    with pytest.raises(InvalidReorg) as caught:
        DEVELOPMENT["anvil_reorg"](make_view(), [2, [["0x02", 2]]])
    assert caught.value.reason == (
        "Block number for reorg tx will exceed the reorged chain height. "
        "Block number 2 must not exceed (depth-1) 1"
    )


def test_the_head_is_set_backwards_only() -> None:
    """Going back is a rollback by the difference."""
    result, calls = ask(REWIND["debug_setHead"], ["0x1"], {"hashes": []}, view=make_view())
    assert result is None
    assert calls == [Query(method="rollback", params={"depth": 3})]
    for number in ("0x4", "0x5"):
        refusal = fault(REWIND["debug_setHead"], [number])
        assert (refusal.code, refusal.message) == (
            -32000,
            "not allowed to rewind to a future block",
        )


@pytest.mark.parametrize("params", [[], None, [None], [{}], [{"forking": None}]])
@pytest.mark.parametrize(("method", "expected"), [("anvil_reset", None), ("hardhat_reset", True)])
def test_reset_returns_to_genesis(method: str, expected: Any, params: Any) -> None:
    """Nothing but a fork can be asked for; the chain id is the first one again."""
    view = make_view()
    view.chain.chain_id = 1
    node = {"chain_id": 31337}
    result, calls = ask(DEVELOPMENT[method], params, None, node, view=view)
    assert result is expected
    assert calls == [Query(method="reset", params={}), Query(method="node_info", params={})]
    assert view.chain.chain_id == 31337


@pytest.mark.parametrize(
    ("method", "expected"),
    [("anvil_setLoggingEnabled", None), ("hardhat_setLoggingEnabled", True)],
)
def test_there_is_no_logging_to_switch(method: str, expected: Any) -> None:
    """The command is accepted; requests are not logged either way."""
    assert ask(DEVELOPMENT[method], [False]) == (expected, [])


PAIR = "invalid argument 1: expected pairs of a transaction and a block offset"


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("anvil_reset", [{"forking": {}}], "forking is not supported by this engine"),
        (
            "hardhat_reset",
            [{"forking": {"jsonRpcUrl": "http://localhost"}}],
            "forking is not supported by this engine",
        ),
        (
            "anvil_reset",
            ["x"],
            "invalid argument 0: json: cannot unmarshal string into Go value of type Forking",
        ),
        (
            "anvil_setMinGasPrice",
            [1],
            "anvil_setMinGasPrice is not supported when EIP-1559 is active",
        ),
        (
            "hardhat_setMinGasPrice",
            ["0x0"],
            "anvil_setMinGasPrice is not supported when EIP-1559 is active",
        ),
        ("anvil_setMinGasPrice", [], "missing value for required argument 0"),
        ("anvil_reorg", [], "missing value for required argument 0"),
        (
            "anvil_reorg",
            [1, {}],
            "invalid argument 1: json: cannot unmarshal object into Go value of type []pair",
        ),
        ("anvil_reorg", [1, [{}]], PAIR),
        ("anvil_reorg", [1, [["0x"]]], PAIR),
        (
            "anvil_reorg",
            [1, [["0x", "x"]]],
            "invalid argument 1: invalid number, want an integer of at most 53 bits",
        ),
        (
            "evm_mine",
            ["now"],
            "invalid argument 0: invalid number, want an integer of at most 53 bits",
        ),
    ],
)
def test_wrong_parameters_are_refused(method: str, params: Any, text: str) -> None:
    """Nothing reaches the source."""
    refusal = fault(DEVELOPMENT[method], params)
    assert (refusal.code, refusal.message) == (-32602, text)
