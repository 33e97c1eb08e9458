"""The shared service: owns one network's chain, journal, pool, filters and clock.

A source feeds it (it is the ``Sink`` of ``chain.ports``), sessions read it through views, and the
server's fan-out hangs on ``deliver``. Nothing here knows a wire or a socket.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.journal import MemoryJournal
from twisted_chainws.chain.model import Block, EvmTransaction, Transaction
from twisted_chainws.chain.ops import Advance, Transition
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.ports import Source
from twisted_chainws.chain.types import Hash32
from twisted_chainws.chain.view import DEFAULT_DEPTHS, ChainView, Depths
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.gathering import Gatherer
from twisted_chainws.dialects.notice import Notice, Recipient
from twisted_chainws.dialects.outcomes import Call, Encoder
from twisted_chainws.dialects.pushing import Pusher
from twisted_chainws.dialects.view import Settings, View
from twisted_chainws.performing import Performer
from twisted_chainws.subscriptions.events import ChainEvent, TransactionPending
from twisted_chainws.subscriptions.ids import id_maker
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry

FILTER_SWEEP_S: Final = 30.0
"""How often expired filters are looked for."""

Deliver = Callable[[Dialect, Notice, Sequence[Recipient]], None]
"""Brings one rendered notice to its subscribers, in the order of the calls."""


class _Channel:
    """One dialect's share: its view, who listens and polls in it, who gathers and pushes for it."""

    __slots__ = ("dialect", "gatherer", "polled", "pusher", "registry", "view")

    def __init__(
        self, dialect: Dialect, view: View, registry: Registry, polled: PolledFilters
    ) -> None:
        self.dialect = dialect
        self.view = view
        self.registry = registry
        self.polled = polled
        self.gatherer: Gatherer | None = None
        self.pusher: Pusher | None = None


