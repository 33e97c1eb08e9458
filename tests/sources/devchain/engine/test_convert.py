"""Native transactions survive their encoding; fees follow the EIPs."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.chain.model import (
    Kind,
    Log,
    NamedEvent,
    NamedParam,
    NativeTransaction,
    Receipt,
)
from twisted_chainws.sources.devchain.engine.convert import (
    decode_natives,
    encode_natives,
    next_base_fee,
)

ADDRESS = st.binary(min_size=20, max_size=20)
HASH = st.binary(min_size=32, max_size=32)
AMOUNT = st.integers(0, 2**256 - 1)
PLAIN = st.one_of(AMOUNT, st.text(max_size=5), st.booleans(), st.binary(max_size=5))
VALUE = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=5)
PARAM = st.builds(NamedParam, name=st.text(max_size=5), type=st.text(max_size=5), value=VALUE)
EVENT = st.builds(
    NamedEvent,
    address=ADDRESS,
    name=st.text(max_size=5),
    params=st.lists(PARAM, max_size=3).map(tuple),
)
LOG = st.builds(
    Log, address=ADDRESS, topics=st.lists(HASH, max_size=3).map(tuple), data=st.binary(max_size=5)
)
RECEIPT = st.builds(
    Receipt,
    succeeded=st.booleans(),
    gas_used=AMOUNT,
    cumulative_gas_used=AMOUNT,
    effective_gas_price=AMOUNT,
    contract_address=st.none() | ADDRESS,
    logs=st.lists(LOG, max_size=3).map(tuple),
    bloom=st.just(bytes(256)),
    blob_gas_used=st.none(),
    blob_gas_price=st.none(),
    events=st.lists(EVENT, max_size=3).map(tuple),
)
TRANSACTION = st.builds(
    NativeTransaction,
    kind=st.sampled_from([Kind.ONTOLOGY, Kind.ZILLIQA]),
    hash=HASH,
    sender=ADDRESS,
    raw=st.binary(max_size=9),
)


@given(st.lists(st.tuples(TRANSACTION, RECEIPT), max_size=3))
def test_native_transactions_survive_their_encoding(
    natives: list[tuple[NativeTransaction, Receipt]],
) -> None:
    """Any list of native transactions and receipts reads back as written, types included."""
    decoded = decode_natives(encode_natives(natives))
    assert decoded == tuple(natives)
    assert repr(decoded) == repr(tuple(natives))


def header(**changes: int) -> SimpleNamespace:
    """Return the members of a header that the base fee depends on."""
    values = {"gas_limit": 30_000_000, "gas_used": 0, "base_fee_per_gas": 10**9}
    return SimpleNamespace(**(values | changes))


def test_the_base_fee_follows_eip_1559() -> None:
    """Empty blocks lower it by an eighth, full ones raise it by an eighth, half ones keep it."""
    assert next_base_fee(header()) == 875_000_000
    assert next_base_fee(header(gas_used=15_000_000)) == 10**9
    assert next_base_fee(header(gas_used=30_000_000)) == 1_125_000_000
    assert next_base_fee(header(base_fee_per_gas=0, gas_used=30_000_000)) == 1
    assert next_base_fee(SimpleNamespace()) == 0
