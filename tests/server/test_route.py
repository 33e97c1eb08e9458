from dataclasses import dataclass, replace
from typing import Any

import pytest

from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.server.accounts import Account
from twisted_chainws.server.route import Route, has_room, open_session
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry

ETHEREUM = DIALECTS[0]
OTHER = replace(ETHEREUM, name="other", claims=lambda data: data.startswith(b"<"))


@dataclass
class Seen:
    """What is seen of the network."""

    sessions: int = 0


class Network:
    """The service of a network, as far as sessions ask."""

    def __init__(self) -> None:
        self.seen = Seen()

    def view(self, _dialect: Any) -> Any:
        return self.seen

    def registry(self, _dialect: Any) -> Registry:
        return Registry(make_id=lambda: "0x1")

    def polled(self, _dialect: Any) -> PolledFilters:
        return PolledFilters(make_id=lambda: "0x1")


def _route(*, key: str | None = None, per_s: float = 0, limits: Limits | None = None) -> Route:
    service: Any = Network()
    account = Account(max_connections=None, per_s=per_s, burst_s=1)
    return Route(
        dialects=(ETHEREUM, OTHER), service=service, key=key, account=account, limits=limits
    )


@pytest.mark.parametrize(
    ("data", "name"), [(b'{"method":"x"}', "ethereum"), (b"<x>", "other"), (b"?", "ethereum")]
)
def test_the_first_message_is_claimed(data: bytes, name: str) -> None:
    """The dialect that knows the message gets it; one that nobody knows goes to the first."""
    assert _route().claimed_by(data).name == name


@pytest.mark.parametrize(
    ("key", "per_s", "http", "asked"),
    [
        (None, 0, False, False),
        ("k", 0, False, False),
        (None, 0, True, False),
        ("k", 0, True, True),
        (None, 5, False, True),
        ("k", 5, False, True),
        (None, 5, True, True),
    ],
)
def test_an_account_is_asked_only_where_it_has_a_say(
    key: str | None, per_s: float, http: bool, asked: bool
) -> None:
    """A metered one always; another over HTTP, where subscriptions of its key can be closed."""
    route = _route(key=key, per_s=per_s)
    session = open_session(route, ETHEREUM, object(), http=http, now=0.0)
    assert (session._account is route.account) is asked


def test_limits_of_the_listener_come_before_those_of_the_dialect() -> None:
    """Without any the dialect's own hold."""
    own = Limits(subscriptions=7)
    for limits, expected in ((own, own), (None, ETHEREUM.limits)):
        session = open_session(_route(limits=limits), ETHEREUM, object(), http=False, now=0.0)
        assert session._limits == expected


def test_there_is_room_until_as_many_speak_a_dialect_as_may() -> None:
    """Only connections count, not HTTP requests; without a bound there is always room."""
    route = _route(limits=Limits(connections=2))
    sessions = [
        open_session(route, ETHEREUM, object(), http=http, now=0.0) for http in (True, False, True)
    ]
    assert has_room(route, ETHEREUM)
    sessions.append(open_session(route, ETHEREUM, object(), http=False, now=0.0))
    assert not has_room(route, ETHEREUM)
    for session in sessions[:2]:
        session.close()
        session.close()
    assert has_room(route, ETHEREUM)
    route.limits = Limits(connections=0)
    route.service.view(ETHEREUM).sessions = 1_000_000
    assert has_room(route, ETHEREUM)
