"""Genesis files of go-ethereum: what they say, and what is wrong with others."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.published import GENESIS_FILE, published_genesis
from twisted_chainws.chain.forks import CANCUN_BLOBS, DEVELOPMENT, PRAGUE_BLOBS, BlobParameters
from twisted_chainws.sources.devchain.genesis import (
    GenesisAccount,
    decode_forks,
    encode_forks,
    read_genesis,
    read_genesis_file,
)

MERGED: dict[str, Any] = {
    "chainId": 5,
    **dict.fromkeys(
        (
            "homesteadBlock",
            "eip150Block",
            "eip155Block",
            "eip158Block",
            "byzantiumBlock",
            "constantinopleBlock",
            "istanbulBlock",
            "berlinBlock",
            "londonBlock",
        ),
        0,
    ),
    "terminalTotalDifficulty": 0,
    "shanghaiTime": 0,
    "cancunTime": 0,
    "pragueTime": 0,
}


def text(config: dict[str, Any] | None = None, **members: Any) -> str:
    """Return a genesis file with some members; a None takes one out of its configuration."""
    kept = {name: value for name, value in (MERGED | (config or {})).items() if value is not None}
    document = {"config": kept, "alloc": {}, "gasLimit": "0x1c9c380"}
    return json.dumps(document | members)


def names(config: dict[str, Any] | None = None) -> list[str]:
    """Return the forks of a configuration by name."""
    return [fork.name for fork in read_genesis(text(config)).forks.forks]


def test_the_published_file() -> None:
    """Chain id, header fields, forks with their blobs, and the accounts are as published."""
    genesis = published_genesis()
    assert genesis.chain_id == 3503995874084926
    assert genesis.extra_data == b"hivechain"
    assert (genesis.difficulty, genesis.gas_limit, genesis.timestamp) == (0x20000, 10**8, 0)
    assert genesis.complete
    forks = genesis.forks.forks
    assert len(forks) == 19
    assert (forks[0].name, forks[0].start) == ("homestead", 0)
    assert (forks[12].name, forks[12].start, forks[12].timed) == ("paris", 36, False)
    assert (forks[18].name, forks[18].rules, forks[18].start) == ("bpo2", "osaka", 540)
    assert forks[18].blobs == BlobParameters(target=14, most=21, fraction=11_684_671)
    assert genesis.forks.deposit_contract == bytes(20)
    assert len(genesis.accounts) == 27
    kept = genesis.accounts[bytes.fromhex("8bebc8ba651aee624937e7d897853ac30c95a067")]
    assert kept.nonce == kept.balance == 1
    assert kept.storage == {1: 1, 2: 2, 3: 3}


def test_accounts_and_numbers_in_every_spelling() -> None:
    """Names with and without 0x, numbers as hex, decimal digits or JSON numbers."""
    alloc = {
        "0x" + "11" * 20: {"balance": "0x10", "code": "0x6001", "storage": {"0x1": "0x2"}},
        "22" * 20: {"balance": "17", "nonce": 3},
    }
    genesis = read_genesis(text(alloc=alloc, timestamp=9, baseFeePerGas="7", nonce="0x42"))
    assert genesis.accounts == {
        b"\x11" * 20: GenesisAccount(balance=16, code=b"\x60\x01", storage={1: 2}),
        b"\x22" * 20: GenesisAccount(balance=17, nonce=3),
    }
    assert (genesis.timestamp, genesis.base_fee, genesis.nonce) == (9, 7, bytes(7) + b"\x42")


def test_forks_of_a_chain_of_stake() -> None:
    """Without a total difficulty the Merge is at genesis; forks of the bomb may be left out."""
    assert names()[-5:] == ["london", "paris", "shanghai", "cancun", "prague"]
    assert "petersburg" in names()
    blobs = {fork.name: fork.blobs for fork in read_genesis(text()).forks.forks}
    assert blobs["shanghai"] is None
    assert (blobs["cancun"], blobs["prague"]) == (CANCUN_BLOBS, PRAGUE_BLOBS)


def test_a_chain_without_forks_is_frontier() -> None:
    """What is not scheduled does not happen; a chain that begins later begins as Frontier."""
    bare = dict.fromkeys(MERGED) | {"chainId": 1}
    assert names(bare) == ["frontier"]
    later = bare | {"homesteadBlock": 5}
    assert names(later) == ["frontier", "homestead"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"chainId": None}, "config.chainId: expected a number below 2^64"),
        ({"chainId": -1}, "config.chainId: expected a number below 2^64, got -1"),
        ({"chainId": True}, "config.chainId: expected a number below 2^64, got True"),
        ({"chainId": "five"}, "config.chainId: expected a number below 2^64, got 'five'"),
        ({"clique": {}}, "config.clique: expected a chain of work or of stake, got {}"),
        ({"daoForkBlock": 2}, "config.daoForkBlock: expected a chain without the DAO fork, got 2"),
        ({"amsterdamTime": 1}, "config.amsterdamTime: expected rules up to Osaka, got 1"),
        ({"eip155Block": 1}, "config.eip155Block: expected the same block as eip158Block, got 1"),
        (
            {"berlinBlock": None},
            "config.berlinBlock: expected a block number, because there is londonBlock",
        ),
        (
            {"istanbulBlock": 3},
            "config.berlinBlock: expected a block number of at least 3, got 0",
        ),
        (
            {"terminalTotalDifficulty": 9},
            "config.mergeNetsplitBlock: expected the first block after terminalTotalDifficulty",
        ),
        (
            {"terminalTotalDifficulty": None},
            "config.mergeNetsplitBlock: expected a value, because there is shanghaiTime",
        ),
        (
            {"cancunTime": None},
            "config.cancunTime: expected a value, because there is pragueTime",
        ),
        ({"shanghaiTime": 4}, "config.cancunTime: expected a time of at least 4, got 0"),
        (
            {"osakaTime": 0, "bpo1Time": 0},
            "config.blobSchedule.bpo1: expected the blob parameters of this fork",
        ),
        (
            {"blobSchedule": {"cancun": {"target": 9, "max": 6, "baseFeeUpdateFraction": 1}}},
            "config.blobSchedule.cancun: expected a target of at most max",
        ),
        ({"blobSchedule": {"cancun": 5}}, "config.blobSchedule.cancun: expected an object, got 5"),
        ({"depositContractAddress": "0x11"}, "config.depositContractAddress: expected 20 bytes"),
    ],
)
def test_mistakes_in_the_configuration(config: dict[str, Any], reason: str) -> None:
    """Each one names the member and what was expected there."""
    with pytest.raises(ValueError, match="config") as caught:
        read_genesis(text(config))
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"config": 1}, "config: expected an object, got 1"),
        ({"gasLimit": None}, "gasLimit: expected a number below 2^64, got None"),
        ({"number": 5}, "number: expected a first block"),
        ({"coinbase": "0x1"}, "coinbase: expected 20 bytes as hex, got '0x1'"),
        ({"extraData": "zz"}, "extraData: expected hex, got 'zz'"),
        ({"extraData": 5}, "extraData: expected hex, got 5"),
        ({"alloc": {"0x11": {}}}, "alloc.0x11: expected an address of 20 bytes as the name"),
        ({"alloc": {"zz": {}}}, "alloc.zz: expected an address of 20 bytes as the name"),
        (
            {"alloc": {"11" * 20: {"storage": {"0x" + "11" * 33: "0x01"}}}},
            f"alloc.{'11' * 20}.storage.0x{'11' * 33}: expected slot and word",
        ),
        ({"alloc": {"11" * 20: {"storage": {"": "0x"}}}}, f"alloc.{'11' * 20}.storage.: expected"),
        ({"alloc": {"11" * 20: {"storage": {"1": 2}}}}, f"alloc.{'11' * 20}.storage.1: expected"),
    ],
)
def test_mistakes_in_the_block(members: dict[str, Any], reason: str) -> None:
    """Each one names the member and what was expected there."""
    document = json.loads(text()) | members
    with pytest.raises(ValueError, match="expected") as caught:
        read_genesis(json.dumps(document))
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("content", [b"", b"[]", b"5", b"\xff\x00"])
def test_no_json_object(content: bytes, tmp_path: Path) -> None:
    """What is no JSON object at all is refused in one line that names the file."""
    file = tmp_path / "genesis.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="expected") as caught:
        read_genesis_file(str(file))
    assert str(caught.value).startswith(f"genesis {file}: expected ")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The system's reason is told."""
    with pytest.raises(ValueError, match="cannot read it: No such file"):
        read_genesis_file(str(tmp_path / "absent"))
    assert read_genesis_file(str(GENESIS_FILE)) == published_genesis()


def test_a_schedule_survives_its_encoding() -> None:
    """Forks read back as they were, through JSON."""
    for forks in (DEVELOPMENT, published_genesis().forks):
        assert decode_forks(json.loads(json.dumps(encode_forks(forks)))) == forks
