"""All subscriptions of a client, and what the server is asked for on their behalf.

A connection has one set of topics, and one set of addresses for each, to which queries add. So
subscriptions share what the server sends, and each picks out its own. NewBlock is asked for as soon
as there is any subscription: only blocks tell whether something was missed.

Source: ``zilliqa.md`` 2.3 to 2.6, 3.6, 7.4.
"""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.errors import ClientError, ConnectionLost, RequestTimeout, RpcError
from twisted_chainws.client.fetching import FETCH_FAILURES
from twisted_chainws.client.follower import Follower
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.client.status import Condition
from twisted_chainws.client.zilliqa.envelope import Contents, Notification
from twisted_chainws.client.zilliqa.queries import NEW_BLOCK, TOPICS, Query, leave, subscribing
from twisted_chainws.client.zilliqa.reader import Reader
from twisted_chainws.client.zilliqa.subscription import Subscription
from twisted_chainws.client.zilliqa.values import Event, TxBlock
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import Waiting, succeeded

__all__ = ["Subscriptions"]


class Subscriptions:
    """The subscriptions of one client, in the order in which they were made."""

    _log = Logger()

    def __init__(
        self,
        *,
        ask: Callable[[Query], Outcome[None]],
        reader: Reader,
        clock: Any,
        options: ClientOptions,
        condition: Condition,
    ) -> None:
        """Prepare; ``follower`` has to be set before the first subscription.

        Args:
            ask: sends a query.
            reader: fetches.
            clock: reactor.
            options: of the client.
            condition: of the client.
        """
        self.follower: Follower[TxBlock, Contents, Subscription, Notification]
        self._ask = ask
        self._reader = reader
        self._clock = clock
        self._options = options
        self._condition = condition
        self._all: list[Subscription] = []
        self._ready = False
        self._over: ClientError | None = None
        self._waiting: Waiting[None] = Waiting()
        self._here: dict[str, set[str]] = {}
        self._leaving: set[str] = set()

    def __len__(self) -> int:
        """Count those that the server has accepted."""
        return len(self.audience())

    @property
    def depth(self) -> int:
        """Events that wait, over all of them."""
        return sum(one.depth for one in self._all)

    @property
    def has_blocks(self) -> bool:
        """Whether the server tells of blocks, and goes on to."""
        return self._has(NEW_BLOCK)

    def audience(self) -> list[Subscription]:
        """Return those that are told of blocks."""
        return [one for one in self._all if one.established]

    async def make(
        self, kind: str, addresses: tuple[str, ...], callback: Callable[[Event], object] | None
    ) -> Subscription:
        """Subscribe; see ``ZilliqaClient.subscribe``."""
        if not self._all:
            # What came since somebody listened is not missing.
            self.follower.forget()
        subscription = Subscription(
            kind=kind,
            addresses=addresses,
            queue_size=self._options.queue_size,
            unsubscribe=self.leave,
            overflowed=self._overflowed,
        )
        self._all.append(subscription)
        making = promise(self._make(subscription))
        seconds = self._options.request_timeout_s
        try:
            await making.addTimeout(seconds, self._clock, lambda *_: self._late(kind))
        except BaseException:
            self._drop(subscription)
            self._retire((NEW_BLOCK, kind))
            raise
        if callback is not None:
            subscription.pump(callback)
        return subscription

    def leave(self, subscription: Subscription) -> Outcome[bool]:
        """Unsubscribe; see ``Subscription.unsubscribe``."""
        if subscription.leaving or subscription not in self._all:
            return succeeded(value=False)
        subscription.leaving = True
        if not self._ready:
            self._drop(subscription)
            subscription.end()
            return succeeded(value=False)
        return promise(self._leave(subscription))

    def arrived(self, notification: Notification) -> None:
        """Take note of a notification before it is told."""
        for one in self._all:
            if one.confirmed and one.last is None:
                one.last = notification

    def told(self, notification: Notification) -> None:
        """Take note that a notification was told, and with it the last of some topics."""
        ended = notification.ended
        for topic in ended:
            self._leaving.discard(topic)
            self._here.pop(topic, None)
        for one in [one for one in self._all if one.leaving]:
            if one.last is notification or one.kind in ended:
                self._drop(one)
                one.end()
        # Nodes end topics that were asked for again meanwhile.
        wanted = [topic for topic in TOPICS if topic in ended and self._wants(topic)]
        if wanted and self._ready:
            promise(self._again(wanted)).addErrback(self._broke)

    def down(self) -> None:
        """Forget what belongs to a connection that has ended."""
        self._ready = False
        self._here.clear()
        self._leaving.clear()
        for one in [one for one in self._all if one.leaving]:
            self._drop(one)
            one.end()

    async def restore(self) -> None:
        """Subscribe again on a new connection.

        Raises:
            ClientError: the server did not answer.
        """
        await self._again([topic for topic in TOPICS if self._wants(topic)])

    def go(self) -> None:
        """Let subscriptions that wait for a connection be made."""
        self._ready = True
        self._waiting.succeed(None)

    def end(self, error: ClientError, *, wanted: bool) -> None:
        """End all of them, and those that are being made."""
        self._ready = False
        self._over = error
        everything, self._all = self._all, []
        for one in everything:
            one.end(None if wanted else error)
        self._waiting.fail(error)

    # Ours

    async def _make(self, subscription: Subscription) -> None:
        if not self._ready:
            await self._waiting.wait()
        while True:
            await self._begin()
            try:
                await self._establish(subscription)
            except ConnectionLost:
                if self._over is not None:
                    raise self._over from None
                await self._waiting.wait()
                continue
            subscription.established = True
            return

    async def _begin(self) -> None:
        """Learn where the chain is before the first subscription, if somebody can tell."""
        if self.follower.reached is None and self._reader.can_fetch:
            try:
                self.follower.begin(await self._reader.latest())
            except FETCH_FAILURES as failure:
                self._log.warn("the head is not to be had: {failure}", failure=str(failure))

    async def _establish(self, subscription: Subscription) -> None:
        kind, addresses = subscription.kind, subscription.addresses
        if not self._has(NEW_BLOCK):
            await self._follow_blocks(needed=kind == NEW_BLOCK)
        while kind != NEW_BLOCK:
            here = self._here.get(kind, set()) if self._has(kind) else set()
            try:
                await self._add(kind, [one for one in addresses if one not in here])
            except RpcError:
                # Those that others watch already are as good as accepted.
                if here.isdisjoint(addresses):
                    raise
            if self._is_watched(subscription):
                return

    async def _follow_blocks(self, *, needed: bool) -> None:
        try:
            await self._add(NEW_BLOCK, ())
        except RpcError as error:
            if needed:
                raise
            self._log.warn("no blocks: {error}", error=str(error))

    async def _add(self, topic: str, addresses: Iterable[str]) -> None:
        """Subscribe to a topic or to more addresses of it.

        Raises:
            RpcError: the server takes none of them.
        """
        queries = subscribing(topic, addresses)
        ends = await _all_of(self._ask(query) for query in queries)
        errors = [end.value for done, end in ends if not done]
        for error in errors:
            if not isinstance(error, RpcError):
                raise error
        for query, (done, _) in zip(queries, ends, strict=True):
            if done:
                self._here.setdefault(topic, set()).update(query.addresses)
                self._leaving.discard(topic)
        if errors and len(errors) == len(queries):
            raise errors[0]

    async def _again(self, topics: Iterable[str]) -> None:
        """Subscribe to topics with all addresses that anybody wants."""
        for topic in topics:
            some = [one for one in self.audience() if one.kind == topic and not one.leaving]
            try:
                if topic == NEW_BLOCK:
                    await self._follow_blocks(needed=bool(some))
                else:
                    await self._add(topic, dict.fromkeys(a for one in some for a in one.addresses))
                    some = [one for one in some if not self._is_watched(one)]
                    self._refuse(some, RpcError(None, "none of its addresses was accepted"))
            except RpcError as error:
                self._refuse(some, error)

    async def _leave(self, subscription: Subscription) -> bool:
        ends = await self._retire(tuple(self._here))
        subscription.confirmed = True
        if all(done for done, _ in ends):
            return True
        self._drop(subscription)
        subscription.end()
        return False

    def _retire(self, topics: Iterable[str]) -> Deferred[list[tuple[bool, Any]]]:
        """Leave those of some topics that nobody wants any more."""
        gone = [
            topic
            for topic in topics
            if self._ready and topic not in self._leaving and not self._wants(topic)
        ]
        self._leaving.update(gone)
        return _all_of(self._ask(leave(topic)) for topic in gone)

    def _wants(self, topic: str) -> bool:
        """Tell whether anybody goes on with a topic; with blocks everybody does."""
        return any(not one.leaving and topic in (one.kind, NEW_BLOCK) for one in self._all)

    def _has(self, topic: str) -> bool:
        return topic in self._here and topic not in self._leaving

    def _is_watched(self, subscription: Subscription) -> bool:
        here = self._here.get(subscription.kind, set())
        return not here.isdisjoint(subscription.addresses)

    def _refuse(self, some: list[Subscription], error: RpcError) -> None:
        for one in some:
            self._drop(one)
            one.end(error)

    def _overflowed(self, subscription: Subscription) -> None:
        self._condition.counters.overflows += 1
        subscription.overflowed()
        self._drop(subscription)
        self._retire(tuple(self._here))

    def _drop(self, subscription: Subscription) -> None:
        if subscription in self._all:
            self._all.remove(subscription)

    def _late(self, kind: str) -> NoReturn:
        # Queries that were sent are counted by themselves.
        self._condition.counters.timeouts += not self._ready
        seconds = self._options.request_timeout_s
        raise RequestTimeout(kind, seconds, maybe_sent=self._ready)

    def _broke(self, failure: Failure) -> None:
        if not failure.check(ClientError):
            self._log.failure("subscribing again broke", failure=failure)


def _all_of(outcomes: Iterable[Outcome[None]]) -> Deferred[list[tuple[bool, Any]]]:
    """Wait for several; give of each whether it went well, and its value or Failure."""
    everything: Any = DeferredList(list(outcomes), consumeErrors=True)
    waiting: Deferred[list[tuple[bool, Any]]] = everything
    return waiting
