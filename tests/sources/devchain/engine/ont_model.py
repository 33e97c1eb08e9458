"""Another account of ONT and ONG, as plain as can be: dictionaries, copied before each script.

Knows scripts of few short calls only: they all cost 20,000 units of gas. Seconds count from
Ontology's genesis and stay in the first year, when an ONT gives 5 * 10^-9 ONG a second.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.sources.devchain.engine.ont_states import ONG, ONT, UNIT
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.tokens import GOVERNANCE_CONTRACT

GAS = 20_000

Told: TypeAlias = tuple[Address20, Address20, Address20, int]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call; amounts as they are written, scaled if ``version`` is V2.

    Attributes:
        parties: of ``transfer`` pairs, of the others one entry of all their addresses.
    """

    contract: Address20
    method: str
    version: str
    entries: tuple[tuple[tuple[Address20, ...], int], ...]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A transaction; the price in 10^-9 ONG."""

    calls: tuple[Call, ...]
    signers: frozenset[Address20]
    payer: Address20
    price: int
    second: int
    charge: bool


class FailedError(Exception):
    """The script fails."""


@dataclass
class Model:
    """What everybody has, may move and has been given."""

    deadline: int
    has: Counter[tuple[Address20, Address20]] = field(default_factory=Counter)
    may: Counter[tuple[Address20, Address20, Address20]] = field(default_factory=Counter)
    since: Counter[Address20] = field(default_factory=Counter)

    def apply(self, sent: Sent) -> tuple[bool, list[Told]]:
        """Do what a transaction does; return whether it went well, and what it told."""
        kept = self.has.copy(), self.may.copy(), self.since.copy()
        told: list[Told] = []
        try:
            self._check_purse(sent)
            for call in sent.calls:
                self._call(call, sent, told)
            self._check_purse(sent)
        except FailedError:
            self.has, self.may, self.since = kept
            return False, self._pay(sent)
        return True, told + self._pay(sent)

    def affordable(self, sent: Sent) -> int:
        """Return how much gas the payer can pay for, as far as a script needs it."""
        if not sent.charge or not sent.price:
            return GAS
        return min(GAS, self.has[ONG, sent.payer] // UNIT // sent.price)

    def _check_purse(self, sent: Sent) -> None:
        if self.affordable(sent) < GAS:
            raise FailedError

    def _pay(self, sent: Sent) -> list[Told]:
        fee = self.affordable(sent) * sent.price * UNIT if sent.charge else 0
        if not fee:
            return []
        self.has[ONG, sent.payer] -= fee
        self.has[ONG, GOVERNANCE_CONTRACT] += fee
        return [(ONG, sent.payer, GOVERNANCE_CONTRACT, fee)]

    def _call(self, call: Call, sent: Sent, told: list[Told]) -> None:
        later: list[Told] = []
        for parties, written in call.entries:
            amount = written if call.version else written * UNIT
            if call.method == "approve":
                self._demand(parties[0] in sent.signers)
                self.may[call.contract, parties[0], parties[1]] = amount
                continue
            if not amount:
                continue
            if call.method == "transferFrom":
                spender, source, target = parties
                self._demand(spender in sent.signers)
                self._demand(self.may[call.contract, source, spender] >= amount)
                self.may[call.contract, source, spender] -= amount
            else:
                source, target = parties
                self._demand(source in sent.signers)
            self._move(call.contract, source, target, amount, sent, told)
            later.append((call.contract, source, target, amount))
        told += later

    def _move(self, *what: Any) -> None:
        contract, source, target, amount, sent, told = what
        self._demand(self.has[contract, source] >= amount)
        before = self.has[contract, source]
        self.has[contract, source] -= amount
        held = {target: self.has[contract, target], source: before}
        self.has[contract, target] += amount
        if contract == ONT:
            for account in dict.fromkeys((source, target)):
                self._give(account, held[account] // UNIT, sent, told)

    def _give(self, account: Address20, held: int, sent: Sent, told: list[Told]) -> None:
        if sent.second <= 0:
            return
        if sent.second < self.since[account]:
            self._demand(not sent.charge)
            return
        if sent.second == self.since[account]:
            return
        seconds = range(self.since[account], min(sent.second, self.deadline))
        self.since[account] = sent.second
        if not held:
            return
        self.may[ONG, ONT, account] += 5 * len(seconds) * held * UNIT
        due = self.may[ONG, ONT, account]
        if sent.second > self.deadline and account != GOVERNANCE_CONTRACT and due:
            self._demand(self.has[ONG, ONT] >= due)
            self.may[ONG, ONT, account] = 0
            self.has[ONG, ONT] -= due
            self.has[ONG, account] += due
            told.append((ONG, ONT, account, due))

    def _demand(self, condition: bool) -> None:
        if not condition:
            raise FailedError
