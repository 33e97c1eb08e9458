from zlib import crc32

import pytest

from tests.dialects.ethereum.views import ask, hex_of, make_view, refusal
from tests.strategies import make_chain
from twisted_chainws.chain.forks import BlobParameters, Fork, ForkSchedule
from twisted_chainws.dialects.outcomes import Query

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


def _fork(name: str, rules: str, start: int, *, timed: bool = True) -> Fork:
    blobs = BlobParameters(target=3, most=6, fraction=start + 1) if timed else None
    return Fork(name=name, rules=rules, start=start, timed=timed, blobs=blobs)


SCHEDULE = ForkSchedule(
    forks=(
        _fork("homestead", "homestead", 0, timed=False),
        _fork("paris", "paris", 1, timed=False),
        _fork("cancun", "cancun", CHAIN[2].timestamp),
        _fork("prague", "prague", CHAIN[2].timestamp + 50),
        _fork("bpo1", "osaka", CHAIN[2].timestamp + 90),
    ),
    deposit_contract=b"\x07" * 20,
    requests=True,
)


def test_config_of_a_schedule() -> None:
    """The fork of the head is the current one; the one after it and the last one are told, too."""
    config = ask(make_view(CHAIN, forks=SCHEDULE), "eth_config")
    now = CHAIN[2].timestamp
    assert [config[name]["activationTime"] for name in config] == [now, now + 50, now + 90]
    fractions = [config[name]["blobSchedule"]["baseFeeUpdateFraction"] for name in config]
    assert fractions == [now + 1, now + 51, now + 91]
    assert [len(config[name]["precompiles"]) for name in config] == [10, 17, 18]
    assert [len(config[name]["systemContracts"]) for name in config] == [1, 5, 5]
    assert config["last"]["systemContracts"]["DEPOSIT_CONTRACT_ADDRESS"] == "0x" + "07" * 20
    starts = b"".join(start.to_bytes(8, "big") for start in (1, now))
    assert config["current"]["forkId"] == f"0x{crc32(CHAIN[0].hash + starts):08x}"


def test_config_before_cancun() -> None:
    """Rules without blobs are older than what the method describes."""
    view = make_view(CHAIN[:2], forks=SCHEDULE)
    assert refusal(view, "eth_config")[0] == -32004


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
