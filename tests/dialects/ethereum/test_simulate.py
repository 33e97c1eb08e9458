from typing import Any

import pytest

from tests.dialects.ethereum.asking import CHAIN_ID, ask, fault, make_view
from tests.strategies import make_block, make_chain, make_transaction
from twisted_chainws import errors
from twisted_chainws.dialects.ethereum.encode import encode_block
from twisted_chainws.dialects.ethereum.errors import fault_of
from twisted_chainws.dialects.ethereum.simulate import SIMULATE
from twisted_chainws.dialects.outcomes import Query
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import InvalidOverride, UnknownBlock

SIMULATION = SIMULATE["eth_simulateV1"]
A, B = "0x" + "01" * 20, "0x" + "02" * 20
WORD = "0x" + "03" * 32
NUMBER_FOR = "json: cannot unmarshal number into Go struct field"
REASON = "08c379a0" + f"{32:064x}" + f"{2:064x}" + b"no".hex().ljust(64, "0")
BLOCKS = make_chain(5)
VIEW = make_view(BLOCKS)
HEAD = f"0x{BLOCKS[-1].hash.hex()}"
SECOND = f"0x{BLOCKS[1].hash.hex()}"


def payload(*blocks: Any, **options: Any) -> dict[str, Any]:
    """Return what is to be simulated."""
    return {"blockStateCalls": list(blocks), **options}


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        (
            [payload({})],
            {"blocks": [{}], "transfers": False, "validation": False, "at": HEAD},
        ),
        (
            [payload({"calls": None}, traceTransfers=True, validation=True), "pending"],
            {"blocks": [{}], "transfers": True, "validation": True, "at": "pending"},
        ),
        (
            [
                payload(
                    {
                        "blockOverrides": {
                            "number": "0x9",
                            "time": "0xa",
                            "gasLimit": "0xb",
                            "feeRecipient": A,
                            "prevRandao": WORD,
                            "baseFeePerGas": "0xc",
                            "blobBaseFee": "0xd",
                            "beaconRoot": WORD,
                            "withdrawals": [{"index": "0x1", "address": B, "amount": "0x2"}, {}],
                            "unknown": 1,
                        },
                        "stateOverrides": {A: {"balance": "0x1", "state": {WORD: WORD}}},
                        "calls": [
                            {"to": B, "input": "0x00", "nonce": "0x3", "chainId": hex(CHAIN_ID)},
                            {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
                        ],
                    },
                    returnFullTransactions=True,
                ),
                "0x1",
            ],
            {
                "blocks": [
                    {
                        "blockOverrides": {
                            "number": "0x9",
                            "time": "0xa",
                            "gasLimit": "0xb",
                            "feeRecipient": A,
                            "prevRandao": WORD,
                            "baseFeePerGas": "0xc",
                            "blobBaseFee": "0xd",
                            "beaconRoot": WORD,
                            "withdrawals": [{"index": "0x1", "address": B, "amount": "0x2"}, {}],
                        },
                        "stateOverrides": {A: {"balance": "0x1", "state": {WORD: WORD}}},
                        "calls": [
                            {"to": B, "data": "0x00", "nonce": "0x3", "chainId": hex(CHAIN_ID)},
                            {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
                        ],
                    }
                ],
                "transfers": False,
                "validation": False,
                "at": SECOND,
            },
        ),
    ],
)
def test_the_source_hears_what_to_simulate(params: Any, sent: Any) -> None:
    """Calls and overrides are normalised, the selector becomes a hash."""
    result, calls = ask(SIMULATION, params, [], view=VIEW)
    assert result == []
    assert calls == [Query(method="simulate", params=sent)]


