"""The client against the server of this package in a process of its own."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.client.ethereum.nodes import Relay, options
from tests.client.listening import heights
from tests.client.ontology.ledger import BOB, ONG, ONT
from tests.client.ontology.nodes import Collector
from tests.running import ROOT, Running, free_port
from tests.signing import ADDRESSES
from tests.websocket.scripted import limit, pause, until
from twisted_chainws.client import EthereumClient, Misuse, RpcError, State
from twisted_chainws.client.ontology import (
    Balance,
    Block,
    Key,
    Notify,
    OntologyClient,
    Reset,
    TokenTransfer,
    Topics,
    approve,
    raw_of,
    shown_hash,
    transfer,
)

pytestmark = pytest.mark.integration
WIFS: Final = (
    "Kyii71Jsso1sHHBZsPTjwxtKLbxXAsPb2LZkdPinmAYML2jWAhax",
    "L16gwCtuSeMQoPuRqvRCJjrddnt7hQME7rFsoujMshA7KcYw1ww7",
)
"""The public keys of the first accounts, as the server prints them."""
RICH, SPENDER = map(Key.from_wif, WIFS)
PAYEE: Final = BOB.address


@dataclass
class Stand:
    """A server and whoever makes its blocks.

    Attributes:
        port: of the Ontology listener.
        ethereum: controls the chain.
    """

    port: int
    ethereum: EthereumClient

    def client(self, port: int | None = None, **more: Any) -> OntologyClient:
        return OntologyClient(f"ws://127.0.0.1:{port or self.port}/", options(**more))

    async def mine(self, count: int = 1) -> None:
        for _ in range(count):
            await self.ethereum.call("evm_mine")


@asynccontextmanager
async def standing(*arguments: str) -> AsyncIterator[Stand]:
    """Start everything, and leave nothing behind."""
    port = free_port()
    all_arguments = ("--silent", "--listen", f"ontology=tcp:{port}", *arguments)
    server = await deferToThread(lambda: Running(*all_arguments).__enter__())
    try:
        await deferToThread(lambda: server.wait(port))
        async with EthereumClient(server.ws, options()) as ethereum:
            yield Stand(port, ethereum)
        assert server.faults() == []
    finally:
        server.stop()


@pytest_twisted.ensureDeferred
async def test_tokens() -> None:
    """ONT and ONG move as they are told to, in whole units and in parts, and events say so."""
    async with standing() as stand, stand.client() as client:
        assert client.chain_id == 3
        before = await limit(client.get_balance_v2(RICH.address))
        events = await Collector.of(client, events=True, contracts=[ONT, ONG])
        ont = await limit(client.transfer("ont", RICH, PAYEE, 7))
        ong = await limit(client.transfer("ong", RICH, PAYEE, 10**18 + 1, scaled=True))
        first, second = await events.sees(2)
        assert [first.tx_hash, second.tx_hash] == [ont, ong]
        assert first.transfers == (
            TokenTransfer(asset="ONT", source=RICH.address, target=PAYEE, amount=7 * 10**9),
        )
        assert [one.amount for one in second.transfers] == [10**18 + 1]
        assert (first.block_number, second.block_number) == (1, 2)
        assert await limit(client.get_balance(PAYEE)) == Balance(ont=7, ong=10**9, height=2)
        assert await limit(client.get_balance_v2(PAYEE)) == Balance(
            ont=7 * 10**9, ong=10**18 + 1, height=2
        )
        after = await limit(client.get_balance_v2(RICH.address))
        assert (before.ont - after.ont, before.ong - after.ong) == (7 * 10**9, 10**18 + 1)


@pytest_twisted.ensureDeferred
async def test_allowances() -> None:
    """What was approved may be moved by the spender, and not more."""
    async with standing() as stand, stand.client() as client:
        approval = await limit(client.sign(approve("ong", RICH, SPENDER.address, 10)))
        assert (await limit(client.pre_execute(approval))).result == "01"
        assert (await limit(client.send_and_wait(approval))).succeeded
        allowance = client.get_allowance("ong", RICH.address, SPENDER.address)
        assert await limit(allowance) == 10
        moved = await limit(client.transfer_from("ong", SPENDER, RICH.address, PAYEE, 4))
        assert (await limit(client.confirm(moved))).succeeded
        assert await limit(client.get_allowance_v2("ong", RICH.address, SPENDER.address)) == (
            6 * 10**9
        )
        with pytest.raises(RpcError) as failed:
            await limit(client.transfer_from("ong", SPENDER, RICH.address, PAYEE, 7))
        assert failed.value.code == -1
        with pytest.raises(Misuse, match="no ONG to claim"):
            await limit(client.claim_ong(RICH))


@pytest_twisted.ensureDeferred
async def test_claiming() -> None:
    """Where the network gives ONG to those who hold ONT, it can be claimed."""
    arguments = ("--ontology-network", "1", "--timestamp", "1540000000")
    async with standing(*arguments) as stand, stand.client(chain_id=1) as client:
        moved = await limit(client.transfer("ont", RICH, PAYEE, 1))
        assert (await limit(client.confirm(moved))).succeeded
        unbound = await limit(client.get_unbound_ong(RICH.address))
        assert unbound > 0
        before = await limit(client.get_balance(RICH.address))
        claimed = await limit(client.claim_ong(RICH))
        assert (await limit(client.confirm(claimed))).succeeded
        after = await limit(client.get_balance(RICH.address))
        assert after.ong - before.ong == unbound
        assert await limit(client.get_unbound_ong(RICH.address)) == 0


@pytest_twisted.ensureDeferred
async def test_every_action() -> None:
    """Each action gives its type, and what belongs together agrees."""
    async with standing() as stand, stand.client() as client:
        signed = await limit(client.sign(transfer("ont", RICH, PAYEE, 5)))
        event = await limit(client.send_and_wait(signed))
        name = event.tx_hash
        block = await limit(client.get_block(1))
        assert block.transactions == (name,) == (shown_hash(signed),)
        assert await limit(client.get_block(block.hash)) == block
        raw = await limit(client.get_raw_block(1))
        assert (raw.hash, raw.parent_hash) == (block.hash, block.parent_hash)
        assert await limit(client.get_raw_block(block.hash)) == raw
        assert (await limit(client.get_block_hashes(1))).transactions == (name,)
        assert await limit(client.get_block_hash(1)) == block.hash
        assert await limit(client.get_block_height()) == 1
        found = await limit(client.get_transaction(name))
        assert (found.hash, found.number, found.payer) == (name, 1, RICH.address)
        assert await limit(client.get_raw_transaction(name)) == raw_of(signed)
        assert await limit(client.get_height_of_transaction(name)) == 1
        assert await limit(client.get_event(name)) == event
        assert await limit(client.get_events(1)) == (event,)
        assert await limit(client.get_event("11" * 32)) is None
        assert await limit(client.get_events(0)) == ()
        topics = await limit(client.heartbeat())
        assert topics == Topics(
            events=False, json_blocks=False, raw_blocks=False, hashes=False, contracts=()
        )
        assert await limit(client.get_session_count()) == 1
        assert await limit(client.get_connection_count()) == 1
        assert await limit(client.get_network_id()) == 3
        assert await limit(client.get_version())
        assert (await limit(client.get_gas_price())).price == 0
        assert await limit(client.get_grant_ong(RICH.address)) == 0
        owned = await limit(client.get_storage(ONT, BOB_BYTES))
        assert int.from_bytes(owned, "little") == 5
        contract = await limit(client.get_contract(ONT))
        assert (contract.name, contract.code) == ("ONT", bytes(19) + b"\1")
        assert contract.code in await limit(client.get_raw_contract(ONT))
        with pytest.raises(RpcError, match="UNKNOWN BLOCK"):
            await limit(client.get_block(99))


BOB_BYTES: Final = bytes.fromhex("d2c124dd088190f709b684e0bc676d70c41b3776")


@pytest_twisted.ensureDeferred
async def test_what_waits() -> None:
    """A transaction that waits is seen in the pool, and confirmed when a block is made."""
    async with standing("--no-mining") as stand, stand.client() as client:
        signed = await limit(client.sign(transfer("ong", RICH, PAYEE, 5)))
        name = shown_hash(signed)
        waiting = client.send_and_wait(signed)

        await _is_waiting(client, name)
        assert sum(await limit(client.get_mempool_count())) == 1
        assert (await limit(client.get_mempool_state(name))).data == raw_of(signed)
        assert await limit(client.get_event(name)) is None
        await stand.mine()
        assert (await limit(waiting)).tx_hash == name
        assert await limit(client.get_mempool_count()) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_proofs() -> None:
    """Every transaction is proved down to the head, whatever is built on it."""
    async with standing() as stand, stand.client() as client:
        names = [await limit(client.transfer("ong", RICH, PAYEE, number)) for number in (1, 2, 3)]
        await stand.mine(4)
        for height, name in enumerate(names, start=1):
            proof = await limit(client.prove(name))
            assert (proof.number, proof.last_number, proof.is_right) == (height, 7, True)


@pytest_twisted.ensureDeferred
async def test_a_reorganisation() -> None:
    """The reset names what has left, and the new blocks follow."""
    async with standing() as stand, stand.client() as client:
        blocks = await Collector.of(client, blocks=True)
        await stand.mine(4)
        assert heights(await blocks.sees(4)) == [1, 2, 3, 4]
        await stand.ethereum.call("anvil_reorg", 2, [])
        await stand.mine()
        latest = await limit(client.get_block_hash(5))
        await until(lambda: getattr(blocks.events[-1], "hash", "") == latest)
        assert heights(blocks.events) == [1, 2, 3, 4, [4, 3], 3, 4, 5]
        stands = [*blocks.events[:2], *blocks.events[5:]]
        assert all(above.parent_hash == below.hash for below, above in pairwise(stands))
        reset: Any = blocks.events[4]
        assert isinstance(reset, Reset)
        assert list(reset.removed) == blocks.events[3:1:-1]


@pytest_twisted.ensureDeferred
async def test_an_outage() -> None:
    """Cut off over blocks, payments and a reorganisation, a client has seen what another has."""
    async with (
        standing() as stand,
        Relay(stand.port) as relay,
        stand.client() as steady,
        stand.client(relay.port) as client,
    ):
        wishes: list[dict[str, Any]] = [
            {"blocks": True, "raw_blocks": True},
            {"events": True},
            {"events": True, "contracts": [ONT]},
        ]
        pairs = [[await Collector.of(each, **wish) for each in (steady, client)] for wish in wishes]
        await limit(steady.transfer("ont", RICH, PAYEE, 1))
        await pairs[0][1].sees(2)
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        for number in range(3):
            await limit(steady.transfer("ong", RICH, PAYEE, number + 1))
            await stand.ethereum.call(
                "eth_sendTransaction", {"from": ADDRESSES[0], "to": ADDRESSES[1], "value": "0x1"}
            )
            await stand.mine()
        relay.closed = False
        await until(lambda: client.state is State.OPEN)
        last = await limit(client.transfer("ont", RICH, PAYEE, 2))
        for first, second in pairs:
            for one in (first, second):
                await until(lambda one=one: _has(one.events, last))
            assert first.events == second.events
        assert [len(one[1].events) for one in pairs] == [22, 8, 2]
        assert client.counters.gaps == 0


def _has(events: list[Any], name: str) -> bool:
    """Tell whether a transaction was told of."""
    last = events[-1]
    if isinstance(last, Notify):
        return last.tx_hash == name
    return isinstance(last, Block) and name in last.transactions


@pytest_twisted.ensureDeferred
async def test_sending_over_an_outage() -> None:
    """A payment whose connection ends is made once, and confirmed."""
    async with (
        standing("--no-mining") as stand,
        Relay(stand.port) as relay,
        stand.client() as steady,
        stand.client(relay.port) as client,
    ):
        signed = await limit(client.sign(transfer("ont", RICH, PAYEE, 3)))
        waiting = client.send_and_wait(signed)
        await _is_waiting(steady, shown_hash(signed))
        relay.cut()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        await _is_waiting(steady, shown_hash(signed))
        await stand.mine()
        assert (await limit(waiting)).tx_hash == shown_hash(signed)
        assert (await limit(client.get_balance(PAYEE))).ont == 3


async def _is_waiting(client: OntologyClient, name: str) -> None:
    """Wait until a transaction, and no other, waits for a block."""
    while await limit(client.get_mempool_hashes()) != (name,):
        await pause(0.01)


@pytest_twisted.ensureDeferred
async def test_confirmations() -> None:
    """A server that holds blocks back tells of them late, and nothing is taken for a reset."""
    async with standing("--confirmations", "2") as stand:
        await stand.mine(3)
        async with stand.client() as client:
            blocks = await Collector.of(client, hashes=True)
            await stand.mine(4)
            assert heights(await blocks.sees(3)) == [3, 4, 5]
            await stand.mine()
            assert heights(await blocks.sees(4)) == [3, 4, 5, 6]


@pytest.mark.slow
@pytest_twisted.ensureDeferred
async def test_an_idle_session(tmp_path: Path) -> None:
    """A server that ends sessions too soon for us is connected to anew, and nothing is missed."""
    settings = tmp_path / "settings.toml"
    settings.write_text("[limits.ontology]\nidle-s = 1\n", encoding="utf-8")
    async with standing("--config", str(settings)) as stand, stand.client() as client:
        blocks = await Collector.of(client, blocks=True)
        reasons: list[str] = []
        client.on("state", lambda status: reasons.append(status.reason))
        await until(lambda: client.counters.reconnects == 1)
        await until(lambda: client.state is State.OPEN)
        assert reasons[0] == "session expired"
        await stand.mine()
        assert heights(await blocks.sees(1)) == [1]


ASYNCIO: Final = """
import asyncio, sys
from twisted.internet import asyncioreactor
loop = asyncio.new_event_loop()
asyncioreactor.install(loop)
from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted_chainws.client import ontology_client
from twisted_chainws.client.ontology import Key, transfer

