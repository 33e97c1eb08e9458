"""What a development node remembers beside the chain: switches, clock, one-block overrides.

A frozen value that is replaced as a whole and committed together with the blocks, so that a new
worker continues where the old one was killed.
"""

from dataclasses import dataclass, replace
from typing import Any

import orjson

from twisted_chainws.sources.devchain.codec import decode_hex, encode_hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The state of the node.

    Attributes:
        instance: 32 bytes, drawn anew by each reset.
        randomness: 32 bytes from which the mix hashes of the blocks follow.
        gas_limit: of the next blocks.
        coinbase: of the next blocks, 20 bytes.
        automine: one block per submitted transaction.
        interval_s: seconds between the blocks of interval mining; None when it is off.
        time_offset: seconds that the chain's clock is ahead of the wall's.
        next_timestamp: of the next block only, like the two after it; None when not commanded.
        timestamp_interval: seconds between blocks whatever the clock says; None follows the clock.
        impersonated: addresses that may send without a key.
        auto_impersonate: whether every address may.
        next_snapshot: id of the next snapshot.
        branches: how many reorganisations were commanded; makes the hashes of each new branch.
    """

    instance: bytes
    randomness: bytes
    gas_limit: int
    coinbase: bytes
    automine: bool
    interval_s: float | None
    time_offset: int = 0
    next_timestamp: int | None = None
    next_base_fee: int | None = None
    next_prev_randao: bytes | None = None
    timestamp_interval: int | None = None
    impersonated: frozenset[bytes] = frozenset()
    auto_impersonate: bool = False
    next_snapshot: int = 0
    branches: int = 0

    def timestamp(self, *, parent: int, now: int) -> int:
        """Return the timestamp of the next block, seconds.

        Args:
            parent: timestamp of the head; only a commanded timestamp may equal it.
            now: what the wall clock says.
        """
        if self.next_timestamp is not None:
            return max(self.next_timestamp, parent)
        if self.timestamp_interval is not None:
            return parent + self.timestamp_interval
        return max(now + self.time_offset, parent + 1)

    def after_block(self, *, timestamp: int, now: int) -> "Control":
        """Return the state after a block: what was for it only is gone, its time goes on.

        Args:
            timestamp: of the block.
            now: what the wall clock said when it was made.
        """
        offset = self.time_offset if self.next_timestamp is None else timestamp - now
        return replace(
            self,
            time_offset=offset,
            next_timestamp=None,
            next_base_fee=None,
            next_prev_randao=None,
        )


def encode_control(control: Control) -> bytes:
    """Return the state as JSON."""
    return orjson.dumps(
        {
            "instance": encode_hex(control.instance),
            "randomness": encode_hex(control.randomness),
            "gas_limit": control.gas_limit,
            "coinbase": encode_hex(control.coinbase),
            "automine": control.automine,
            "interval_s": control.interval_s,
            "time_offset": control.time_offset,
            "next_timestamp": control.next_timestamp,
            "next_base_fee": None if control.next_base_fee is None else hex(control.next_base_fee),
            "next_prev_randao": control.next_prev_randao and encode_hex(control.next_prev_randao),
            "timestamp_interval": control.timestamp_interval,
            "impersonated": sorted(encode_hex(address) for address in control.impersonated),
            "auto_impersonate": control.auto_impersonate,
            "next_snapshot": control.next_snapshot,
            "branches": control.branches,
        }
    )


def decode_control(data: bytes) -> Control:
    """Return the state that ``encode_control`` encoded."""
    shape: dict[str, Any] = orjson.loads(data)
    for name in ("instance", "randomness", "coinbase"):
        shape[name] = decode_hex(shape[name])
    if shape["next_base_fee"] is not None:
        shape["next_base_fee"] = int(shape["next_base_fee"], 16)
    if shape["next_prev_randao"] is not None:
        shape["next_prev_randao"] = decode_hex(shape["next_prev_randao"])
    shape["impersonated"] = frozenset(decode_hex(address) for address in shape["impersonated"])
    return Control(**shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A moment to return to; nothing is copied, blocks and state nodes are never deleted.

    Attributes:
        head: hash of the head.
        edited_root: state root of edits made at the head; None without any.
        pool: the pooled transactions as ``natives.encode_pooled`` writes them, by arrival.
    """

    id: int
    head: bytes
    edited_root: bytes | None
    control: Control
    pool: tuple[bytes, ...]


def encode_snapshots(snapshots: tuple[Snapshot, ...]) -> bytes:
    """Return the snapshots as JSON."""
    return orjson.dumps(
        [
            [
                item.id,
                encode_hex(item.head),
                item.edited_root and encode_hex(item.edited_root),
                encode_control(item.control).decode(),
                [encode_hex(raw) for raw in item.pool],
            ]
            for item in snapshots
        ]
    )


def decode_snapshots(data: bytes) -> tuple[Snapshot, ...]:
    """Return the snapshots that ``encode_snapshots`` encoded."""
    return tuple(
        Snapshot(
            id=number,
            head=decode_hex(head),
            edited_root=root and decode_hex(root),
            control=decode_control(control.encode()),
            pool=tuple(decode_hex(raw) for raw in pool),
        )
        for number, head, root, control, pool in orjson.loads(data)
    )
