"""Random transactions and headers."""

from typing import Any, Final

from hypothesis import strategies as st

from tests.dialects.ontology.keyring import ALL_KEYS
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology.block import Header
from twisted_chainws.dialects.ontology.program import Witness
from twisted_chainws.dialects.ontology.transaction import (
    Deploy,
    Invoke,
    Transaction,
    TransactionType,
)

u32: Final = st.integers(0, 2**32 - 1)
u64: Final = st.integers(0, 2**64 - 1)
addresses: Final = st.binary(min_size=20, max_size=20).map(Address20)
hashes: Final = st.binary(min_size=32, max_size=32).map(Hash32)
texts: Final = st.text(max_size=20).map(str.encode)
witnesses: Final = st.lists(
    st.builds(Witness, invocation=st.binary(max_size=80), verification=st.binary(max_size=80)),
    max_size=3,
).map(tuple)
deploys: Final = st.builds(
    Deploy,
    code=st.binary(max_size=300),
    vm_flags=st.sampled_from([0, 1, 3]),
    name=texts,
    version=texts,
    author=texts,
    email=texts,
    description=st.binary(max_size=300),
)
invokes: Final = st.builds(Invoke, code=st.binary(max_size=300))


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Draw a transaction of types D0 to D2."""
    payload: Any = draw(st.one_of(deploys, invokes))
    invoking = st.sampled_from([TransactionType.INVOKE_NEO, TransactionType.INVOKE_WASM])
    is_deploy = isinstance(payload, Deploy)
    return Transaction(
        type=TransactionType.DEPLOY if is_deploy else draw(invoking),
        nonce=draw(u32),
        gas_price=draw(u64),
        gas_limit=draw(u64),
        payer=draw(addresses),
        payload=payload,
        witnesses=draw(witnesses),
    )


def headers(transactions_root: Hash32) -> st.SearchStrategy[Header]:
    """Draw a header over a root."""
    return st.builds(
        Header,
        version=u32,
        previous_hash=hashes,
        transactions_root=st.just(transactions_root),
        block_root=hashes,
        timestamp=u32,
        height=u32,
        consensus_data=u64,
        consensus_payload=st.binary(max_size=300),
        next_bookkeeper=addresses,
        bookkeepers=st.lists(st.sampled_from(ALL_KEYS), max_size=3).map(tuple),
        signatures=st.lists(st.binary(max_size=70), max_size=3).map(tuple),
    )
