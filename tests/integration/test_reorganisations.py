"""Reorganisations at random: what every subscriber heard adds up to what the node then answers."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest

from tests.contract import BYTECODE, SET_TOPIC, selector
from tests.integration.folding import Fold, HeadFold, LogFold, MinedFold, phases
from tests.running import Running
from tests.signing import ADDRESSES, signed
from tests.wire import Wire
from twisted_chainws.chain.model import Block, EvmTransaction, Log
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.testing import FakeSource, MemoryPair, connect, make_transaction

PARTIES: Final = tuple(Address20(bytes([digit]) * 20) for digit in (0x11, 0x22, 0x33))
TOPICS: Final = tuple(Hash32(bytes([digit]) * 32) for digit in (0xAA, 0xBB))

FILTERS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"address": "0x" + PARTIES[0].hex()},
    {"topics": [None, ["0x" + topic.hex() for topic in TOPICS]]},
)
"""Of the three log subscribers, and of three polled filters."""

PAIRS: Final[tuple[list[dict[str, str]], ...]] = (
    [],
    [{"from": "0x" + PARTIES[0].hex()}, {"to": "0x" + PARTIES[1].hex()}],
    [{"from": "0x" + PARTIES[2].hex(), "to": "0x" + PARTIES[0].hex()}],
)
"""Of the three who listen to mined transactions."""

Content = tuple[EvmTransaction, Sequence[Log]]


class Script:
    """A chain that lives at random; the same seed is the same life."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.source = FakeSource()
        self._nonce = 0

    def _log(self) -> Log:
        topics = self.random.choices(TOPICS, k=self.random.randrange(4))
        address = self.random.choice(PARTIES)
        return Log(address=address, topics=tuple(topics), data=self.random.randbytes(2))

    def _content(self) -> Content:
        self._nonce += 1
        transaction = make_transaction(
            self._nonce,
            sender=self.random.choice(PARTIES),
            to=self.random.choice((*PARTIES, None)),
        )
        return transaction, [self._log() for _ in range(self.random.randrange(3))]

    def step(self) -> None:
        """Mine a block, or take some away and put others in their place, or none."""
        height = len(self.source.blocks) - 1
        if not height or self.random.random() < 0.6:
            self.source.mine(*self._contents())
            return
        depth = self.random.randint(1, min(height, 5))
        lost = self.source.blocks[-depth:]
        branch = [self._contents() for _ in range(self.random.randint(0, depth + 2))]
        kept = self._again(lost, branch)
        self.source.reorganise(depth, branch)
        for block in lost:
            for transaction in block.transactions:
                if transaction.hash not in kept:
                    self.source.sink.pending(transaction)

    def _contents(self) -> list[Content]:
        return [self._content() for _ in range(self.random.randrange(4))]

    def _again(self, lost: Sequence[Block], branch: list[list[Content]]) -> set[Hash32]:
        """Put some transactions of lost blocks into the new ones, maybe with other logs."""
        kept: set[Hash32] = set()
        for block in lost if branch else ():
            for transaction in block.transactions:
                if isinstance(transaction, EvmTransaction) and self.random.random() < 0.5:
                    logs = [self._log() for _ in range(self.random.randrange(3))]
                    self.random.choice(branch).append((transaction, logs))
                    kept.add(transaction.hash)
        return kept


class Listener:
    """A client with one of each subscription, folding what it hears."""

    def __init__(self, pair: MemoryPair, logs: dict[str, Any], pairs: list[dict[str, str]]) -> None:
        self.pair = pair
        self.filter = logs
        self.logs, self.mined, self.heads, self.polled = (
            LogFold(),
            MinedFold(),
            HeadFold(),
            LogFold(),
        )
        mined = {"addresses": pairs, "includeRemoved": True}
        self._folds: dict[str, Fold] = {
            pair.call("eth_subscribe", "logs", logs): self.logs,
            pair.call("eth_subscribe", "alchemy_minedTransactions", mined): self.mined,
            pair.call("eth_subscribe", "newHeads"): self.heads,
        }
        self._filter_id = pair.call("eth_newFilter", logs)

    def listen(self) -> None:
        """Take what has come."""
        for message in self.pair.messages:
            params = message["params"]
            self._folds[params["subscription"]].add(params["result"])
        self.pair.messages.clear()

    def poll(self) -> None:
        """Ask the polled filter for its changes."""
        for log in self.pair.call("eth_getFilterChanges", self._filter_id):
            self.polled.add(log)

    def check(self) -> None:
        """Compare what was heard with what is."""
        logs = self.pair.call("eth_getLogs", self.filter | {"fromBlock": "0x0"})
        assert self.logs.logs() == self.polled.logs() == logs
        assert logs == self.pair.call("eth_getFilterLogs", self._filter_id_from_start())
        height = int(self.pair.call("eth_blockNumber"), 16)
        # A rollback announces no head: who only hears heads does not know what it took away.
        for number in range(1, height + 1):
            block = self.pair.call("eth_getBlockByNumber", hex(number), False)
            assert self.heads.kept[number]["hash"] == block["hash"]

    def _filter_id_from_start(self) -> str:
        made: str = self.pair.call("eth_newFilter", self.filter | {"fromBlock": "0x0"})
        return made

    def check_mined(self, pairs: list[dict[str, str]]) -> None:
        """Compare the mined transactions with those of the blocks, asked one by one."""
        height = int(self.pair.call("eth_blockNumber"), 16)
        expected = [
            transaction
            for number in range(height + 1)
            for transaction in self.pair.call("eth_getBlockByNumber", hex(number), True)[
                "transactions"
            ]
            if not pairs or any(fits(transaction, pair) for pair in pairs)
        ]
        assert self.mined.transactions() == expected


