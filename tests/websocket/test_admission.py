from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.websocket.admission import Admission, Denial, client_ip

CLIENTS = Denial(status=503, text="too many clients")
CONNECTIONS = Denial(status=503, text="too many connections from this address")


class Gate(Admission):
    """With a time that stands until it is set."""

    def __init__(self, **limits: Any) -> None:
        self.time = 1_000.0
        usual = {"max_clients": 10, "max_per_client": 10, "max_per_minute": None, "ban_s": 60.0}
        super().__init__(**(usual | limits), now=lambda: self.time)


def test_distinct_addresses_count_as_clients() -> None:
    """A further connection of a known address needs no client's slot."""
    gate = Gate(max_clients=2)
    assert [gate.enter(ip) for ip in ("a", "b", "a", "c")] == [None, None, None, CLIENTS]
    gate.leave("a")
    assert gate.enter("c") == CLIENTS
    gate.leave("a")
    assert gate.enter("c") is None


def test_connections_of_one_address_are_limited() -> None:
    """Clients are counted first, then the connections of each."""
    gate = Gate(max_clients=1, max_per_client=2)
    assert [gate.enter("a") for _ in range(3)] == [None, None, CONNECTIONS]
    assert gate.enter("b") == CLIENTS
    gate.leave("a")
    assert gate.enter("a") is None


def test_hasty_clients_are_banned_for_a_while() -> None:
    """One handshake too many within a minute bans its address, and only that."""
    gate = Gate(max_per_minute=3, ban_s=30.0)
    for _ in range(3):
        assert gate.enter("a") is None
        gate.leave("a")
    assert gate.enter("a") == Denial(status=429, text="too many handshakes", retry_after_s=31)
    assert gate.enter("b") is None
    gate.time += 29.5
    assert gate.enter("a") == Denial(status=429, text="too many handshakes", retry_after_s=1)
    gate.time += 0.5
    assert gate.enter("a") is None


def test_handshakes_are_counted_in_a_sliding_minute() -> None:
    """What is older than a minute counts no longer, and refused handshakes count as well."""
    gate = Gate(max_per_minute=2, max_per_client=1)
    assert gate.enter("a") is None
    gate.time += 40
    assert gate.enter("a") == CONNECTIONS
    gate.time += 20
    gate.leave("a")
    assert gate.enter("a") is None
    gate.leave("a")
    denial = gate.enter("a")
    assert denial is not None
    assert denial.status == 429


def test_addresses_are_forgotten() -> None:
    """However many addresses come, only those of the last minute are remembered."""
    gate = Gate(max_per_minute=1, max_clients=1_000, ban_s=10.0)
    for number in range(500):
        gate.time += 1.0
        for _ in range(2):
            if gate.enter(str(number)) is None:
                gate.leave(str(number))
    assert len(gate._tries) <= 60
    assert len(gate._banned) <= 11
    assert not gate._taken


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60))
def test_slots_are_what_a_plain_count_says(moves: list[tuple[str, bool]]) -> None:
    """Whatever comes and goes, the limits hold and no slot is lost."""
    gate = Gate(max_clients=2, max_per_client=2)
    inside: Counter[str] = Counter()
    for ip, comes in moves:
        if comes:
            room = inside[ip] < 2 and (inside[ip] > 0 or len(+inside) < 2)
            assert (gate.enter(ip) is None) is room
            inside[ip] += room
        elif inside[ip]:
            gate.leave(ip)
            inside[ip] -= 1


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("::ffff:7f00:1", "::ffff:7f00:1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_mapped_addresses_are_ipv4(host: str, expected: str) -> None:
    """A client has one address, whichever socket it comes in by."""
    assert client_ip(host) == expected
