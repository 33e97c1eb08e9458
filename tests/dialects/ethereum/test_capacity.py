"""What profiles allow, row by row of ``ethereum.md`` 1.4, 1.6, 1.8 and 1.9."""

import orjson
import pytest

from twisted_chainws.dialects.base import Batch
from twisted_chainws.dialects.ethereum import capacity
from twisted_chainws.dialects.ethereum.errors import (
    NOTIFICATIONS_UNSUPPORTED,
    THROUGHPUT_EXCEEDED,
    TOO_MANY_CONCURRENT,
    make_faults,
    unknown_method,
)
from twisted_chainws.dialects.ethereum.methods import METHODS, make
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import Fault
from twisted_chainws.dialects.view import Profile

OTHERS = [profile for profile in Profile if profile is not Profile.ALCHEMY]


@pytest.mark.parametrize(
    ("method", "cost"),
    [
        ("net_version", 0),
        ("eth_chainId", 0),
        ("eth_blockNumber", 10),
        ("eth_subscribe", 10),
        ("eth_getBalance", 20),
        ("eth_call", 26),
        ("eth_simulateV1", 40),
        ("eth_getLogs", 60),
        ("alchemy_getAssetTransfers", 120),
        ("eth_sendRawTransaction", 250),
        ("eth_getBlockReceipts", 500),
        ("debug_traceTransaction", 1_000),
        ("anvil_mine", 20),
        ("no_such", 20),
    ],
)
def test_costs(method: str, cost: int) -> None:
    """A method costs what Alchemy's table says for throughput; others cost what most do."""
    costs = make(Profile.SUPERSET).costs
    assert costs.methods.get(method, costs.default) == cost


def test_priced_names_are_distinct_from_the_default() -> None:
    """The table names only what differs from the default."""
    assert capacity.COSTS.default not in capacity.COSTS.methods.values()
    assert {"eth_call", "eth_getLogs", "eth_sendRawTransaction"} <= set(METHODS)


def test_limits_of_profiles() -> None:
    """Alchemy takes 20 calls in a WebSocket batch and 10 requests at a time; others as geth."""
    assert make(Profile.ALCHEMY).limits == Limits(websocket_batch_items=20, concurrent_requests=10)
    for profile in OTHERS:
        limits = make(profile).limits
        assert limits == Limits()
        assert (limits.batch_items, limits.websocket_batch_items) == (1_000, 1_000)
        assert limits.concurrent_requests == 0


def _batch(size: int) -> bytes:
    return orjson.dumps([{"id": number, "method": "a_b"} for number in range(7, 7 + size)])


@pytest.mark.parametrize("profile", Profile)
def test_large_batches(profile: Profile) -> None:
    """Over the limit there is one error under the first id, in the words of the profile."""
    dialect = make(profile)
    size = 21 if profile is Profile.ALCHEMY else 1_001
    text = "batch too large"
    if profile is Profile.ALCHEMY:
        text = (
            "The maximum batch size that can be sent over a websocket connection is 20. "
            "Please decrease the batch size and try again."
        )
    parse, parse_http = dialect.envelope.parse, dialect.envelope.parse_http
    fault = Fault(code=-32600, message=text)
    assert parse(_batch(size), dialect.limits) == Batch(requests=((b"7", "", None, fault),))
    accepted = parse(_batch(size - 1), dialect.limits)
    assert isinstance(accepted, Batch)
    assert len(accepted.requests) == size - 1
    assert parse_http(_batch(1_001), dialect.limits) == Batch(
        requests=((b"7", "", None, Fault(code=-32600, message="batch too large")),)
    )


STATUSES = [
    (Fault(code=-32700, message="parse error"), 400),
    (Fault(code=-32600, message="invalid request"), 400),
    (Fault(code=-32602, message="too many arguments, want at most 1"), 400),
    (unknown_method("eth_foo", Profile.ALCHEMY), 400),
    (NOTIFICATIONS_UNSUPPORTED, 400),
    (THROUGHPUT_EXCEEDED, 429),
    (TOO_MANY_CONCURRENT, 429),
    (Fault(code=-32603, message="method handler crashed"), 500),
    (make_faults(Profile.ALCHEMY).timed_out, 503),
    (Fault(code=-32000, message="Unable to complete request at this time."), 503),
    (Fault(code=-32000, message="filter not found"), 200),
    (Fault(code=3, message="execution reverted", data="0x"), 200),
    (Fault(code=4444, message="pruned history unavailable"), 200),
]


@pytest.mark.parametrize(("fault", "status"), STATUSES)
def test_statuses_of_the_vendors(fault: Fault, status: int) -> None:
    """Alchemy, and Tokenview after it, map faults to HTTP statuses; others answer 200."""
    for profile in Profile:
        face = make(profile).http
        assert face is not None
        mapped = profile in {Profile.ALCHEMY, Profile.TOKENVIEW}
        assert face.status(fault) == (status if mapped else 200)


def test_words_for_strange_origins() -> None:
    """Alchemy tells with a JSON-RPC error, the others in one word."""
    for profile in Profile:
        face = make(profile).http
        assert face is not None
        expected = None
        if profile is Profile.ALCHEMY:
            expected = Fault(code=-32600, message="Unspecified origin not on whitelist")
        assert face.origin_refused == expected


def test_only_geth_gives_up_after_malformed_json() -> None:
    """go-ethereum closes behind its answer; every other profile keeps the connection."""
    assert {profile: sorted(make(profile).fatal) for profile in Profile} == {
        **{profile: [] for profile in Profile},
        Profile.GETH: [-32700],
    }


@pytest.mark.parametrize(
    ("fault", "subject"),
    [
        (THROUGHPUT_EXCEEDED, "compute units per second"),
        (TOO_MANY_CONCURRENT, "concurrent requests"),
    ],
)
def test_words_for_too_much(fault: Fault, subject: str) -> None:
    """Code 429 and Alchemy's text, by which clients tell that retrying is safe."""
    assert fault.code == 429
    assert fault.message == (
        f"Your app has exceeded its {subject} capacity. If you have retries enabled, you can "
        "safely ignore this message. If not, check out "
        "https://docs.alchemy.com/reference/throughput"
    )
