"""All subscriptions of a client, and the one that the node has of its connection.

A connection has one subscription: flags, and contracts by which events are narrowed. It is set to
what all subscriptions of the client need together; each picks its own.

Source: ``ontology.md`` 5.1.
"""

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.errors import BadAnswer, ClientError, RpcError
from twisted_chainws.client.fetching import FETCH_FAILURES
from twisted_chainws.client.follower import Follower
from twisted_chainws.client.ontology.assembling import Assembler, Contents, Notification
from twisted_chainws.client.ontology.calls import SUBSCRIBE
from twisted_chainws.client.ontology.envelope import JSON_BLOCK, Push
from twisted_chainws.client.ontology.reader import Reader
from twisted_chainws.client.ontology.subscription import Subscription, Wish
from twisted_chainws.client.ontology.values import Block, Event
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.client.status import Condition
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import succeeded

__all__ = ["Subscriptions"]


class Subscriptions:
    """The subscriptions of one client, in the order in which they were made.

    Attributes:
        heard_at: when a block was pushed last, in seconds of the clock.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        call: Callable[..., Outcome[Any]],
        ask: Callable[..., Outcome[Any]],
        latest: Reader,
        clock: Any,
        options: ClientOptions,
        condition: Condition,
    ) -> None:
        """Prepare; ``follower`` has to be set before the first subscription.

        Args:
            call: asks when there is a connection.
            ask: asks over this connection, before others.
            latest: fetches the head when there is a connection.
            clock: reactor.
            options: of the client.
            condition: of the client.
        """
        self.follower: Follower[Block, Contents, Subscription, Notification]
        self.heard_at = 0.0
        self._call = call
        self._ask = ask
        self._latest = latest
        self._clock = clock
        self._options = options
        self._condition = condition
        self._all: list[Subscription] = []
        self._assembler = Assembler(limit=options.queue_size, stray=self._stray)
        self._is_up = False

    def __len__(self) -> int:
        """Count those that the node has accepted."""
        return len(self.audience())

    @property
    def depth(self) -> int:
        """Events that wait, over all of them."""
        return sum(one.depth for one in self._all)

    def audience(self) -> list[Subscription]:
        """Return those that are told of blocks."""
        return [one for one in self._all if one.established]

    async def make(self, wish: Wish, callback: Callable[[Event], object] | None) -> Subscription:
        """Subscribe; see ``OntologyClient.subscribe``."""
        if not self._all:
            # What came since somebody listened is not missing.
            self.follower.forget()
            self._assembler.forget()
        subscription = Subscription(
            wish=wish,
            queue_size=self._options.queue_size,
            unsubscribe=self.leave,
            overflowed=self._overflowed,
        )
        self._all.append(subscription)
        try:
            await self._begin()
            await self._call(SUBSCRIBE, **_members(self._all))
        except BaseException:
            self._drop(subscription)
            self._retire()
            raise
        subscription.established = True
        if callback is not None:
            subscription.pump(callback)
        return subscription

    def leave(self, subscription: Subscription) -> Outcome[bool]:
        """Unsubscribe; see ``Subscription.unsubscribe``."""
        if subscription not in self._all:
            return succeeded(value=False)
        self._drop(subscription)
        subscription.end(clear=True)
        return promise(self._narrow()) if self._is_up else succeeded(value=False)

    def push(self, push: Push) -> None:
        """Take what the node has pushed."""
        if not self._all:
            return
        if push.action == JSON_BLOCK:
            self.heard_at = self._clock.seconds()
        notification = self._assembler.take(push)
        if notification is not None:
            self.follower.take(notification)

    def down(self) -> None:
        """Forget what belongs to a connection that has ended."""
        self._is_up = False
        self._assembler.forget()

    async def restore(self) -> None:
        """Subscribe again on a new connection.

        Raises:
            ClientError: the node did not answer.
        """
        self._is_up = True
        self.heard_at = self._clock.seconds()
        some = self.audience()
        if not some:
            return
        try:
            await self._ask(SUBSCRIBE, **_members(some))
        except (RpcError, BadAnswer) as error:
            for one in some:
                self._drop(one)
                one.end(error)

    def end(self, error: ClientError | None) -> None:
        """End all of them."""
        self._is_up = False
        everything, self._all = self._all, []
        for one in everything:
            one.end(error)

    # Ours

    async def _begin(self) -> None:
        """Learn where the chain is before the first subscription."""
        if self.follower.reached is None:
            try:
                self.follower.begin(await self._latest.latest())
            except FETCH_FAILURES as failure:
                self._log.warn("the head is not to be had: {failure}", failure=str(failure))

    async def _narrow(self) -> bool:
        """Let the node know what is still wanted."""
        try:
            await self._ask(SUBSCRIBE, **_members(self._all))
        except ClientError:
            return False
        return True

    def _retire(self) -> None:
        if self._is_up:
            promise(self._narrow()).addErrback(self._broke)

    def _overflowed(self, subscription: Subscription) -> None:
        self._condition.counters.overflows += 1
        subscription.overflowed()
        self._drop(subscription)
        self._retire()

    def _drop(self, subscription: Subscription) -> None:
        if subscription in self._all:
            self._all.remove(subscription)

    def _stray(self) -> None:
        self._condition.counters.strays += 1

    def _broke(self, failure: Failure) -> None:
        self._log.failure("leaving broke", failure=failure)


def _members(some: list[Subscription]) -> dict[str, Any]:
    """Return what the node has to push so that all get theirs: the whole of it, each time."""
    listening = [one.wish for one in some if one.wish.events]
    everything = any(not wish.contracts for wish in listening)
    contracts = [] if everything else [name for wish in listening for name in wish.contracts]
    return {
        "ContractsFilter": list(dict.fromkeys(contracts)),
        "SubscribeEvent": bool(listening),
        "SubscribeJsonBlock": bool(some),
        "SubscribeRawBlock": any(one.wish.raw_blocks for one in some),
        "SubscribeBlockTxHashs": False,
    }
