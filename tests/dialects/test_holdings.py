"""What one connection holds and changes, told over a session."""

from typing import Any

import pytest

from tests.dialects import pushes
from tests.dialects.test_session import Wire, request
from tests.strategies import hash32
from twisted_chainws.dialects.actions import Forwarded
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.errors import SourceUnavailable

ONE, TWO = hash32(1), hash32(2)


def wire(limits: Limits | None = None, **options: Any) -> Wire:
    """Open a session of the dialect whose connections have one interest each."""
    return Wire(limits, pushes.DIALECT, **options)


def send(wired: Wire, transaction_hash: bytes) -> Forwarded:
    """Send a transaction; the call that it leads to is not answered yet."""
    (forwarded,) = wired.say(request("p_send", transaction_hash.hex()))
    assert isinstance(forwarded, Forwarded)
    return forwarded


def expecting(wired: Wire, transaction_hash: Any) -> bool:
    """Tell whether the session is told of a transaction; then it is told no more."""
    follower = wired.registry.interests.consume(transaction_hash)
    return follower is not None and follower.owner is wired.session


def test_an_interest_is_changed_and_shown() -> None:
    """The change sees what was before, the reply what is now."""
    wired = wire()
    assert wired.call("p_interest") == [[], None, False]
    assert wired.call("p_follow", ["b", "a"], ["k"]) == [["a", "b"], ["k"], False]
    assert wired.call("p_follow", ["a"], None, 1) == [["a"], ["k"], True]
    assert wired.call("p_interest") == [["a"], ["k"], True]
    assert len(wired.registry.interests.interested("a", ["k"])) == 1


def test_too_many_keys_are_refused() -> None:
    """``alternatives`` is how many; what was before stays."""
    wired = wire(Limits(alternatives=2))
    wired.call("p_follow", ["a"], ["k", "l"])
    assert wired.call("p_follow", ["a"], ["k", "l", "m"])["message"] == "TooManyAlternatives"
    assert wired.call("p_interest") == [["a"], ["k", "l"], False]


def test_a_transaction_is_expected_before_it_is_sent() -> None:
    """It may be in a block before the source has answered."""
    wired = wire()
    forwarded = send(wired, ONE)
    assert expecting(wired, ONE)
    assert wired.resolve(forwarded.ticket, "0x")[0]["result"] == "sent"


def test_a_transaction_that_was_refused_is_expected_no_longer() -> None:
    """The refusal is the reply; one sent before under the same hash is expected on."""
    wired = wire()
    forwarded = send(wired, ONE)
    (answer,) = wired.resolve(forwarded.ticket, SourceUnavailable(reason="x"))
    assert answer["error"]["message"] == "SourceUnavailable"
    assert not expecting(wired, ONE)
    for outcome in ("0x", SourceUnavailable(reason="known already")):
        wired.resolve(send(wired, ONE).ticket, outcome)
    assert expecting(wired, ONE)


def test_expectations_are_bounded_in_number_and_time() -> None:
    """``expectations`` at a time; ``expectation_s`` after which a further one ends them."""
    wired = wire(Limits(expectations=1, expectation_s=5.0))
    wired.resolve(send(wired, ONE).ticket, "0x")
    assert wired.call("p_send", TWO.hex())["message"] == "TooManySubscriptions"
    (forwarded,) = wired.say(request("p_send", TWO.hex()), now=5.5)
    wired.resolve(forwarded.ticket, "0x")
    assert not expecting(wired, ONE)
    assert expecting(wired, TWO)


def test_everything_ends_with_the_connection() -> None:
    """No list holds it any more."""
    wired = wire()
    wired.call("p_follow", ["a"], ["k"])
    wired.resolve(send(wired, ONE).ticket, "0x")
    wired.session.close()
    assert len(wired.registry.interests) == 0
    assert not expecting(wired, ONE)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("p_interest", []),
        ("p_follow", [["a"], None]),
        ("p_send", [ONE.hex()]),
        ("p_disregard", [ONE.hex()]),
    ],
)
def test_without_notifications_nothing_is_followed_or_expected(
    method: str, params: list[Any]
) -> None:
    """One message over HTTP has nowhere to tell of anything, and nothing is sent for it."""
    wired = wire(notifications=False, http=True)
    assert wired.call(method, *params)["message"] == "notifications not supported"
    assert len(wired.registry.interests) == 0
