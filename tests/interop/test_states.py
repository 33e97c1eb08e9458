"""States as files go back and forth between our development chain and anvil."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract import BYTECODE, selector
from tests.interop.nodes import Foreign
from tests.running import Running
from tests.signing import ADDRESSES
from tests.wire import call_http

pytestmark = pytest.mark.interop

CONTRACT: Final = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
ACCOUNTS: Final = (*ADDRESSES[:2], CONTRACT)

Ask = Callable[..., Any]


def asking(port: int) -> Ask:
    """Return a function of method and parameters."""
    return lambda method, *params: call_http(port, method, *params)


@pytest.fixture
def ours() -> Iterator[Ask]:
    """Give a development chain of ours."""
    with Running("--silent") as running:
        yield asking(running.port)


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Foreign]:
    """Give a running anvil."""
    with Foreign("anvil", tmp_path) as foreign:
        yield foreign


def send(ask: Ask, **transaction: str) -> None:
    """Send a transaction of the first account, and wait for its block."""
    sent = ask("eth_sendTransaction", {"from": ADDRESSES[0], "gas": "0x200000"} | transaction)
    while ask("eth_getTransactionReceipt", sent) is None:
        pass


def live(ask: Ask) -> None:
    """Make a contract, storage and payments, and set the clock forward."""
    send(ask, data=BYTECODE)
    set_to(ask, 7)
    send(ask, to=ADDRESSES[1], value="0x5")
    ask("evm_increaseTime", 1_000_000)
    ask("evm_mine")
    set_to(ask, 8)


def set_to(ask: Ask, value: int) -> None:
    """Make the contract keep a value."""
    send(ask, to=CONTRACT, data=f"{selector('set(uint256)')}{value:064x}")


def accounts(ask: Ask) -> list[list[str]]:
    """Return what there is to know of the accounts."""
    return [
        [
            ask("eth_getBalance", one, "latest"),
            ask("eth_getTransactionCount", one, "latest"),
            ask("eth_getCode", one, "latest"),
            ask("eth_getStorageAt", one, "0x0", "latest"),
        ]
        for one in ACCOUNTS
    ]


def test_anvil_goes_on_from_our_dump(ours: Ask, anvil: Foreign) -> None:
    """With the same accounts, at the same height, on the same head."""
    live(ours)
    there = asking(anvil.port)
    assert there("anvil_loadState", ours("anvil_dumpState")) is True
    assert accounts(there) == accounts(ours)
    head = ours("eth_getBlockByNumber", "latest", False)
    assert there("eth_getBlockByNumber", "latest", False)["hash"] == head["hash"]
    set_to(there, 9)
    new = there("eth_getBlockByNumber", "latest", False)
    assert new["parentHash"] == head["hash"]
    assert int(new["number"], 16) == int(head["number"], 16) + 1
    assert there("eth_getStorageAt", CONTRACT, "0x0", "latest") == f"0x{9:064x}"


@pytest.mark.parametrize("method", ["anvil_loadState", "hardhat_loadState"])
def test_we_go_on_from_a_dump_of_anvil(ours: Ask, anvil: Foreign, method: str) -> None:
    """With the same accounts, and a clock that is not behind."""
    there = asking(anvil.port)
    live(there)
    assert ours(method, there(method.replace("load", "dump"))) is True
    assert accounts(ours) == accounts(there)
    (before, after) = (ask("eth_getBlockByNumber", "latest", False) for ask in (there, ours))
    assert int(after["timestamp"], 16) >= int(before["timestamp"], 16)
    set_to(ours, 9)
    assert ours("eth_getStorageAt", CONTRACT, "0x0", "latest") == f"0x{9:064x}"


def test_we_go_on_from_a_file_of_anvil(ours: Ask, anvil: Foreign, tmp_path: Path) -> None:
    """It writes one when it ends, which is not packed."""
    there = asking(anvil.port)
    live(there)
    expected = accounts(there)
    anvil.stop()
    (file,) = tmp_path.glob("anvil*.json")
    assert ours("anvil_loadState", f"0x{file.read_bytes().hex()}") is True
    assert accounts(ours) == expected