KEY, PAYEE = Key.from_wif(sys.argv[2]), sys.argv[3]

async def main():
    async with ontology_client("ws://127.0.0.1:" + sys.argv[1]) as client:
        blocks, events = await asyncio.gather(
            client.subscribe(blocks=True), client.subscribe(events=True)
        )
        waiting = asyncio.create_task(anext(events))
        signed = await client.sign(transfer("ong", KEY, PAYEE, 5))
        async with asyncio.timeout(20):
            event = await client.send_and_wait(signed)
            print(event.succeeded, (await waiting).tx_hash == event.tx_hash)
            async for block in blocks:
                print(event.tx_hash in block.transactions)
                await blocks.unsubscribe()
            print((await client.get_balance(PAYEE)).ong)
        try:
            async with asyncio.timeout(0.01):
                await events.next()
        except TimeoutError as error:
            print(type(error).__name__)

task.react(lambda reactor: Deferred.fromFuture(loop.create_task(main())))
"""


@pytest_twisted.ensureDeferred
async def test_asyncio() -> None:
    """Tasks of asyncio may await and iterate, gather and give up."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    async with standing() as stand:
        done = await deferToThread(
            subprocess.run,
            [sys.executable, "-c", ASYNCIO, str(stand.port), WIFS[0], PAYEE],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.stderr, done.stdout.splitlines()) == (
        "",
        ["True True", "True", "5", "TimeoutError"],
    )
