"""Precompiles that move and accounts that look different."""

from typing import Any

import pytest

from tests.sources.devchain.engine.building import ALICE, CLEARS, STORE
from twisted_chainws.errors import InvalidOverride
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.overrides import (
    override_accounts,
    override_precompiles,
)
from twisted_chainws.sources.devchain.engine.requests import AccountOverride
from twisted_chainws.sources.devchain.engine.state import state_at

ONE, TWO, THREE = (bytes(19) + bytes([number]) for number in (1, 2, 3))
FAR, AWAY = b"\xfa" * 20, b"\xaf" * 20
KNOWN = {ONE: "one", TWO: "two", THREE: "three"}


def account(address: bytes, **changes: Any) -> AccountOverride:
    """Return an override of these properties."""
    blank = dict.fromkeys(("balance", "nonce", "code", "state", "state_diff", "move_precompile_to"))
    return AccountOverride(address=address, **(blank | changes))


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ([], KNOWN),
        ([account(FAR, balance=1)], KNOWN),
        ([account(ONE, move_precompile_to=FAR)], {TWO: "two", THREE: "three", FAR: "one"}),
        # The other precompile is lost.
        ([account(ONE, move_precompile_to=TWO)], {TWO: "one", THREE: "three"}),
        # The last one to arrive stays.
        (
            [account(ONE, move_precompile_to=FAR), account(TWO, move_precompile_to=FAR)],
            {THREE: "three", FAR: "two"},
        ),
        ([account(ONE, code=b"\x00")], {TWO: "two", THREE: "three"}),
        ([account(ONE, balance=1)], {TWO: "two", THREE: "three"}),
    ],
)
def test_precompiles_move(accounts: list[AccountOverride], expected: dict[bytes, str]) -> None:
    """An overridden precompile leaves its address; a moved one answers elsewhere."""
    assert override_precompiles(KNOWN, accounts) == expected
    assert set(KNOWN) == {ONE, TWO, THREE}


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        ([account(FAR, move_precompile_to=AWAY)], "account {far} is not a precompile"),
        (
            [account(ONE, move_precompile_to=FAR), account(FAR, balance=1)],
            "account {far} is already overridden",
        ),
        ([account(ONE, move_precompile_to=ONE)], "account {one} is already overridden"),
        # The address decides the order, not the place in the list.
        (
            [account(FAR, move_precompile_to=AWAY), account(ONE, move_precompile_to=FAR)],
            "account {far} is already overridden",
        ),
    ],
)
def test_a_move_that_cannot_be_is_refused(accounts: list[AccountOverride], reason: str) -> None:
    """Only precompiles move, and never onto an overridden account."""
    with pytest.raises(InvalidOverride) as caught:
        override_precompiles(KNOWN, accounts)
    names = {"far": "0xFaFAfafAFaFaFafafAfAFAFaFAfAFafAFafaFAFa", "one": "0x" + ONE.hex()}
    assert caught.value.reason.lower() == reason.format(**names).lower()


def test_accounts_look_as_told(engine: Engine) -> None:
    """Each property replaces the old one; ``state`` forgets other slots, ``state_diff`` does not."""
    state = state_at(engine._chain, engine.head, engine.head.state_root)
    override_accounts(
        state,
        [
            account(ALICE, balance=5, nonce=6, code=b"\x01"),
            account(CLEARS, state={3: 9}),
            account(STORE, state_diff={4: 8, 5: 0}),
        ],
    )
    assert state.get_balance(ALICE) == 5
    assert state.get_nonce(ALICE) == 6
    assert state.get_code(ALICE) == b"\x01"
    assert [state.get_storage(CLEARS, slot) for slot in range(5)] == [0, 0, 0, 9, 0]
    assert [state.get_storage(STORE, slot) for slot in (4, 5)] == [8, 0]


def test_a_patch_keeps_other_slots(engine: Engine) -> None:
    """Only the slots named change."""
    state = state_at(engine._chain, engine.head, engine.head.state_root)
    override_accounts(state, [account(CLEARS, state_diff={0: 1, 1: 0})])
    assert [state.get_storage(CLEARS, slot) for slot in range(3)] == [1, 0, 7]