def fits(transaction: dict[str, Any], pair: dict[str, str]) -> bool:
    """Tell whether a transaction has all parties of a pair."""
    return all(transaction[name] == address for name, address in pair.items())


@pytest.mark.parametrize("seed", range(100))
def test_what_was_heard_adds_up(seed: int) -> None:
    """Three connections with different filters, fifty changes: each fold is the chain."""
    script = Script(seed)
    first = connect(script.source)
    pairs = [first] + [
        MemoryPair(
            source=script.source,
            service=first.service,
            clock=first.clock,
            site=first.site,
            path="/v2/key",
        )
        for _ in FILTERS[1:]
    ]
    listeners = [
        Listener(pair, logs, parties)
        for pair, logs, parties in zip(pairs, FILTERS, PAIRS, strict=True)
    ]
    for _ in range(50):
        script.step()
        for listener in listeners:
            listener.listen()
            if script.random.random() < 0.2:
                listener.poll()
    for listener, parties in zip(listeners, PAIRS, strict=True):
        listener.listen()
        listener.poll()
        listener.check()
        listener.check_mined(parties)
    assert sum(len(listener.logs.kept) for listener in listeners) > 0
    first.close()


@pytest.mark.parametrize("include_removed", [True, False])
def test_a_rollback_is_a_reorganisation_without_heads(include_removed: bool) -> None:
    """Logs and, by request, transactions are taken back; no header is announced."""
    source = FakeSource()
    pair = connect(source)
    names = {
        pair.call("eth_subscribe", kind, *options): kind
        for kind, options in [
            ("newHeads", []),
            ("logs", []),
            ("alchemy_minedTransactions", [{"includeRemoved": include_removed}]),
        ]
    }
    polled = pair.call("eth_newFilter", {})
    blocks = pair.call("eth_newBlockFilter")
    source.mine((make_transaction(0), [Log(address=PARTIES[0], topics=(), data=b"")]))
    pair.messages.clear()
    source.reorganise(1, [])
    told = [
        (names[message["params"]["subscription"]], message["params"]["result"]["removed"])
        for message in pair.messages
    ]
    mined = [("alchemy_minedTransactions", True)] if include_removed else []
    assert told == [("logs", True), *mined]
    assert [log["removed"] for log in pair.call("eth_getFilterChanges", polled)] == [False, True]
    assert len(pair.call("eth_getFilterChanges", blocks)) == 1
    pair.close()


# The real engine


