from twisted_chainws.chain import types


def test_ids_are_plain_values_at_run_time() -> None:
    """The ids cost nothing: they are bytes and integers with another name."""
    raw = bytes(32)
    assert types.Hash32(raw) is raw
    assert types.Address20(raw[:20]) == raw[:20]
    for number in (types.Wei, types.Gas, types.BlockNumber, types.Timestamp, types.Seq):
        assert number(7) == 7
