from typing import Any

import pytest

from tests.dialects.ethereum.asking import ask, make_view
from twisted_chainws.dialects.ethereum.node_info import NODE_INFO, node_name
from twisted_chainws.dialects.outcomes import Query
from twisted_chainws.dialects.view import Profile

HEAD = "0x" + "04" * 32
INSTANCE = "0x" + "05" * 32
NODE = {
    "number": 2,
    "timestamp": 1_800_000_000,
    "hash": HEAD,
    "hardfork": "prague",
    "chain_id": 31337,
    "base_fee": "0x64",
    "gas_limit": 30_000_000,
    "gas_price": "0x65",
    "instance": INSTANCE,
    "snapshots": {"0x0": {"number": 1, "hash": HEAD}},
}
COMMON = {
    "chainId": 31337,
    "instanceId": INSTANCE,
    "latestBlockNumber": 2,
    "latestBlockHash": HEAD,
}


def test_node_info_describes_the_next_block() -> None:
    """The members are anvil's."""
    result, calls = ask(NODE_INFO["anvil_nodeInfo"], [], NODE)
    assert calls == [Query(method="node_info", params={})]
    assert result == {
        "currentBlockNumber": "0x2",
        "currentBlockTimestamp": 1_800_000_000,
        "currentBlockHash": HEAD,
        "hardFork": "prague",
        "transactionOrder": "fees",
        "environment": {
            "baseFee": "0x64",
            "chainId": 31337,
            "gasLimit": "0x1c9c380",
            "gasPrice": "0x65",
        },
        "forkConfig": {"forkUrl": None, "forkBlockNumber": None, "forkRetryBackoff": None},
    }


@pytest.mark.parametrize(
    ("version", "expected"),
    [("chainws/v1.2.3/linux", "1.2.3"), ("chainws/0.1.0", "0.1.0"), ("chainws", None)],
)
def test_anvils_metadata_takes_the_version_apart(version: str, expected: Any) -> None:
    """The second part of the client version is the number."""
    view = make_view(client_version=version)
    result, calls = ask(NODE_INFO["anvil_metadata"], [], NODE, view=view)
    assert calls == [Query(method="node_info", params={})]
    assert result == COMMON | {
        "clientVersion": version,
        "clientSemver": expected,
        "clientCommitSha": None,
        "forkedNetwork": None,
        "snapshots": {"0x0": [1, HEAD]},
    }


@pytest.mark.parametrize(
    ("profile", "own", "expected"),
    [
        (Profile.SUPERSET, "chainws/v1.2.3", "anvil/v1.2.3/chainws"),
        (Profile.ANVIL, "chainws/v1.2.3/linux", "anvil/v1.2.3/linux/chainws"),
        (Profile.ANVIL, "chainws", "anvil/chainws"),
        (Profile.GETH, "chainws/v1.2.3", "chainws/v1.2.3"),
        (Profile.ALCHEMY, "chainws/v1.2.3", "chainws/v1.2.3"),
        (Profile.TOKENVIEW, "chainws/v1.2.3", "chainws/v1.2.3"),
    ],
)
def test_development_tools_find_the_name_that_they_look_for(
    profile: Profile, own: str, expected: str
) -> None:
    """A node with the methods of anvil is called so; the version stays the second part."""
    assert node_name(own, profile) == expected


def test_hardhats_metadata_is_shorter() -> None:
    """A node that forks nothing has no forked network."""
    result, _ = ask(NODE_INFO["hardhat_metadata"], [], NODE)
    assert result == COMMON | {"clientVersion": "chainws/v1.2.3/linux"}
