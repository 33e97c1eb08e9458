"""Which rules a block is under, and what blobs cost there. Sans-I/O.

A fork is active from a block number (before the Merge) or from a timestamp (after it). Forks that
change blob parameters only (``bpo1`` …) keep the rules of the last named fork.

Source: go-ethereum ``params/config.go``; EIP-4844, EIP-7691, EIP-7840, EIP-7892, EIP-7918.
"""

from dataclasses import dataclass
from typing import Final

from twisted_chainws.chain.model import EthereumHeader

GAS_PER_BLOB: Final = 2**17
MIN_BLOB_BASE_FEE: Final = 1
BLOB_BASE_COST: Final = 2**13
"""Gas that a blob is worth at least, in terms of the base fee (EIP-7918)."""

RULES: Final = (
    "frontier",
    "homestead",
    "tangerine",
    "spurious",
    "byzantium",
    "constantinople",
    "petersburg",
    "istanbul",
    "muir_glacier",
    "berlin",
    "london",
    "arrow_glacier",
    "gray_glacier",
    "paris",
    "shanghai",
    "cancun",
    "prague",
    "osaka",
)
"""Every set of rules there is, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobParameters:
    """How many blobs fit into a block and how their fee moves.

    Attributes:
        target: blobs at which the fee stays.
        most: blobs of a block at most.
        fraction: the larger, the slower the fee moves.
    """

    target: int
    most: int
    fraction: int

    def fee(self, excess: int) -> int:
        """Return the price of blob gas at an excess of blob gas, wei (``fake_exponential``)."""
        total, term, step = 0, MIN_BLOB_BASE_FEE * self.fraction, 1
        while term > 0:
            total += term
            term = term * excess // (self.fraction * step)
            step += 1
        return total // self.fraction


CANCUN_BLOBS: Final = BlobParameters(target=3, most=6, fraction=3_338_477)
PRAGUE_BLOBS: Final = BlobParameters(target=6, most=9, fraction=5_007_716)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """One step of a schedule.

    Attributes:
        name: of the fork, as in the configuration of go-ethereum.
        rules: one of ``RULES``.
        start: number of the first block, or, when ``timed``, seconds since the epoch.
        timed: whether the fork comes by time, as all do after the Merge.
        blobs: None before Cancun.
    """

    name: str
    rules: str
    start: int
    timed: bool
    blobs: BlobParameters | None = None

    def has(self, rules: str) -> bool:
        """Tell whether a set of rules, one of ``RULES``, is part of those in force here."""
        return RULES.index(self.rules) >= RULES.index(rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkSchedule:
    """All forks of a chain, oldest first, those by time last; the first starts at genesis.

    Attributes:
        deposit_contract: 20 bytes, whose logs are deposit requests (EIP-6110).
        requests: whether the contracts for requests of validators (EIP-7002, EIP-7251) are there.
    """

    forks: tuple[Fork, ...]
    deposit_contract: bytes
    requests: bool

    def at(self, number: int, timestamp: int) -> Fork:
        """Return the fork that a block is under."""
        active = self.forks[0]
        for fork in self.forks[1:]:
            if (timestamp if fork.timed else number) < fork.start:
                break
            active = fork
        return active

    def of(self, header: EthereumHeader) -> Fork:
        """Return the fork that the block of a header is under."""
        return self.at(header.number, header.timestamp)

    def blob_fee(self, header: EthereumHeader) -> int:
        """Return the price of blob gas in the block of a header, wei; 0 before Cancun."""
        blobs = self.of(header).blobs
        if blobs is None or header.excess_blob_gas is None:
            return 0
        return blobs.fee(header.excess_blob_gas)

    def next_blob_fee(self, header: EthereumHeader) -> int:
        """Return the price of blob gas in a child under the same fork, wei; 0 before Cancun."""
        fork = self.of(header)
        if fork.blobs is None or header.excess_blob_gas is None:
            return 0
        excess = next_excess_blob_gas(
            fork,
            excess=header.excess_blob_gas,
            used=header.blob_gas_used or 0,
            base_fee=header.base_fee_per_gas or 0,
        )
        return fork.blobs.fee(excess)

    def blob_limit(self, header: EthereumHeader) -> int:
        """Return the most blob gas of the block of a header; 0 before Cancun."""
        blobs = self.of(header).blobs
        return 0 if blobs is None else blobs.most * GAS_PER_BLOB

    def after(self, fork: Fork) -> tuple[Fork, ...]:
        """Return the forks that follow one of this schedule."""
        return self.forks[self.forks.index(fork) + 1 :]


def next_excess_blob_gas(fork: Fork, *, excess: int, used: int, base_fee: int) -> int:
    """Return the excess blob gas of a block, from what its parent says.

    Args:
        fork: of the block itself, not of its parent; with blobs.
        excess: of the parent, 0 before Cancun.
        used: blob gas of the parent.
        base_fee: of the parent, wei.

    Raises:
        ValueError: the fork knows no blobs; a bug of the caller.
    """
    blobs = fork.blobs
    if blobs is None:
        raise ValueError(f"{fork.name} knows no blobs")
    target = blobs.target * GAS_PER_BLOB
    if excess + used < target:
        return 0
    if fork.has("osaka") and BLOB_BASE_COST * base_fee > GAS_PER_BLOB * blobs.fee(excess):
        return excess + used * (blobs.most - blobs.target) // blobs.most
    return excess + used - target


DEPOSIT_CONTRACT: Final = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")
"""Where deposits are made on the public network."""

DEVELOPMENT: Final = ForkSchedule(
    forks=(Fork(name="prague", rules="prague", start=0, timed=True, blobs=PRAGUE_BLOBS),),
    deposit_contract=DEPOSIT_CONTRACT,
    requests=False,
)
"""A chain that is under the rules of Prague from genesis on."""
