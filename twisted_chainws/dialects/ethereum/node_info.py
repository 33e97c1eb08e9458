"""What a development node says about itself: ``nodeInfo`` and ``metadata``. Sans-I/O.

Source: ``ethereum.md`` 5.10 (anvil 1.7.1, observed; EDR 0.18).
"""

from collections.abc import Mapping
from typing import Any, Final

from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.ethereum.encode import encode_quantity
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import Profile, View

_TAKEN_FOR_ANVIL: Final = frozenset({Profile.SUPERSET, Profile.ANVIL})


def node_name(own: str, profile: Profile) -> str:
    """Return what a development node answers to ``web3_clientVersion``.

    Tools look at how it begins before they use development methods: Hardhat's network helpers
    want ``HardhatNetwork``, ``zkSync`` or ``anvil``.

    Args:
        own: name and version, with a slash between them.
        profile: those that have the names of anvil and its like say that they are it.

    Source: @nomicfoundation/hardhat-network-helpers 1.1, ``src/utils.ts``.
    """
    if profile not in _TAKEN_FOR_ANVIL:
        return own
    name, *version = own.split("/")
    return "/".join(("anvil", *version, name))


@takes()
def node_info(_view: View) -> Json:
    """Answer ``anvil_nodeInfo``."""
    return ask("node_info", {}, _node_info)


def _node_info(node: Mapping[str, Any]) -> Json:
    return {
        "currentBlockNumber": encode_quantity(node["number"]),
        "currentBlockTimestamp": node["timestamp"],
        "currentBlockHash": node["hash"],
        "hardFork": node["hardfork"],
        "transactionOrder": "fees",
        "environment": {
            "baseFee": node["base_fee"],
            "chainId": node["chain_id"],
            "gasLimit": encode_quantity(node["gas_limit"]),
            "gasPrice": node["gas_price"],
        },
        "forkConfig": {"forkUrl": None, "forkBlockNumber": None, "forkRetryBackoff": None},
    }


def _metadata(view: View, node: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "clientVersion": view.settings.client_version,
        "chainId": node["chain_id"],
        "instanceId": node["instance"],
        "latestBlockNumber": node["number"],
        "latestBlockHash": node["hash"],
    }


@takes()
def anvil_metadata(view: View) -> Json:
    """Answer ``anvil_metadata``."""
    # "chainws/1.2.3" and "chainws/v1.2.3-x/linux": the version is the second part.
    version = view.settings.client_version.split("/")[1:2]

    def show(node: Mapping[str, Any]) -> Json:
        return _metadata(view, node) | {
            "clientSemver": version[0].removeprefix("v") if version else None,
            "clientCommitSha": None,
            "forkedNetwork": None,
            "snapshots": {
                name: [place["number"], place["hash"]] for name, place in node["snapshots"].items()
            },
        }

    return ask("node_info", {}, show)


@takes()
def hardhat_metadata(view: View) -> Json:
    """Answer ``hardhat_metadata``."""
    return ask("node_info", {}, lambda node: _metadata(view, node))


NODE_INFO: Final[Mapping[str, Handler]] = {
    "anvil_nodeInfo": node_info,
    "anvil_metadata": anvil_metadata,
    "hardhat_metadata": hardhat_metadata,
}
"""Methods that describe the node."""