CONTRACT: Final = "0x5fbdb2315678afecb367f032d93f642f64180aa3"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Give a server that mines on command only."""
    with Running("--silent", "--no-mining") as server:
        yield server


class Peer:
    """A connection to the real server with one of each subscription."""

    def __init__(self, wire: Wire, logs: dict[str, Any], pairs: list[dict[str, str]]) -> None:
        self.wire, self.filter, self.pairs = wire, logs, pairs
        self.logs, self.mined, self.polled = LogFold(), MinedFold(), LogFold()
        self.pending: list[str] = []
        mined = {"addresses": pairs, "includeRemoved": True}
        self._kinds = {
            wire.call("eth_subscribe", "newHeads"): "newHeads",
            wire.call("eth_subscribe", "logs", logs): "logs",
            wire.call("eth_subscribe", "alchemy_minedTransactions", mined): (
                "alchemy_minedTransactions"
            ),
            wire.call("eth_subscribe", "newPendingTransactions"): "pending",
        }
        self._polled_id = wire.call("eth_newFilter", logs)

    def listen(self) -> list[tuple[str, bool | None]]:
        """Take what has come; return kind and ``removed`` of each event."""
        told: list[tuple[str, bool | None]] = []
        for subscription, result in self.wire.settle():
            kind = self._kinds[subscription]
            told.append((kind, result.get("removed") if isinstance(result, dict) else None))
            if kind == "logs":
                self.logs.add(result)
            elif kind == "alchemy_minedTransactions":
                self.mined.add(result)
            elif kind == "pending":
                self.pending.append(result)
        return told

    def check(self) -> None:
        """Compare what was heard with what the node answers."""
        for log in self.wire.call("eth_getFilterChanges", self._polled_id):
            self.polled.add(log)
        logs = self.wire.call("eth_getLogs", self.filter | {"fromBlock": "0x0"})
        assert self.logs.logs() == self.polled.logs() == logs
        height = int(self.wire.call("eth_blockNumber"), 16)
        blocks = self.wire.batch(
            [("eth_getBlockByNumber", hex(number), True) for number in range(height + 1)]
        )
        expected = [
            transaction
            for block in blocks
            for transaction in block["transactions"]
            if not self.pairs or any(fits(transaction, pair) for pair in self.pairs)
        ]
        assert self.mined.transactions() == expected


def word(address: str) -> str:
    """An address as a topic."""
    return "0x" + "00" * 12 + address[2:]


ENGINE_FILTERS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"address": CONTRACT, "topics": [SET_TOPIC]},
    {"topics": [None, [word(ADDRESSES[1]), word(ADDRESSES[2])]]},
)
ENGINE_PAIRS: Final[tuple[list[dict[str, str]], ...]] = (
    [],
    [{"from": ADDRESSES[1]}],
    [{"from": ADDRESSES[2], "to": CONTRACT}],
)


def send(wire: Wire, chance: random.Random) -> None:
    """Send a few calls of the contract and transfers from unlocked accounts."""
    for _ in range(chance.randrange(4)):
        call = f"{selector('set(uint256)')}{chance.randrange(1000):064x}"
        given: dict[str, str] = {"from": ADDRESSES[chance.randint(1, 3)], "gas": "0x30d40"}
        given |= {"to": CONTRACT, "data": call} if chance.random() < 0.8 else {"to": ADDRESSES[9]}
        wire.call("eth_sendTransaction", given)


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(5))
def test_the_engine_adds_up_as_well(running: Running, seed: int) -> None:
    """Blocks, reorganisations, rollbacks and reverts of a real chain, heard by three connections."""
    chance = random.Random(seed)
    with Wire(running.port) as one, Wire(running.port) as two, Wire(running.port) as three:
        one.call("anvil_reset")
        one.call("evm_setAutomine", False)
        creation = {"to": None, "value": 0, "gas": 1_000_000, "data": BYTECODE}
        peers = [
            Peer(wire, logs, pairs)
            for wire, logs, pairs in zip(
                (one, two, three), ENGINE_FILTERS, ENGINE_PAIRS, strict=True
            )
        ]
        one.call("eth_sendRawTransaction", signed(0, 0, **creation))
        one.call("evm_mine")
        snapshots: list[str] = []
        for _ in range(25):
            height = int(one.call("eth_blockNumber"), 16)
            action = chance.random() if height >= 2 else 0.0
            if action < 0.5:
                send(one, chance)
                one.call("evm_mine")
            elif action < 0.7:
                one.call("anvil_reorg", chance.randint(1, min(4, height - 1)), [])
            elif action < 0.8:
                one.call("anvil_rollback", chance.randint(1, min(3, height - 1)))
            elif action < 0.9 or not snapshots:
                snapshots.append(one.call("evm_snapshot"))
            else:
                one.call("evm_revert", snapshots.pop())
            for peer in peers:
                told = peer.listen()
                if action >= 0.5:
                    phases(told)
        for peer in peers:
            peer.check()


@pytest.mark.integration
def test_the_engine_returns_lost_transactions(running: Running) -> None:
    """What a reorganisation or a rollback takes out of the chain is pending again and announced."""
    with Wire(running.port) as wire:
        wire.call("anvil_reset")
        wire.call("evm_setAutomine", False)
        subscription = wire.call("eth_subscribe", "newPendingTransactions")
        full = wire.call("eth_subscribe", "alchemy_pendingTransactions", {"toAddress": CONTRACT})
        given = {"from": ADDRESSES[1], "to": CONTRACT, "value": "0x1"}
        sent = wire.call("eth_sendTransaction", given)
        for command, params in (("anvil_reorg", [1, []]), ("anvil_rollback", [1])):
            wire.call("evm_mine")
            assert wire.call("eth_getTransactionReceipt", sent) is not None
            wire.call(command, *params)
            assert wire.call("eth_getTransactionReceipt", sent) is None
            assert wire.call("eth_getTransactionByHash", sent)["blockHash"] is None
        seen = wire.settle()
        assert [result for owner, result in seen if owner == subscription] == [sent] * 3
        objects = [result for owner, result in seen if owner == full]
        assert [(each["hash"], each["blockHash"]) for each in objects] == [(sent, None)] * 3


@pytest.mark.integration
def test_reverting_takes_logs_back(running: Running) -> None:
    """A revert is a rollback: logs and transactions are taken back and no head is announced."""
    with Wire(running.port) as wire:
        wire.call("anvil_reset")
        wire.call("evm_setAutomine", False)
        creation = {"to": None, "value": 0, "gas": 1_000_000, "data": BYTECODE}
        wire.call("eth_sendRawTransaction", signed(0, 0, **creation))
        wire.call("evm_mine")
        snapshot = wire.call("evm_snapshot")
        data = f"{selector('set(uint256)')}{7:064x}"
        wire.call("eth_sendTransaction", {"from": ADDRESSES[1], "to": CONTRACT, "data": data})
        wire.call("evm_mine")
        names = {
            wire.call("eth_subscribe", kind, *options): kind
            for kind, options in [
                ("newHeads", []),
                ("logs", []),
                ("alchemy_minedTransactions", [{"includeRemoved": True, "hashesOnly": True}]),
                ("newPendingTransactions", []),
            ]
        }
        assert wire.call("evm_revert", snapshot) is True
        told = [(names[owner], result["removed"]) for owner, result in wire.settle()]
        assert told == [("logs", True), ("alchemy_minedTransactions", True)]
        assert wire.call("eth_getLogs", {"fromBlock": "0x0"}) == []


@pytest.mark.integration
@pytest.mark.parametrize(("options", "quiet"), [((), False), (("--no-announce-rollback",), True)])
def test_the_operator_may_keep_rollbacks_quiet(options: tuple[str, ...], quiet: bool) -> None:
    """With the switch, rollback, revert and reset say nothing of blocks; the pool still does."""
    data = f"{selector('set(uint256)')}{7:064x}"
    call = {"from": ADDRESSES[1], "to": CONTRACT, "data": data, "gas": "0x30d40"}
    with Running("--silent", "--no-mining", *options) as server, Wire(server.port) as wire:
        creation = {"to": None, "value": 0, "gas": 1_000_000, "data": BYTECODE}
        wire.call("eth_sendRawTransaction", signed(0, 0, **creation))
        wire.call("evm_mine")
        names = {
            wire.call("eth_subscribe", kind, *options): kind
            for kind, options in [
                ("newHeads", []),
                ("logs", []),
                ("alchemy_minedTransactions", [{"includeRemoved": True}]),
                ("newPendingTransactions", []),
            ]
        }
        polled = wire.call("eth_newFilter", {})
        heads = wire.call("eth_newBlockFilter")
        for command, params, pending in (
            ("anvil_rollback", [1], True),
            ("evm_revert", ["<snapshot>"], False),
            ("anvil_reset", [], False),
        ):
            snapshot = wire.call("evm_snapshot")
            height = wire.call("eth_blockNumber")
            wire.call("eth_sendTransaction", call)
            wire.call("evm_mine")
            wire.settle()
            assert len(wire.call("eth_getFilterChanges", polled)) == 1
            assert len(wire.call("eth_getFilterChanges", heads)) == 1
            wire.call(command, *[snapshot if each == "<snapshot>" else each for each in params])
            told = [names[owner] for owner, _ in wire.settle()]
            taken_back = [] if quiet else ["logs", "alchemy_minedTransactions"]
            if command == "anvil_reset" and not quiet:
                taken_back.append("alchemy_minedTransactions")
            assert told == taken_back + ["newPendingTransactions"] * pending
            changes = wire.call("eth_getFilterChanges", polled)
            assert [each["removed"] for each in changes] == ([] if quiet else [True])
            assert wire.call("eth_getFilterChanges", heads) == []
            assert wire.call("eth_getLogs", {"fromBlock": "0x0"}) == []
            assert wire.call("eth_blockNumber") == ("0x0" if command == "anvil_reset" else height)
            wire.call("anvil_dropAllTransactions")
