import inspect

import pytest

from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.ports import Sink, Source


@pytest.mark.parametrize(
    ("port", "names"),
    [
        (Sink, {"publish", "reorganise", "pending", "queued", "dropped", "unhealthy"}),
        (Source, {"start", "stop", "submit", "query"}),
    ],
)
def test_the_ports_offer_these_calls_and_explain_them(port: type, names: set[str]) -> None:
    """A port is small, and every call of it says what it means."""
    public = {name for name in vars(port) if not name.startswith("_")}
    assert public == names
    assert all(inspect.getdoc(getattr(port, name)) for name in names)


@pytest.mark.parametrize(
    ("call", "keeper"),
    [
        ("reorganise", CanonicalChain.reorganise),
        ("pending", PendingPool.pending),
        ("queued", PendingPool.queued),
        ("dropped", PendingPool.dropped),
    ],
)
def test_what_a_source_tells_fits_the_model(call: str, keeper: object) -> None:
    """A sink can hand the arguments of a call to the model as they are."""
    assert callable(keeper)
    told = inspect.signature(getattr(Sink, call)).parameters
    kept = inspect.signature(keeper).parameters
    assert list(told) == list(kept)