class ChainService(Service):
    """One network: chain model, journal and pool, fed by a source, read by sessions.

    Attributes:
        deliver: set by the server; called once per (event, encoder, cursor wish).
    """

    _log = Logger()

    def __init__(
        self,
        *,
        source: Source,
        dialects: Sequence[Dialect],
        settings: Settings,
        clock: IReactorTime,
        random: Callable[[int], bytes],
        history: int | None = None,
        depths: Depths = DEFAULT_DEPTHS,
        journal_capacity: int = 1_024,
        max_filters: int = 10_000,
        max_filter_items: int = 10_000,
        filter_lifetime_s: float = 300.0,
        announce_rollback: bool = True,
        confirmations: int = 0,
    ) -> None:
        self.deliver: Deliver = _nobody
        self._source = source
        self._dialects = tuple(dialects)
        self._settings = settings
        self._clock = clock
        self._history = history
        self._depths = depths
        self._confirmations = confirmations
        self._announce_rollback = announce_rollback
        self._make_id = id_maker(random)
        self._pool = PendingPool()
        self._journal = MemoryJournal(
            epoch=int.from_bytes(random(8), "big"), capacity=journal_capacity
        )
        self._new_filters = partial(
            PolledFilters,
            make_id=self._make_id,
            max_filters=max_filters,
            max_items=max_filter_items,
            lifetime_s=filter_lifetime_s,
        )
        self._channels: dict[str, _Channel] = {}
        self._chain: CanonicalChain
        self._ready: list[Deferred[None]] = []
        self._outcome: Failure | None = None
        self._started = False
        self._starting: Deferred[None] | None = None
        self._performer = Performer(source=source, chain=lambda: self._chain, clock=clock)
        self._sweep = LoopingCall(self._expire)
        self._sweep.clock = clock

    # Life

    def startService(self) -> None:
        """Start the source; ``when_ready`` tells when its chain is there."""
        super().startService()
        self._performer.open()
        self._sweep.start(FILTER_SWEEP_S, now=False).addErrback(
            lambda failure: self._log.failure("the sweep of filters broke", failure)
        )
        self._starting = Deferred.fromCoroutine(self._begin())
        self._starting.addErrback(self._failed_to_start)

    async def _begin(self) -> None:
        blocks = await self._source.start(self)
        self._chain = CanonicalChain(blocks, history=self._history)
        chain = ChainView(
            chain=self._chain,
            pool=self._pool,
            chain_id=self.chain_id,
            forks=self._source.forks,
            depths=self._depths,
        )
        first = Advance(seq=self._journal.head, undone=(), applied=tuple(blocks))
        for dialect in self._dialects:
            ledger = dialect.projection()
            ledger.apply(first)
            view = View(chain=chain, ledger=ledger, settings=self._settings)
            self._channels[dialect.name] = channel = _Channel(
                dialect, view, Registry(make_id=self._make_id), self._new_filters()
            )
            broken = partial(
                self._log.failure, "could not tell of a block in {name}", name=dialect.name
            )
            if dialect.gather is not None:
                channel.gatherer = Gatherer(
                    gather=dialect.gather,
                    watches=channel.registry.watches,
                    ledger=ledger,
                    confirmations=Confirmations(blocks, depth=self._confirmations),
                    broken=broken,
                )
            if dialect.push is not None:
                channel.pusher = Pusher(
                    push=dialect.push,
                    interests=channel.registry.interests,
                    ledger=ledger,
                    confirmations=Confirmations(blocks, depth=self._confirmations),
                    render=dialect.envelope.render_notice,
                    broken=broken,
                )
        self._started = True
        self._log.info(
            "chain {chain_id} ready at block {height}",
            chain_id=self.chain_id,
            height=self._chain.height,
        )
        self._settle_ready(None)

    def _failed_to_start(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        self._outcome = failure
        self._settle_ready(failure)

    def _settle_ready(self, failure: Failure | None) -> None:
        waiting, self._ready = self._ready, []
        for deferred in waiting:
            if failure is None:
                deferred.callback(None)
            else:
                deferred.errback(failure)

    @property
    def chain_id(self) -> int:
        """EIP-155; right once the service is ready."""
        return self._source.chain_id

    def when_ready(self) -> "Deferred[None]":
        """Fire once the source has delivered its chain, or fail with why it could not."""
        ready: Deferred[None] = Deferred()
        if self._started:
            ready.callback(None)
        elif self._outcome is not None:
            ready.errback(self._outcome)
        else:
            self._ready.append(ready)
        return ready

    def stopService(self) -> "Deferred[Any]":
        """Stop the source and end everything that waits."""
        super().stopService()
        if self._sweep.running:
            self._sweep.stop()
        if self._starting is not None and not self._started:
            self._starting.cancel()
        self._performer.close()
        self.deliver = _nobody
        return Deferred.fromCoroutine(self._source.stop())

    def now(self) -> float:
        """Return the seconds of the service's clock."""
        return float(self._clock.seconds())

    # What sessions need

    def view(self, dialect: Dialect) -> View:
        """Return what the handlers of a dialect read."""
        return self._channels[dialect.name].view

    def registry(self, dialect: Dialect) -> Registry:
        """Return who listens in a dialect."""
        return self._channels[dialect.name].registry

    def polled(self, dialect: Dialect) -> PolledFilters:
        """Return the polled filters of a dialect, shared by all connections."""
        return self._channels[dialect.name].polled

    def perform(self, call: Call) -> "Deferred[Any]":
        """Answer a call that a session forwarded; see ``Performer.perform``."""
        return self._performer.perform(call)

    # The sink

    def publish(self, block: Block) -> None:
        """Take a block on top of the head."""
        self._advance(self._chain.extend(block))

    def reorganise(self, ancestor: Hash32, applied: Sequence[Block]) -> None:
        """Take another branch above ``ancestor``; an empty one is a rollback."""
        self._advance(self._chain.reorganise(ancestor, applied))

    def pending(self, transaction: Transaction) -> None:
        """Take a transaction that became executable."""
        new = self._pool.pending(transaction)
        if new and isinstance(transaction, EvmTransaction):
            event = TransactionPending(transaction=transaction)
            for channel in self._channels.values():
                self._emit(channel, event, None)

    def queued(self, transaction: Transaction) -> None:
        """Take a transaction that waits for an earlier nonce."""
        self._pool.queued(transaction)

    def dropped(self, transaction_hash: Hash32) -> None:
        """Take a pooled transaction out."""
        self._pool.dropped(transaction_hash)

    def unhealthy(self, reason: str) -> None:
        """Note that the source has trouble."""
        self._log.warn("the source cannot answer: {reason}", reason=reason)

    def _advance(self, transition: Transition) -> None:
        """Journal a transition, bring every ledger up to it, then tell who listens."""
        self._pool.apply(transition)
        advance = self._journal.advance(transition)
        for channel in self._channels.values():
            channel.view.ledger.apply(advance)
        if advance.applied or self._announce_rollback:
            self._announce(advance)
        self._tell(advance)
        self._performer.wake(advance)

    def _announce(self, advance: Advance) -> None:
        for channel in self._channels.values():
            for index, event in enumerate(channel.dialect.announce(advance), start=1):
                self._emit(channel, event, (advance, index))

    def _tell(self, advance: Advance) -> None:
        """Bring new blocks to watchers and followers; a rollback is none of them."""

        def cursor_at(index: int) -> str:
            return str(self._journal.cursor(advance.seq, index))

        for channel in self._channels.values():
            if channel.gatherer is not None:
                for message, watchers in channel.gatherer.take(advance, cursor_at):
                    self.deliver(channel.dialect, message, watchers)
            if channel.pusher is not None:
                for push, followers in channel.pusher.take(advance, cursor_at):
                    self.deliver(channel.dialect, push, followers)

    def _emit(
        self, channel: _Channel, event: ChainEvent, place: tuple[Advance, int] | None
    ) -> None:
        """Keep an event for pollers, and render it once for each way in which somebody wants it."""
        channel.polled.feed(event)
        for item, subscriptions in channel.registry.match(event):
            ways = dict.fromkeys((entry.encode, entry.cursor) for entry in subscriptions)
            for encode, wants_cursor in ways:
                cursor = self._cursor(place) if wants_cursor else None
                notice = self._render(channel, encode, item, cursor)
                listeners = subscriptions
                if len(ways) > 1:
                    listeners = [
                        entry
                        for entry in subscriptions
                        if entry.encode is encode and entry.cursor is wants_cursor
                    ]
                if notice is not None:
                    self.deliver(channel.dialect, notice, listeners)

    def _render(
        self, channel: _Channel, encode: Encoder, item: Any, cursor: str | None
    ) -> Notice | None:
        """Render a notice; an encoder that breaks costs its own notice and nothing else."""
        try:
            return channel.dialect.envelope.render_notice(encode(channel.view, item), cursor)
        except Exception:  # noqa: BLE001 - the block pipeline must go on
            self._log.failure("could not encode an event for {name}", name=channel.dialect.name)
            return None

    def _cursor(self, place: tuple[Advance, int] | None) -> str | None:
        if place is None:
            return None
        advance, index = place
        return str(self._journal.cursor(advance.seq, index))

    def _expire(self) -> None:
        for channel in self._channels.values():
            channel.polled.expire(self.now())


def _nobody(_dialect: Dialect, _notice: Notice, _subscriptions: Sequence[Recipient]) -> None:
    """Deliver to nobody, as long as no server hangs on the service."""
