"""The node's own state: clock arithmetic and its encoding."""

import dataclasses

from twisted_chainws.sources.devchain.engine.control import (
    Control,
    Snapshot,
    decode_control,
    decode_snapshots,
    encode_control,
    encode_snapshots,
)

_PLAIN = Control(
    instance=b"i" * 32,
    randomness=b"r" * 32,
    gas_limit=30_000_000,
    coinbase=bytes(20),
    automine=True,
    interval_s=None,
)
_FULL = Control(
    instance=b"i" * 32,
    randomness=b"r" * 32,
    gas_limit=1,
    coinbase=b"c" * 20,
    automine=False,
    interval_s=1.5,
    time_offset=-5,
    next_timestamp=7,
    next_base_fee=2**100,
    next_prev_randao=b"p" * 32,
    timestamp_interval=9,
    impersonated=frozenset({b"a" * 20, b"b" * 20}),
    auto_impersonate=True,
    next_snapshot=3,
    branches=2,
)


def test_control_and_snapshots_survive() -> None:
    """What is stored is read back equal."""
    for control in (_PLAIN, _FULL):
        assert decode_control(encode_control(control)) == control
    snapshots = tuple(
        Snapshot(id=number, head=b"h" * 32, edited_root=root, control=_FULL, pool=(b"raw", b""))
        for number, root in ((0, None), (5, b"r" * 32))
    )
    assert decode_snapshots(encode_snapshots(snapshots)) == snapshots


def test_timestamps_rise_unless_commanded() -> None:
    """The clock rules, a standing clock still rises, commands beat both."""
    assert _PLAIN.timestamp(parent=10, now=50) == 50
    assert _PLAIN.timestamp(parent=50, now=50) == 51
    ahead = dataclasses.replace(_PLAIN, time_offset=100)
    assert ahead.timestamp(parent=10, now=50) == 150
    commanded = dataclasses.replace(ahead, next_timestamp=10)
    assert commanded.timestamp(parent=10, now=50) == 10
    stepping = dataclasses.replace(ahead, timestamp_interval=7)
    assert stepping.timestamp(parent=10, now=50) == 17


def test_a_block_uses_up_what_was_for_it() -> None:
    """One-block commands are gone after it, and time goes on from a commanded timestamp."""
    after = _FULL.after_block(timestamp=7, now=5)
    assert (after.next_timestamp, after.next_base_fee, after.next_prev_randao) == (None, None, None)
    assert after.time_offset == 2
    assert (
        dataclasses.replace(_PLAIN, time_offset=4).after_block(timestamp=9, now=5).time_offset == 4
    )
