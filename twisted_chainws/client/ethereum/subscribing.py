"""All subscriptions of a client: the server's ids, and making them anew on another connection.

Source: ``ethereum.md`` 2.1, 6.3 points 4 and 9.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.errors import BadAnswer, ClientError, RpcError
from twisted_chainws.client.ethereum.envelope import Notice
from twisted_chainws.client.ethereum.reader import Reader
from twisted_chainws.client.ethereum.streams import (
    HeadStream,
    Height,
    LogStream,
    RawStream,
    Stream,
    StreamHooks,
)
from twisted_chainws.client.ethereum.subscription import Subscription
from twisted_chainws.client.ethereum.values import Event, Head, quantity
from twisted_chainws.client.fetching import FETCH_FAILURES
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise, together
from twisted_chainws.client.status import ClientEvent, Condition
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import succeeded

__all__ = ["Subscriptions"]


class Subscriptions:
    """The subscriptions of one client, in the order in which they were made."""

    _log = Logger()

    def __init__(
        self,
        *,
        call: Callable[..., Outcome[Any]],
        ask: Callable[..., Outcome[Any]],
        reader: Reader,
        clock: Any,
        options: ClientOptions,
        condition: Condition,
        height: Height,
        cut: Callable[[str], None],
    ) -> None:
        """Prepare.

        Args:
            call: asks when there is a connection.
            ask: asks over this connection, before others.
            reader: fetches over this connection.
            clock: reactor.
            options: of the client.
            condition: of the client.
            height: of the client.
            cut: drops the connection, to get another one.
        """
        self._call = call
        self._ask = ask
        self._reader = reader
        self._clock = clock
        self._options = options
        self._condition = condition
        self._height = height
        self._cut = cut
        self._all: dict[Subscription, Any] = {}
        self._here: dict[str, Subscription] = {}
        self._early: deque[Notice] = deque()
        self._being_made = 0

    def __len__(self) -> int:
        """Count them."""
        return len(self._all)

    @property
    def depth(self) -> int:
        """Events that wait, over all of them."""
        return sum(one.depth for one in self._all)

    async def make(
        self, kind: str, options: Any, callback: Callable[[Event], object] | None
    ) -> Subscription:
        """Subscribe; see ``EthereumClient.subscribe``."""
        start = await self._start() if kind in ("newHeads", "logs") else None
        self._being_made += 1
        try:
            # Should the connection end before the answer, so does the subscription over there.
            asking = self._call("eth_subscribe", *_params(kind, options), repeatable=True)
            given = await self._or_undo(asking)
            subscription = self._register(kind, options, start, given)
            if callback is not None:
                subscription.pump(callback)
            self._bind(subscription, given)
        finally:
            self._made()
        return subscription

    def notice(self, notice: Notice) -> None:
        """Take an event; those of subscriptions whose answer is still to come wait for it."""
        subscription = self._here.get(notice.subscription)
        if subscription is not None:
            subscription.stream.heard_at = self._clock.seconds()
            subscription.stream.take(notice.result)
        elif self._being_made and len(self._early) < self._options.queue_size:
            self._early.append(notice)
        else:
            self._condition.counters.strays += 1

    def down(self) -> None:
        """Forget what belongs to a connection that has ended."""
        self._here.clear()
        self._early.clear()
        for subscription in self._all:
            subscription.stream.interrupt()
            self._all[subscription] = None

    async def restore(self) -> None:
        """Subscribe again, in the same order, on a new connection; events wait for ``recover``.

        Raises:
            ClientError: the server did not answer.
        """
        subscriptions = list(self._all)
        for one in subscriptions:
            one.stream.hold()
        await self._again(subscriptions)

    async def recover(self, covered: int, some: list[Subscription] | None = None) -> None:
        """Fetch what was missed, and go live.

        Args:
            covered: height up to which subscriptions had worked.
            some: which; None for all.
        """
        some = list(self._all) if some is None else some
        to: int | None = None
        if any(one.stream.fills for one in some):
            try:
                highest = self._height.highest
                to = await self._reader.settled_height(highest)
                if to < highest:
                    self._height.believe(to)
            except FETCH_FAILURES as failure:
                self._log.warn("the head is not to be had: {failure}", failure=str(failure))
        await DeferredList([one.stream.recover(to, covered) for one in some])
        if to is not None:
            self._height.works(to)

    async def watch(self) -> None:
        """Ask for the head if no head came for long, and make anew what has fallen silent."""
        silent_since = self._clock.seconds() - self._options.stall_s
        filling = [one for one in self._all if one.stream.fills]
        quiet = [one for one in filling if one.stream.heard_at <= silent_since]
        if not quiet:
            return
        number = await self._reader.height()
        dead = []
        for one in quiet:
            one.stream.heard_at = self._clock.seconds()
            if isinstance(one.stream, HeadStream) and await one.stream.has_missed(number):
                dead.append(one)
        if not dead:
            self._height.works(number)
            return
        self._condition.counters.stalls += len(dead)
        covered = min(one.stream.reached or 0 for one in dead)  # type: ignore[attr-defined]
        try:
            await self._replace([one for one in filling if one.active], covered)
        except ClientError as error:
            # Some wait for what will not come: begin anew.
            self._cut(f"no subscription: {error}")

    def end(self, error: ClientError | None) -> None:
        """End all of them."""
        everything, self._all = list(self._all), {}
        self._here.clear()
        for subscription in everything:
            subscription.end(error)

    # Ours

    def _or_undo(self, asking: Outcome[Any]) -> Outcome[Any]:
        """Return the same outcome; who cancels it, cancels the subscription that may come of it."""
        outcome: Outcome[Any] = Outcome(lambda _: None)

        def made(given: Any) -> None:
            if not outcome.called:
                outcome.callback(given)
            elif not isinstance(given, Failure):
                self._tell_server(given)

        asking.addBoth(made)
        return outcome

    async def _start(self) -> int | None:
        """Return the height at which a subscription begins; None if the server will not say."""
        try:
            number = quantity(await self._call("eth_blockNumber"))
        except (RpcError, BadAnswer):
            return None
        self._height.works(number)
        return number

    def _register(self, kind: str, options: Any, start: int | None, given: Any) -> Subscription:
        name = identifier = _physical(given)
        taken = {one.id for one in self._all}
        number = 1
        while identifier in taken:
            # Some servers count anew on each connection.
            number += 1
            identifier = f"{name}#{number}"
        subscription = Subscription(
            identifier=identifier,
            kind=kind,
            options=options,
            queue_size=self._options.queue_size,
            unsubscribe=self._unsubscribe,
            overflowed=self._overflowed,
            make_stream=self._stream,
        )
        subscription.stream.start = start
        self._all[subscription] = None
        return subscription

    def _stream(self, subscription: Subscription) -> Stream:
        def gap(gap: Any) -> None:
            self._condition.tell(ClientEvent.GAP, subscription, gap)

        collaborators: dict[str, Any] = {
            "reader": self._reader,
            "options": self._options,
            "height": self._height,
            "counters": self._condition.counters,
            "hooks": StreamHooks(
                event=subscription.deliver,
                gap=gap,
                overflow=subscription.overflow,
                removed=self._removed,
            ),
        }
        if subscription.kind == "newHeads":
            return HeadStream(**collaborators)
        if subscription.kind == "logs":
            return LogStream(criteria=subscription.options, **collaborators)
        return RawStream(**collaborators)

    def _removed(self, heads: tuple[Head, ...]) -> None:
        """Let streams of logs know what a stream of heads has found out."""
        for subscription in list(self._all):
            if isinstance(subscription.stream, LogStream):
                subscription.stream.doubt(heads)

    def _bind(self, subscription: Subscription, given: Any) -> None:
        """Know a subscription by the server's id, and give it what has come too early."""
        name = _physical(given)
        elder = self._here.get(name)
        if elder is not None:
            # The server has ended it, and counts anew: unsubscribing would end the new one.
            self._all[elder] = None
        self._all[subscription] = given
        self._here[name] = subscription
        subscription.stream.heard_at = self._clock.seconds()
        early, self._early = self._early, deque()
        for notice in early:
            if notice.subscription == name:
                subscription.stream.take(notice.result)
            else:
                self._early.append(notice)

    def _made(self) -> None:
        self._being_made -= 1
        if not self._being_made:
            self._early.clear()

    async def _again(self, subscriptions: list[Subscription]) -> None:
        self._being_made += 1
        try:
            await together(self._once_more(one) for one in subscriptions)
        finally:
            self._made()

    async def _once_more(self, subscription: Subscription) -> None:
        try:
            params = _params(subscription.kind, subscription.options)
            given = await self._ask("eth_subscribe", *params)
            if subscription in self._all:
                self._bind(subscription, given)
            else:
                self._tell_server(given)
        except (RpcError, BadAnswer) as error:
            self._drop(subscription)
            subscription.end(error)

    async def _replace(self, some: list[Subscription], covered: int) -> None:
        names = []
        for one in some:
            names.append(self._drop_name(one))
            self._all[one] = None
            one.stream.hold()
        # Some servers do several things at a time, and give ids again when their chain has begun
        # anew: an end that is not waited for could be that of a new subscription.
        await together(self._unsubscribed(given) for given in names if given is not None)
        await self._again([one for one in some if one.active])
        await self.recover(covered, [one for one in some if one.active])

    def _unsubscribe(self, subscription: Subscription) -> Outcome[bool]:
        given = self._drop(subscription)
        subscription.end(clear=True)
        if given is None:
            return succeeded(value=False)
        return promise(self._unsubscribed(given))

    async def _unsubscribed(self, given: Any) -> bool:
        try:
            # On another connection there is nothing to unsubscribe from.
            return await self._ask("eth_unsubscribe", given) is True
        except ClientError:
            return False

    def _overflowed(self, subscription: Subscription) -> None:
        self._condition.counters.overflows += 1
        subscription.overflowed()
        given = self._drop(subscription)
        if given is not None:
            self._tell_server(given)

    def _tell_server(self, given: Any) -> None:
        """Unsubscribe, whatever the answer may be."""
        promise(self._unsubscribed(given)).addErrback(self._not_told)

    def _not_told(self, failure: Failure) -> None:
        self._log.failure("unsubscribing broke", failure=failure)

    def _drop(self, subscription: Subscription) -> Any:
        """Forget a subscription; returns the server's id for it, None if there is none here."""
        self._drop_name(subscription)
        return self._all.pop(subscription, None)

    def _drop_name(self, subscription: Subscription) -> Any:
        given = self._all.get(subscription)
        if given is not None and self._here.get(str(given)) is subscription:
            del self._here[str(given)]
        return given


def _params(kind: str, options: Any) -> tuple[Any, ...]:
    return (kind,) if options is None else (kind, options)


def _physical(given: Any) -> str:
    """Read the server's id for a subscription, which may be a number.

    Raises:
        BadAnswer: it is none.
    """
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise BadAnswer("eth_subscribe: not an id")
    return str(given)
