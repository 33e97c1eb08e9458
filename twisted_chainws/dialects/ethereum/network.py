"""Handlers that describe the network and the node's own role in it. Sans-I/O.

Source: EIP-7910 (``eth_config``); execution-apis ``src/schemas/capabilities.yaml``, 5eb4986;
EIP-2124 and EIP-6122 (fork hash); ``ethereum.md`` 5.3.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

from twisted_chainws.chain.forks import Fork, ForkSchedule
from twisted_chainws.chain.model import Block
from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_data, encode_quantity
from twisted_chainws.dialects.ethereum.reads import with_block
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import Unsupported

CANCUN_PRECOMPILES: Final = (
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
)
PRAGUE_PRECOMPILES: Final = (
    "BLS12_G1ADD",
    "BLS12_G1MSM",
    "BLS12_G2ADD",
    "BLS12_G2MSM",
    "BLS12_PAIRING_CHECK",
    "BLS12_MAP_FP_TO_G1",
    "BLS12_MAP_FP2_TO_G2",
)
"""At the addresses 1, 2, 3 …, those of Prague after those of Cancun."""

OSAKA_PRECOMPILE: Final = ("P256VERIFY", 0x100)

BEACON_ROOTS: Final = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"
HISTORY_STORAGE: Final = "0x0000f90827f1c53a10cb7a02335b175320002935"
REQUEST_CONTRACTS: Final[Mapping[str, str]] = {
    "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS": "0x0000bbddc7ce488642fb579f8b00f3a590007251",
    "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS": "0x00000961ef480eb55e80d19ad83579a64c007002",
}
"""For requests of validators, which a chain of our own making has none of."""


@takes()
def config(view: View) -> Json:
    """Answer ``eth_config``: the fork of the head, the next one and the last one.

    Raises:
        Unsupported: the chain comes from nodes, whose fork schedule is not known here, or the
            head is under older rules than the method can describe.
    """
    if not view.settings.development:
        raise Unsupported(reason="the fork schedule of this network is not known")
    fork = view.chain.forks.of(view.chain.head.extras.header)
    if fork.blobs is None:
        raise Unsupported(reason=f"the head is under the rules of {fork.name}, before Cancun")
    return with_block(view, BlockRef(number=0), lambda genesis, _: _config(view, genesis, fork))


def _config(view: View, genesis: Block, fork: Fork) -> Json:
    coming = view.chain.forks.after(fork)
    return {
        "current": _describe(view, genesis, fork),
        "next": _describe(view, genesis, coming[0]) if coming else None,
        "last": _describe(view, genesis, coming[-1]) if coming else None,
    }


def _describe(view: View, genesis: Block, fork: Fork) -> dict[str, Any]:
    return {
        "activationTime": fork.start if fork.timed else 0,
        "blobSchedule": fork.blobs
        and {
            "target": fork.blobs.target,
            "max": fork.blobs.most,
            "baseFeeUpdateFraction": fork.blobs.fraction,
        },
        "chainId": encode_quantity(view.chain.chain_id),
        "forkId": f"0x{fork_hash(view.chain.forks, genesis, fork):08x}",
        "precompiles": {name: f"0x{address:040x}" for name, address in _precompiles(fork)},
        "systemContracts": dict(_system_contracts(view.chain.forks, fork)),
    }


def fork_hash(forks: ForkSchedule, genesis: Block, fork: Fork) -> int:
    """Return the checksum of genesis and of all forks up to one (EIP-2124, EIP-6122)."""
    passed = forks.forks[: forks.forks.index(fork) + 1]
    blocks = {each.start for each in passed if not each.timed and each.start}
    times = {each.start for each in passed if each.timed and each.start > genesis.timestamp}
    starts = (*sorted(blocks), *sorted(times))
    return crc32(b"".join([genesis.hash, *(start.to_bytes(8, "big") for start in starts)]))


def _precompiles(fork: Fork) -> Iterator[tuple[str, int]]:
    names = CANCUN_PRECOMPILES + (PRAGUE_PRECOMPILES if fork.has("prague") else ())
    yield from zip(names, range(1, len(names) + 1), strict=True)
    if fork.has("osaka"):
        yield OSAKA_PRECOMPILE


def _system_contracts(forks: ForkSchedule, fork: Fork) -> Iterator[tuple[str, str]]:
    yield "BEACON_ROOTS_ADDRESS", BEACON_ROOTS
    if fork.has("prague"):
        yield "HISTORY_STORAGE_ADDRESS", HISTORY_STORAGE
        if forks.requests:
            yield from REQUEST_CONTRACTS.items()
            yield "DEPOSIT_CONTRACT_ADDRESS", encode_data(forks.deposit_contract)


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
