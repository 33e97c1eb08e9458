from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.server.accounts import _SPARE_ACCOUNTS, Account, Accounts, Standing


class Member:
    """A connection with one subscription."""

    def __init__(self, subscription_id: str) -> None:
        self.subscriptions = {subscription_id}

    def unsubscribe(self, subscription_id: str) -> bool:
        """Close it."""
        found = subscription_id in self.subscriptions
        self.subscriptions.discard(subscription_id)
        return found


def _accounts(**known: Any) -> Accounts:
    return Accounts(now=lambda: 0.0, **known)


def _account(*, per_s: float = 0, burst_s: float = 10.0, most: int | None = 2) -> Account:
    return Account(max_connections=most, per_s=per_s, burst_s=burst_s)


@pytest.mark.parametrize(
    ("key", "open_standing", "closed_standing"),
    [
        (None, Standing.ACTIVE, Standing.MISSING),
        ("", Standing.ACTIVE, Standing.MISSING),
        ("good", Standing.ACTIVE, Standing.ACTIVE),
        ("other", Standing.ACTIVE, Standing.UNKNOWN),
        ("idle", Standing.INACTIVE, Standing.INACTIVE),
        ("spent", Standing.EXHAUSTED, Standing.EXHAUSTED),
        ("both", Standing.INACTIVE, Standing.INACTIVE),
    ],
)
def test_standing(key: str | None, open_standing: Standing, closed_standing: Standing) -> None:
    """A key is judged the same with and without accepted keys where it is named itself."""
    known = {"inactive": ("idle", "both"), "exhausted": ("spent", "both")}
    assert _accounts(**known).standing(key) is open_standing
    assert _accounts(keys=("good", "idle"), **known).standing(key) is closed_standing


def test_one_key_has_one_account() -> None:
    """All who come with a key share its account, and all without one share another."""
    accounts = _accounts(max_connections=1)
    assert accounts.of("a") is accounts.of("a")
    assert accounts.of("a") is not accounts.of("b")
    assert accounts.of(None) is accounts.of("")
    nobody = accounts.of(None)
    assert all(nobody.enter(Member(str(number))) for number in range(3))
    assert not nobody.unsubscribe("0")


def test_connections_are_counted_in_and_out() -> None:
    """No more than the limit are in at a time; who leaves makes room, once."""
    account = _account(most=2)
    first, second, third = (Member(name) for name in "abc")
    assert account.enter(first)
    assert account.enter(second)
    assert not account.enter(third)
    account.leave(third)
    assert not account.enter(third)
    account.leave(first)
    account.leave(first)
    assert account.enter(third)


def test_subscriptions_of_the_connections_can_be_closed() -> None:
    """An id is looked for in each connection, and is gone afterwards."""
    account = _account()
    account.enter(Member("a"))
    account.enter(Member("b"))
    assert [account.unsubscribe(name) for name in ("b", "b", "c", "a")] == [
        True, False, False, True,
    ]  # fmt: skip


def test_without_a_limit_everything_is_affordable() -> None:
    """An account that is not metered never runs out."""
    account = _account()
    assert not account.metered
    assert all(account.spend(10**9, 0.0) for _ in range(10))
    assert account.retry_after_s == 0


def test_throughput_is_elastic() -> None:
    """Ten seconds' worth may be spent at once; then it flows in evenly."""
    account = _account(per_s=50, burst_s=10)
    assert account.metered
    assert account.spend(500, 100.0)
    assert not account.spend(26, 100.0)
    assert account.retry_after_s == 1
    assert not account.spend(26, 100.5)
    assert account.spend(26, 100.75)
    assert not account.spend(73, 100.75)
    assert account.retry_after_s == 2
    assert account.spend(0, 100.75)
    assert account.spend(500, 1_000.0)
    assert not account.spend(1, 1_000.0)


def test_what_costs_more_than_the_bucket_passes_when_it_is_full() -> None:
    """A costly call is not impossible: it leaves a debt that others wait for."""
    account = _account(per_s=10, burst_s=10)
    assert account.spend(500, 0.0)
    assert not account.spend(10, 40.0)
    assert account.retry_after_s == 1
    assert account.spend(0, 40.0)
    assert account.spend(10, 41.0)
    assert not account.spend(500, 50.0)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    """Units flow in with time only."""
    account = _account(per_s=10, burst_s=1)
    assert account.spend(10, 100.0)
    assert not account.spend(1, 50.0)
    assert account.spend(1, 50.1)


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 60))))
def test_no_window_gets_more_than_burst_and_flow(steps: list[tuple[float, int]]) -> None:
    """Whatever is asked when, the units spent since the start stay below what there can be."""
    account = _account(per_s=5, burst_s=20)
    now, spent = 0.0, 0
    for pause, cost in steps:
        now += pause
        if account.spend(cost, now):
            spent += cost
    assert spent <= 100 + 5 * now + 1e-6


def test_made_up_keys_do_not_pile_up() -> None:
    """Accounts that are as new are forgotten; those in use or in debt stay."""
    now = [0.0]
    accounts = Accounts(now=lambda: now[0], units_per_s=10, burst_s=1)
    used, indebted = accounts.of("used"), accounts.of("indebted")
    used.enter(Member("a"))
    for number in range(5 * _SPARE_ACCOUNTS):
        indebted.spend(10, now[0])
        now[0] += 0.01
        accounts.of(f"made up {number}")
        assert len(accounts._accounts) <= _SPARE_ACCOUNTS + 4
    assert accounts.of("used") is used
    assert accounts.of("indebted") is indebted
    assert accounts.of("made up 0") is not None
