"""The development chain as a Source: the parent's half of it.

Keeps the canonical hashes and the pooled transactions that the sink has been told, so that a new
worker can say exactly what the old one did not live to tell.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

from twisted_chainws.chain.forks import DEVELOPMENT
from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.chain.ports import Sink
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.errors import Unsupported
from twisted_chainws.sources.abi import EventNames
from twisted_chainws.sources.devchain.codec import (
    decode_block,
    decode_hex,
    decode_transaction,
    encode_hex,
)
from twisted_chainws.sources.devchain.genesis import decode_forks
from twisted_chainws.sources.devchain.methods import METHODS
from twisted_chainws.sources.devchain.miner import IntervalMiner
from twisted_chainws.sources.devchain.process import EngineProcess
from twisted_chainws.sources.devchain.settings import DevchainSettings, encode_settings

__all__ = ["DevchainSource"]

DATABASE_NAME: Final = "chain.sqlite"
_KNOWN_BLOCKS: Final = 100_000

_log: Final = Logger()


def _revive_transaction(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"transaction": decode_transaction(answer["transaction"])}


def _revive_block(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"block": decode_block(answer["block"])}


def _revive_simulated(answer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_revive_block(item) for item in answer]


_REVIVED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "build_block": _revive_block,
    "fill": _revive_transaction,
    "pending_block": decode_block,
    "sign_transaction": _revive_transaction,
    "simulate": _revive_simulated,
}


class DevchainSource:
    """A development chain in a process of its own; implements ``chain.ports.Source``.

    Attributes:
        chain_id: of the settings until the chain has started; a stored chain keeps its own.
        forks: right once the chain has started, too.
    """

    def __init__(
        self, settings: DevchainSettings, *, reactor: Any, names: EventNames | None = None
    ) -> None:
        """Make a chain that has not been started.

        Args:
            settings: of the chain.
            reactor: spawns the worker and times interval mining.
            names: of events, which ``register_abi`` adds to; None begins without any.
        """
        self.chain_id = settings.chain_id
        self.forks = DEVELOPMENT
        self._settings = settings
        self._names = names or EventNames()
        self._reactor = reactor
        self._sink: Sink | None = None
        self._directory: Path | None = None
        self._canonical: list[bytes] = []
        self._pooled: dict[bytes, str] = {}
        self._first: tuple[Block, ...] = ()
        self._process = EngineProcess(
            reactor=reactor,
            attach=self._attach,
            on_attached=self._attached,
            on_event=self._event,
            on_unhealthy=self._unhealthy,
        )
        self._miner = IntervalMiner(clock=reactor, mine=lambda: self.query("mine", {}))

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None while there is none."""
        return self._process.pid

    async def start(self, sink: Sink) -> tuple[Block, ...]:
        """Start the worker and return the canonical chain, oldest first.

        Raises:
            SourceUnavailable: the worker does not start, or not on this data directory.
        """
        self._make_directory()
        self._sink = sink
        try:
            await self._process.start()
        except BaseException:
            await self.stop()
            raise
        first, self._first = self._first, ()
        return first

    async def stop(self) -> None:
        """Stop mining and the worker; remove the private directory."""
        self._sink = None
        self._miner.set_interval(None)
        await self._process.stop()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def submit(self, kind: Kind, raw: bytes) -> "Deferred[str]":
        """Send a signed transaction and return its hash.

        Raises:
            TransactionRejected: one of its subclasses.
            Unsupported: the development chain does not run that family.
        """
        if kind is Kind.EVM:
            return self.query("send_raw", {"raw": encode_hex(raw)})
        return self.query("send_native", {"kind": kind.value, "raw": encode_hex(raw)})

    def query(self, method: str, params: Mapping[str, Any]) -> "Deferred[Any]":
        """Ask the worker; the words are those of ``methods.METHODS``.

        What a dialect shows as a block or as a transaction arrives as the model value.

        Raises:
            Unsupported: there is no such word.
        """
        if method not in METHODS:
            return self._refuse(f"the development chain does not know {method}")
        if method == "register_abi":
            return maybeDeferred(self._register_abi, params)
        answer = self._process.request(method, params)
        revive = _REVIVED.get(method)
        return answer if revive is None else answer.addCallback(revive)

    def _register_abi(self, params: Mapping[str, Any]) -> None:
        """Decode the events of ``address`` by ``abi`` in the blocks that come.

        Raises:
            InvalidAbi: it cannot be used.
        """
        self._names.register(Address20(decode_hex(params["address"])), params["abi"])

    def _block(self, shape: Mapping[str, Any]) -> Block:
        return self._names.name(decode_block(shape))

    def _refuse(self, reason: str) -> "Deferred[Any]":
        answer: Deferred[Any] = Deferred()
        answer.errback(Unsupported(reason=reason))
        return answer

    def _make_directory(self) -> None:
        if self._settings.data_dir is None:
            self._directory = Path(tempfile.mkdtemp(prefix="chainws-"))
        else:
            Path(self._settings.data_dir).mkdir(parents=True, exist_ok=True)

    def _attach(self) -> dict[str, Any]:
        directory = self._directory or Path(self._settings.data_dir or ".")
        known = [encode_hex(block) for block in self._canonical[: -_KNOWN_BLOCKS - 1 : -1]]
        return {
            "path": str(directory / DATABASE_NAME),
            "settings": encode_settings(self._settings),
            "known": known,
        }

    def _attached(self, answer: dict[str, Any]) -> None:
        self.chain_id = answer["chain_id"]
        self.forks = decode_forks(answer["forks"])
        if "blocks" in answer:
            self._first = tuple(self._block(block) for block in answer["blocks"])
            self._canonical = [block.hash for block in self._first]
            # The pool is told after ``start`` has returned, as the port promises.
            self._reactor.callLater(0, self._begin, answer)
        else:
            self._advance(answer)
            self._begin(answer)

    def _begin(self, answer: Mapping[str, Any]) -> None:
        """Bring the sink's pool and the timer in line with what a new worker found."""
        if self._sink is None:
            return
        shapes = {
            decode_hex(shape["hash"]): (standing, shape)
            for standing in ("pending", "queued")
            for shape in answer["pool"][standing]
        }
        for gone in [known for known in self._pooled if known not in shapes]:
            self._event("dropped", {"hash": encode_hex(gone)})
        for transaction_hash, (standing, shape) in shapes.items():
            if self._pooled.get(transaction_hash) != standing:
                self._event(standing, {"tx": shape})
        self._miner.set_interval(answer["interval_s"])

    def _event(self, name: str, payload: Mapping[str, Any]) -> None:
        sink = self._sink
        if sink is None:
            return
        if name == "advance":
            self._advance(payload)
        elif name == "interval":
            self._miner.set_interval(payload["seconds"])
        elif name == "imported":
            _log.info("imported up to block {number}", number=payload["number"])
        elif name == "dropped":
            dropped = Hash32(decode_hex(payload["hash"]))
            self._pooled.pop(dropped, None)
            sink.dropped(dropped)
        else:
            transaction = decode_transaction(payload["tx"])
            self._pooled[transaction.hash] = name
            (sink.pending if name == "pending" else sink.queued)(transaction)

    def _advance(self, payload: Mapping[str, Any]) -> None:
        """Follow the worker's head; without a change of branch block by block."""
        ancestor = decode_hex(payload["ancestor"])
        applied = [self._block(shape) for shape in payload["applied"]]
        for block in applied:
            for transaction in block.transactions:
                self._pooled.pop(transaction.hash, None)
        extends = self._canonical[-1] == ancestor
        while self._canonical[-1] != ancestor:
            self._canonical.pop()
        self._canonical += [block.hash for block in applied]
        if self._sink is None:
            return
        if not extends:
            self._sink.reorganise(Hash32(ancestor), applied)
            return
        for block in applied:
            self._sink.publish(block)

    def _unhealthy(self, reason: str) -> None:
        if self._sink is not None:
            self._sink.unhealthy(reason)
