"""Traces of the same transactions, asked of anvil and of us.

What go-ethereum does otherwise than anvil is left out of the comparison: the gas of the outermost
call, with or without what a transaction costs at least; hashes of code; accounts that are empty;
members of steps that say nothing. So is what the miner earns, which depends on the base fee.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.contract import BYTECODE, selector
from tests.interop.nodes import Foreign
from tests.running import Running
from tests.signing import ADDRESSES
from tests.wire import call_http

pytestmark = pytest.mark.interop

CONTRACT: Final = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
MINER: Final = "0x" + "00" * 20
PRICE: Final = "0x77359400"
TRANSACTIONS: Final[dict[str, dict[str, str]]] = {
    "creation": {"data": BYTECODE},
    "log": {"to": CONTRACT, "data": f"{selector('set(uint256)')}{7:064x}"},
    "payment": {"to": "0x" + "77" * 20, "value": "0x5"},
    "revert": {"to": CONTRACT, "data": selector("fail()")},
    "no gas left": {"to": CONTRACT, "data": selector("spin()"), "gas": "0x7530"},
}
TRACERS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("callTracer", {}),
    ("callTracer", {"withLog": True}),
    ("callTracer", {"onlyTopCall": True}),
    ("prestateTracer", {}),
    ("prestateTracer", {"diffMode": True}),
    ("prestateTracer", {"disableCode": True}),
    ("4byteTracer", {}),
    ("noopTracer", {}),
)

Ask = Callable[..., Any]


class Traced:
    """A chain with the transactions."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.hashes = {name: self._send(each) for name, each in TRANSACTIONS.items()}

    def ask(self, method: str, *params: Any) -> Any:
        """Call a method."""
        return call_http(self._port, method, *params)

    def _send(self, transaction: dict[str, str]) -> str:
        usual = {"from": ADDRESSES[0], "gas": "0x200000", "gasPrice": PRICE}
        sent: str = self.ask("eth_sendTransaction", usual | transaction)
        while self.ask("eth_getTransactionReceipt", sent) is None:
            pass
        return sent


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Traced, Traced]]:
    """Give anvil and ours."""
    with Foreign("anvil", tmp_path_factory.mktemp("anvil")) as anvil, Running("--silent") as ours:
        yield Traced(anvil.port), Traced(ours.port)


def comparable(trace: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not compared."""
    if "structLogs" in trace:
        return trace | {"structLogs": [_step(step) for step in trace["structLogs"]]}
    if "pre" in trace:
        return {name: _accounts(trace[name]) for name in ("pre", "post")}
    if "gasUsed" in trace:
        return {name: value for name, value in trace.items() if name != "gas"}
    return _accounts(trace)


def _accounts(accounts: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for address, account in accounts.items():
        if isinstance(account, dict):
            there = {name: value for name, value in account.items() if name != "codeHash"}
            if address != MINER and there != {"balance": "0x0"}:
                kept[address] = there
        else:
            kept[address] = account
    return kept


def _step(step: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in step.items() if name != "gas" and value not in (0, [], "0x")
    }


@pytest.mark.parametrize("name", TRANSACTIONS)
@pytest.mark.parametrize(("tracer", "config"), TRACERS)
def test_a_transaction(
    chains: tuple[Traced, Traced], tracer: str, config: dict[str, Any], name: str
) -> None:
    """Each native tracer finds the same."""
    theirs, ours = (
        one.ask(
            "debug_traceTransaction", one.hashes[name], {"tracer": tracer, "tracerConfig": config}
        )
        for one in chains
    )
    assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize("options", [{}, {"enableMemory": True}, {"disableStack": True}])
@pytest.mark.parametrize("name", ["log", "payment", "revert"])
def test_the_steps_of_a_call(
    chains: tuple[Traced, Traced], name: str, options: dict[str, Any]
) -> None:
    """Each step has the same place, cost, stack, memory and storage."""
    call = TRANSACTIONS[name] | {"from": ADDRESSES[0], "gas": "0x30d40"}
    theirs, ours = (
        comparable(one.ask("debug_traceCall", call, "latest", options)) for one in chains
    )
    assert ours == theirs
