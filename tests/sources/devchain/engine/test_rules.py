"""Each fork has its machine; those that make blocks are ours."""

from dataclasses import replace
from typing import Any

import pytest
from eth.vm import forks

from twisted_chainws.chain.forks import (
    CANCUN_BLOBS,
    DEPOSIT_CONTRACT,
    DEVELOPMENT,
    PRAGUE_BLOBS,
    RULES,
    Fork,
)
from twisted_chainws.sources.devchain.engine.osaka import OsakaVM
from twisted_chainws.sources.devchain.engine.rules import vm_class
from twisted_chainws.sources.devchain.engine.vm import DevVM

PRAGUE = DEVELOPMENT.forks[0]
OSAKA = replace(PRAGUE, name="osaka", rules="osaka")


def fork(rules: str) -> Fork:
    """Return a fork with nothing but its rules."""
    blobs = CANCUN_BLOBS if rules == "cancun" else None
    return Fork(name=rules, rules=rules, start=0, timed=False, blobs=blobs)


@pytest.mark.parametrize("rules", RULES)
def test_every_set_of_rules_has_a_machine(rules: str) -> None:
    """It is that of py-evm, or ours on top of it, and its state knows the fork."""
    words = "".join(word.capitalize() for word in rules.split("_"))
    stock = {"Tangerine": "TangerineWhistle", "Spurious": "SpuriousDragon", "Osaka": "Prague"}
    machine = vm_class(fork(rules), DEPOSIT_CONTRACT)
    assert issubclass(machine, getattr(forks, stock.get(words, words) + "VM"))
    assert machine.get_state_class().fork.rules == rules


def test_a_development_chain_has_its_own_machine() -> None:
    """No class is made for what the classes say already."""
    assert vm_class(PRAGUE, DEPOSIT_CONTRACT) is DevVM
    assert vm_class(OSAKA, DEPOSIT_CONTRACT) is OsakaVM
    assert DevVM.blobs == PRAGUE_BLOBS


@pytest.mark.parametrize("base", [PRAGUE, OSAKA])
def test_blobs_and_deposits_of_a_schedule(base: Fork) -> None:
    """Another deposit contract or other blobs make another class, always the same one."""
    ours: Any = vm_class(base, DEPOSIT_CONTRACT)
    fewer = replace(base, blobs=CANCUN_BLOBS)
    for changed, contract in ((fewer, DEPOSIT_CONTRACT), (base, bytes(20))):
        machine = vm_class(changed, contract)
        assert issubclass(machine, ours)
        assert machine is not ours
        assert machine is vm_class(changed, contract)
        assert machine.deposit_contract == contract
        assert machine.blobs == machine.get_state_class().fork.blobs == changed.blobs