def test_a_block_is_shown_with_its_calls() -> None:
    """Members of a block, and of each call what it returned, logged, used, and why it failed."""
    topic, data = "0x" + "04" * 32, "0x" + REASON
    transactions: Any = [(make_transaction(nonce=nonce), []) for nonce in range(4)]
    block = make_block(BLOCKS[-1], transactions)
    used: dict[str, Any] = {"gas_used": 21_000, "gas_peak": 22_000, "logs": [], "output": "0x"}
    log = {"index": 7, "address": A, "topics": [topic], "data": "0x05"}
    ended: list[dict[str, Any]] = [
        used | {"output": "0x0102", "logs": [log]},
        used | {"revert": data},
        used | {"revert": "0x"},
        used | {"failure": "out of gas"},
    ]
    for full in (False, True):
        answer = [{"block": block, "calls": ended}]
        wanted = payload({}, returnFullTransactions=full)
        (shape,), _ = ask(SIMULATION, [wanted], answer, view=VIEW)
        good, *failed = shape.pop("calls")
        assert shape == encode_block(block, full=full)
        assert {name: value for name, value in good.items() if name != "logs"} == {
            "returnData": "0x0102",
            "gasUsed": "0x5208",
            "maxUsedGas": "0x55f0",
            "status": "0x1",
        }
        assert good["logs"] == [
            {
                "address": A,
                "topics": [topic],
                "data": "0x05",
                "blockNumber": hex(block.number),
                "transactionHash": f"0x{block.transactions[0].hash.hex()}",
                "transactionIndex": "0x0",
                "blockHash": f"0x{block.hash.hex()}",
                "blockTimestamp": hex(block.timestamp),
                "logIndex": "0x7",
                "removed": False,
            }
        ]
        assert {call["status"] for call in failed} == {"0x0"}
        assert [call["error"] for call in failed] == [
            {"message": "execution reverted: no", "code": 3, "data": data},
            {"message": "execution reverted", "code": 3, "data": "0x"},
            {"message": "out of gas", "code": -32015},
        ]


def _refusals() -> list[Any]:
    many: list[Any] = [{}] * 5_000
    return [
        ([payload()], -32602, "empty input"),
        ([{}], -32602, "empty input"),
        ([payload(*[{}] * 257)], -38026, "too many blocks"),
        ([payload({"calls": [{}] * 5_001})], -38026, "too many calls in block: 5001 > 5000"),
        ([payload(*[{"calls": many}] * 3)], -38026, "too many calls: 15000 > 10000"),
        ([], -32602, "missing value for required argument 0"),
        (
            [payload({"calls": [{"chainId": "0x1"}]})],
            -32000,
            f"chainId does not match node's (have=1, want={CHAIN_ID})",
        ),
        (
            [payload({"calls": [{"gasPrice": "0x1", "maxFeePerGas": "0x1"}]})],
            -32000,
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ),
        (
            [payload(validation=1)],
            -32602,
            f"invalid argument 0: {NUMBER_FOR} simOpts.validation of type bool",
        ),
    ]


@pytest.mark.parametrize(("params", "code", "text"), _refusals())
def test_what_cannot_be_simulated_is_refused(params: Any, code: int, text: str) -> None:
    """Sizes and shapes are checked before the source is asked."""
    found = fault(SIMULATION, params, VIEW)
    assert (found.code, found.message) == (code, text)


def test_the_largest_simulations_are_passed_on() -> None:
    """The limits themselves are allowed."""
    calls: list[Any] = [{"calls": [{}] * 5_000}] * 2 + [{}] * 254
    _, (query,) = ask(SIMULATION, [payload(*calls)], [], view=VIEW)
    assert isinstance(query, Query)
    assert len(query.params["blocks"]) == 256


def test_contradictions_and_unknown_blocks_are_errors() -> None:
    """State is replaced or patched; the block must exist."""
    both: Any = {"stateOverrides": {A: {"state": {}, "stateDiff": {}}}}
    with pytest.raises(InvalidOverride):
        SIMULATION(VIEW, [payload(both)])
    with pytest.raises(UnknownBlock):
        SIMULATION(VIEW, [payload({}), "0x99"])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.SimulationRefused, -32603),
        (errors.SimulatedTipAboveFeeCap, -32602),
        (errors.SimulatedNonceTooLow, -38010),
        (errors.SimulatedNonceTooHigh, -38011),
        (errors.SimulatedFeeCapTooLow, -38012),
        (errors.SimulatedGasTooLow, -38013),
        (errors.SimulatedFundsTooLow, -38014),
        (errors.SimulatedBlockFull, -38015),
        (errors.SimulatedNumberOrder, -38020),
        (errors.SimulatedTimeOrder, -38021),
        (errors.SimulatedInitCodeTooLarge, -38025),
        (errors.SimulationTooLarge, -38026),
    ],
)
@pytest.mark.parametrize("profile", Profile)
def test_each_refusal_has_its_code(
    kind: type[errors.SimulationRefused], code: int, profile: Profile
) -> None:
    """The text is the engine's."""
    found = fault_of(kind(reason="so it is"), profile)
    assert (found.code, found.message, found.data) == (code, "so it is", None)
