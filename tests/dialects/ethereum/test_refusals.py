import contextlib
from typing import Any

import orjson
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.dialects.ethereum.asking import make_view
from tests.strategies import make_transaction, relaxed
from twisted_chainws.dialects.ethereum.development import DEVELOPMENT
from twisted_chainws.dialects.ethereum.state import STATE
from twisted_chainws.dialects.ethereum.submit import SUBMIT
from twisted_chainws.dialects.outcomes import Outcome
from twisted_chainws.dialects.view import Profile, View
from twisted_chainws.errors import ChainwsError

HANDLERS = {**STATE, **SUBMIT, **DEVELOPMENT}
VIEWS = [
    make_view(pending=[make_transaction()], profile=profile)
    for profile in (Profile.SUPERSET, Profile.ANVIL)
]
HEAD = f"0x{VIEWS[0].chain.head.hash.hex()}"

hex_texts = st.one_of(
    st.integers(0, 2**260).map(hex),
    st.binary(max_size=40).map(lambda value: f"0x{value.hex()}"),
    st.sampled_from(["0x" + "01" * 20, "0x" + "03" * 32, HEAD, "0x", "0x01", "0X1", "1", "0xg"]),
)
member_names = st.sampled_from(
    [
        "from", "to", "gas", "gasPrice", "maxFeePerGas", "value", "nonce", "data", "input",
        "accessList", "address", "storageKeys", "authorizationList", "chainId", "blockHash",
        "blockNumber", "requireCanonical", "state", "stateDiff", "code", "withdrawals",
        "types", "primaryType", "domain", "message", "forking", "timestamp", "blocks",
        "0x" + "01" * 20, "0x" + "03" * 32,
    ]
)  # fmt: skip
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=8),
    hex_texts,
    st.sampled_from(["latest", "pending", "safe", "earliest", "{}", "[]", "{"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(member_names, st.text(max_size=4)), inner, max_size=4),
    ),
    max_leaves=8,
)
parameters = st.one_of(values, st.lists(values, max_size=5))


@given(params=parameters, view=st.sampled_from(VIEWS))
@settings(relaxed, max_examples=300)
def test_any_json_is_answered_or_refused(params: Any, view: View) -> None:
    """Whatever arrives, a handler returns JSON or an outcome or raises a model exception."""
    for name, handler in HANDLERS.items():
        note(name)
        with contextlib.suppress(ChainwsError):
            answer = handler(view, params)
            assert isinstance(answer, Outcome) or orjson.dumps(answer)
