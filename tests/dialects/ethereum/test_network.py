from zlib import crc32

import pytest

from tests.dialects.ethereum.views import ask, make_view, refusal
from tests.strategies import make_chain

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


def test_config_of_a_real_network() -> None:
    """The fork schedule of a network that is only followed is not known."""
    assert refusal(make_view(development=False), "eth_config")[0] == -32004


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("eth_coinbase", "0x" + "00" * 20),
        ("eth_hashrate", "0x0"),
        ("eth_mining", False),
        ("eth_protocolVersion", "0x41"),
    ],
)
def test_dropped_methods(method: str, answer: object) -> None:
    """Methods that real nodes have dropped still work on a development chain."""
    assert ask(VIEW, method) == answer
