"""A development chain with a real worker, and a sink that remembers, for tests."""

import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet import reactor, task  # noqa: TID251 - these chains run for real
from twisted.internet.defer import Deferred

from tests.assembler import assemble, deployment
from twisted_chainws.chain.model import Block, Transaction
from twisted_chainws.chain.types import Hash32
from twisted_chainws.errors import UnknownParent
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS
from twisted_chainws.sources.devchain.settings import DevchainSettings
from twisted_chainws.sources.devchain.source import DevchainSource

ADDRESSES = tuple("0x" + account.address.hex() for account in WELL_KNOWN_ACCOUNTS)
ENDLESS = assemble(":loop @loop JUMP")
LOGGING = assemble("0x2a PUSH0 MSTORE 0x77 0x20 PUSH0 LOG1 0x2a PUSH0 SSTORE STOP")
ECHO_STORAGE = assemble("PUSH0 SLOAD PUSH0 MSTORE 0x20 PUSH0 RETURN")


class RecordingSink:
    """Follows the chain as strictly as the service does and remembers every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.chain: list[Block] = []
        self.reasons: list[str] = []

    def publish(self, block: Block) -> None:
        if block.parent_hash != self.chain[-1].hash:
            raise UnknownParent(parent_hash=block.parent_hash)
        self.chain.append(block)
        self.calls.append(("publish", block.number))

    def reorganise(self, ancestor: Hash32, applied: Sequence[Block]) -> None:
        hashes = [block.hash for block in self.chain]
        if ancestor not in hashes:
            raise UnknownParent(parent_hash=ancestor)
        undone = len(hashes) - hashes.index(ancestor) - 1
        del self.chain[hashes.index(ancestor) + 1 :]
        self.calls.append(("reorganise", undone, len(applied)))
        for block in applied:
            if block.parent_hash != self.chain[-1].hash:
                raise UnknownParent(parent_hash=block.parent_hash)
            self.chain.append(block)

    def pending(self, transaction: Transaction) -> None:
        self.calls.append(("pending", "0x" + transaction.hash.hex()))

    def queued(self, transaction: Transaction) -> None:
        self.calls.append(("queued", "0x" + transaction.hash.hex()))

    def dropped(self, transaction_hash: bytes) -> None:
        self.calls.append(("dropped", "0x" + transaction_hash.hex()))

    def unhealthy(self, reason: str) -> None:
        self.reasons.append(reason)


class Chain:
    """A started source, its sink and short ways to ask."""

    def __init__(self, settings: DevchainSettings) -> None:
        self.source = DevchainSource(settings, reactor=reactor)
        self.sink = RecordingSink()

    async def start(self) -> None:
        self.sink.chain = list(await self.source.start(self.sink))

    @property
    def head(self) -> str:
        return "0x" + self.sink.chain[-1].hash.hex()

    @property
    def height(self) -> int:
        return self.sink.chain[-1].number

    def ask(self, method: str, **params: Any) -> "Deferred[Any]":
        return self.source.query(method, params)

    def send(
        self, sender: int = 0, to: str | None = ADDRESSES[9], **members: Any
    ) -> "Deferred[Any]":
        request = {"from": ADDRESSES[sender], "value": "0x1", **members}
        if to is not None:
            request["to"] = to
        return self.ask("send", transaction=request)

    async def balance(self, address: str, at: str | None = None) -> int:
        return int(await self.ask("balance", address=address, at=at or self.head), 16)

    async def nonce(self, address: str, at: str | None = None) -> int:
        return int(await self.ask("nonce", address=address, at=at or self.head), 16)

    async def place(self, code: bytes, address: str = "0x" + "c0" * 20) -> str:
        """Put runtime code at an address and return it."""
        await self.ask("set_code", address=address, code="0x" + code.hex())
        return address

    async def deploy(self, runtime: bytes) -> str:
        """Deploy a contract in a block of its own and return its address."""
        await self.send(to=None, value="0x0", data="0x" + deployment(runtime).hex())
        address = self.sink.chain[-1].receipts[-1].contract_address
        assert address is not None
        return "0x" + address.hex()

    def kill(self) -> None:
        """Kill the worker without a warning."""
        pid = self.source.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def pause(seconds: float) -> "Deferred[None]":
    """Wait on the real reactor."""
    return task.deferLater(reactor, seconds, lambda: None)


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Chain]:
    """Start a chain with these settings and stop it afterwards."""
    chain = Chain(DevchainSettings(**settings))
    await chain.start()
    try:
        yield chain
    finally:
        await chain.source.stop()


async def failure(answer: "Deferred[Any]") -> Exception:
    """Return the error that an answer ends with."""
    try:
        value = await answer
    except Exception as error:  # noqa: BLE001 - the caller looks at it
        return error
    raise AssertionError(f"expected an error, got {value!r}")
