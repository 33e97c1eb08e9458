from typing import Any

import pytest

from tests.dialects.ethereum.views import ask, make_view, refusal
from twisted_chainws.dialects.ethereum import DIALECT, topics
from twisted_chainws.dialects.outcomes import (
    Install,
    Poll,
    Refused,
    Subscribe,
    Uninstall,
    Unsubscribe,
)
from twisted_chainws.dialects.view import Profile
from twisted_chainws.subscriptions.filters import HeadFilter, LogFilter, PendingFilter

VIEW = make_view()


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        (None, -32602, "non-array args"),
        ({}, -32602, "non-array args"),
        ([], -32602, "expected subscription name as first argument"),
        ([1], -32602, "expected subscription name as first argument"),
        (["foo"], -32601, 'no "foo" subscription in eth namespace'),
        (["logs", {}, 1], -32602, "too many arguments, want at most 2"),
        (["newHeads", None, None], -32602, "too many arguments, want at most 1"),
        (["syncing", {}, 1], -32602, "too many arguments, want at most 1"),
    ],
)
def test_subscribe_refusals(params: Any, code: int, message: str) -> None:
    """A request without a known name is refused in go-ethereum's words."""
    with pytest.raises(Refused) as caught:
        DIALECT.methods["eth_subscribe"](VIEW, params)
    assert (caught.value.fault.code, caught.value.fault.message) == (code, message)


def test_every_topic_is_served() -> None:
    """Each name of the table can be subscribed to."""
    for name in DIALECT.topics:
        assert isinstance(ask(VIEW, "eth_subscribe", name), Subscribe)


def test_unsubscribe_answers_whether_there_was_one() -> None:
    """An unknown id is false, not an error."""
    outcome = ask(VIEW, "eth_unsubscribe", "0xab")
    assert isinstance(outcome, Unsubscribe)
    assert outcome.subscription_id == "0xab"
    assert [outcome.then(True), outcome.then(False)] == [True, False]


def test_unsubscribe_of_geth() -> None:
    """In the geth profile an unknown id is an error."""
    outcome = ask(make_view(profile=Profile.GETH), "eth_unsubscribe", "0xab")
    assert outcome.then(True) is True
    with pytest.raises(Refused, match="-32000 subscription not found"):
        outcome.then(False)


@pytest.mark.parametrize("profile", [Profile.SUPERSET, Profile.GETH])
def test_unsubscribe_refusals(profile: Profile) -> None:
    """The id is required and is a string."""
    view = make_view(profile=profile)
    missing = (-32602, "missing value for required argument 0")
    assert refusal(view, "eth_unsubscribe") == missing
    assert refusal(view, "eth_unsubscribe", 1)[0] == -32602


@pytest.mark.parametrize(
    ("method", "params", "wanted", "encoder"),
    [
        ("eth_newFilter", [{"fromBlock": "0x1"}], LogFilter(first=1), topics.encode_log),  # type: ignore[arg-type]
        ("eth_newBlockFilter", [], HeadFilter(), topics.encode_head_hash),
        ("eth_newPendingTransactionFilter", [], PendingFilter(), topics.encode_pending_hash),
        ("eth_newPendingTransactionFilter", [False], PendingFilter(), topics.encode_pending_hash),
        ("eth_newPendingTransactionFilter", [True], PendingFilter(), topics.encode_pending),
    ],
)
def test_installing(method: str, params: list[Any], wanted: Any, encoder: Any) -> None:
    """Polled filters collect logs, block hashes, and transaction hashes or objects."""
    outcome = ask(VIEW, method, *params)
    assert isinstance(outcome, Install)
    assert outcome.filter == wanted
    assert outcome.encode is encoder


def test_polling_and_uninstalling() -> None:
    """Polling and uninstalling name the filter."""
    assert ask(VIEW, "eth_getFilterChanges", "0x1") == Poll(filter_id="0x1")
    assert ask(VIEW, "eth_uninstallFilter", "0x1") == Uninstall(filter_id="0x1")
