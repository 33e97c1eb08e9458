from zlib import crc32

import pytest

from tests.dialects.ethereum.views import ask, hex_of, make_view, refusal
from tests.strategies import make_chain
from twisted_chainws.dialects.base import Query

CHAIN = make_chain(3)
VIEW = make_view(CHAIN)


def test_config() -> None:
    """A development chain is on its only fork from genesis."""
    config = ask(VIEW, "eth_config")
    assert config["next"] is config["last"] is None
    current = config["current"]
    assert list(current) == [
        "activationTime", "blobSchedule", "chainId", "forkId", "precompiles", "systemContracts",
    ]  # fmt: skip
    assert current["activationTime"] == 0
    assert current["blobSchedule"] == {"target": 6, "max": 9, "baseFeeUpdateFraction": 5_007_716}
    assert current["chainId"] == "0x7a69"
    assert current["forkId"] == f"0x{crc32(CHAIN[0].hash):08x}"
    assert current["precompiles"]["ECREC"] == "0x" + "01".rjust(40, "0")
    assert current["precompiles"]["BLS12_MAP_FP2_TO_G2"] == "0x" + "11".rjust(40, "0")
    assert current["systemContracts"].keys() == {"BEACON_ROOTS_ADDRESS", "HISTORY_STORAGE_ADDRESS"}


@pytest.mark.parametrize("method", ["eth_config", "eth_capabilities"])
def test_a_real_network(method: str) -> None:
    """Fork schedule and retention of a network that is only followed are not known."""
    assert refusal(make_view(development=False), method)[0] == -32004


def test_capabilities() -> None:
    """Every resource reaches back to the oldest block that is kept."""
    blocks = make_chain(9)
    answer = ask(make_view(blocks, history=4), "eth_capabilities")
    assert answer.pop("head") == {"number": "0x8", "hash": hex_of(blocks[8].hash)}
    assert answer.keys() == {"state", "tx", "logs", "receipts", "blocks", "stateproofs"}
    oldest = make_view(blocks, history=4).chain.oldest.number
    assert oldest > 0
    assert all(kept == {"disabled": False, "oldestBlock": hex(oldest)} for kept in answer.values())


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("eth_hashrate", "0x0"),
        ("eth_mining", False),
        ("eth_protocolVersion", "0x41"),
    ],
)
def test_dropped_methods(method: str, answer: object) -> None:
    """Methods that real nodes have dropped still work on a development chain."""
    assert ask(VIEW, method) == answer


def test_coinbase_is_of_the_next_block() -> None:
    """What was commanded counts before a block has been made with it."""
    address = "0x" + "ab" * 20
    question = ask(VIEW, "eth_coinbase")
    assert question.call == Query(method="node_info", params={})
    assert question.then({"coinbase": address}) == address
