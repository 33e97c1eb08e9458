"""Handlers that describe the network and the node's own role in it. Sans-I/O.

Source: EIP-7910 (``eth_config``); execution-apis ``src/schemas/capabilities.yaml``, 5eb4986;
EIP-2124 and EIP-6122 (fork hash); ``ethereum.md`` 5.3.
"""

from collections.abc import Mapping
from typing import Any, Final
from zlib import crc32

from twisted_chainws.chain.model import Block
from twisted_chainws.dialects.base import Handler, Json, View
from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_data, encode_quantity
from twisted_chainws.dialects.ethereum.fees import PRAGUE_BLOBS
from twisted_chainws.dialects.ethereum.reads import with_block
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.errors import Unsupported

PRECOMPILES: Final = (
    "ECREC",
    "SHA256",
    "RIPEMD160",
    "ID",
    "MODEXP",
    "BN254_ADD",
    "BN254_MUL",
    "BN254_PAIRING",
    "BLAKE2F",
    "KZG_POINT_EVALUATION",
    "BLS12_G1ADD",
    "BLS12_G1MSM",
    "BLS12_G2ADD",
    "BLS12_G2MSM",
    "BLS12_PAIRING_CHECK",
    "BLS12_MAP_FP_TO_G1",
    "BLS12_MAP_FP2_TO_G2",
)
"""Of Prague, at the addresses 1, 2, 3 …"""

SYSTEM_CONTRACTS: Final[Mapping[str, str]] = {
    "BEACON_ROOTS_ADDRESS": "0x000f3df6d732807ef1319fb7b8bb8522d0beac02",
    "HISTORY_STORAGE_ADDRESS": "0x0000f90827f1c53a10cb7a02335b175320002935",
}
"""By the names of EIP-7910, what a development chain has of Prague's: validator requests are not
made there, so their contracts are absent."""


@takes()
def config(view: View) -> Json:
    """Answer ``eth_config``; a development chain is on its only fork from genesis.

    Raises:
        Unsupported: the chain comes from nodes, whose fork schedule is not known here.
    """
    if not view.settings.development:
        raise Unsupported(reason="the fork schedule of this network is not known")
    return with_block(view, BlockRef(number=0), lambda genesis, _: _config(view, genesis))


def _config(view: View, genesis: Block) -> Json:
    target, most, fraction = PRAGUE_BLOBS
    current: dict[str, Any] = {
        "activationTime": 0,
        "blobSchedule": {"target": target, "max": most, "baseFeeUpdateFraction": fraction},
        "chainId": encode_quantity(view.chain.chain_id),
        "forkId": f"0x{crc32(genesis.hash):08x}",
        "precompiles": {
            name: f"0x{address:040x}" for address, name in enumerate(PRECOMPILES, start=1)
        },
        "systemContracts": dict(SYSTEM_CONTRACTS),
    }
    return {"current": current, "next": None, "last": None}


@takes()
def capabilities(view: View) -> Json:
    """Answer ``eth_capabilities``: what history can be asked about.

    Raises:
        Unsupported: the chain comes from nodes, whose retention is not known here.
    """
    if not view.settings.development:
        raise Unsupported(reason="the retention of this network is not known")
    head, oldest = view.chain.head, encode_quantity(view.chain.oldest.number)
    kept = {"disabled": False, "oldestBlock": oldest}
    return {
        "head": {"number": encode_quantity(head.number), "hash": encode_data(head.hash)},
        **dict.fromkeys(("state", "tx", "logs", "receipts", "blocks", "stateproofs"), kept),
    }


@takes()
def coinbase(_view: View) -> Json:
    """Answer ``eth_coinbase``: whom the next block pays."""
    return ask("node_info", {}, lambda node: node["coinbase"])


@takes()
def protocol_version(_view: View) -> Json:
    """Answer ``eth_protocolVersion`` as anvil does."""
    return "0x41"


@takes()
def mining(_view: View) -> Json:
    """Answer ``eth_mining``: nothing is mined by work."""
    return False


@takes()
def hashrate(_view: View) -> Json:
    """Answer ``eth_hashrate``."""
    return "0x0"


DROPPED: Final[Mapping[str, Handler]] = {
    "eth_coinbase": coinbase,
    "eth_hashrate": hashrate,
    "eth_mining": mining,
    "eth_protocolVersion": protocol_version,
}
"""What go-ethereum no longer serves and development nodes still do."""

NETWORK: Final[Mapping[str, Handler]] = {
    "eth_config": config,
    "eth_capabilities": capabilities,
}
