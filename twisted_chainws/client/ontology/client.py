"""The Ontology client: calls and subscriptions that survive their connections.

Theory of operation. A ``Line`` keeps connecting. When a connection is open, the network is asked
for; if it is the right one, what all subscriptions need together is subscribed to while pushes
wait, requests that wait are let go, and the ``Follower`` finds out which blocks were missed. Then
the client is open. Those who wait for a transaction ask for it again. Everything happens on the
reactor's thread.

Source: ``ontology.md`` 1, 3, 5, 10.3.
"""

import random
import secrets
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from twisted.internet.defer import Deferred

from twisted_chainws.client.calling import CallingClient
from twisted_chainws.client.errors import BadAnswer, ClientError, Misuse
from twisted_chainws.client.follower import Follower, FollowerHooks
from twisted_chainws.client.ontology.calls import HEARTBEAT, SUBSCRIBE, Caller
from twisted_chainws.client.ontology.confirming import Confirmations
from twisted_chainws.client.ontology.envelope import (
    NOTIFY,
    Expired,
    Nameless,
    Push,
    Reply,
    Stray,
    parse,
)
from twisted_chainws.client.ontology.keys import contract_address
from twisted_chainws.client.ontology.reader import Reader
from twisted_chainws.client.ontology.spending import Spending
from twisted_chainws.client.ontology.subscribing import Subscriptions
from twisted_chainws.client.ontology.subscription import Subscription, Wish
from twisted_chainws.client.ontology.values import Event, Gap, decode_notify
from twisted_chainws.client.ontology.vigil import Vigil
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.client.reading import number
from twisted_chainws.client.status import ClientEvent
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["OntologyClient", "ontology_client"]


class OntologyClient(CallingClient, Spending):
    """A client of an Ontology node.

    ``async with`` opens and closes it. What its methods return works with Twisted, ``async def``,
    and tasks of asyncio on its reactor. Its ``chain_id`` is the id of the network.
    """

    _caller: Caller

    def __init__(
        self,
        url: str,
        options: ClientOptions | None = None,
        *,
        reactor: Any = None,
        uniform: Callable[[float, float], float] = random.uniform,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        """Prepare.

        Args:
            url: ``ws://`` or ``wss://``; credentials before the host are sent as Basic ones.
            options: None for the usual ones; ``chain_id`` is the id of a network.
            reactor: None for the installed one.
            uniform: a random number between two others.
            random_bits: a random number of so many bits, for nonces.
        """
        super().__init__(url, options, reactor=reactor, uniform=uniform)
        clock, options, condition = self._clock, self._options, self._condition
        self._caller = Caller(clock=clock, options=options, condition=condition, line=self._line)
        self._reader = Reader(self._ask, clock=clock, options=options)
        self._subscriptions = subscriptions = Subscriptions(
            call=self._later,
            ask=self._ask,
            latest=Reader(self._later, clock=clock, options=options),
            clock=clock,
            options=options,
            condition=condition,
        )
        self._follower = subscriptions.follower = Follower(
            reader=self._reader,
            options=options,
            hooks=FollowerHooks(
                audience=subscriptions.audience,
                gap=self._tell_gap,
                told=lambda _: None,
                overflow=lambda: self._line.cut("too many pushes wait"),
            ),
        )
        self._vigil = Vigil(clock=clock, asked_at=lambda: self._caller.sent_at, ask=self._beat)
        confirmations = Confirmations(
            self._later, clock=clock, connections=lambda: condition.counters.reconnects
        )
        self._prepare(confirmations, random_bits)
        self._held = False

    def call(
        self, action: str, /, *, repeatable: bool | None = None, **members: Any
    ) -> Outcome[Any]:
        """Ask for any action; must be called on the reactor's thread.

        Without a connection it waits for one. When the connection is lost it is sent again, once,
        unless it sends a transaction.

        Args:
            action: name.
            repeatable: whether sending it twice does no harm; None for what the name says.
            members: of the request, of any JSON type: ``Height``, ``Hash``, ``Addr``.

        Returns:
            ``Result``. Fails with RpcError, RequestTimeout, ConnectionLost, BadAnswer, Misuse or
            ClientClosed.
        """
        if action == SUBSCRIBE:
            return failed(Misuse("subscribe: is a method of the client"))
        return self._later(action, repeatable=repeatable, **members)

    def subscribe(
        self,
        *,
        events: bool = False,
        contracts: Iterable[str | bytes] = (),
        blocks: bool = False,
        raw_blocks: bool = False,
        hashes: bool = False,
        callback: Callable[[Event], object] | None = None,
    ) -> Outcome[Subscription]:
        """Subscribe; must be called on the reactor's thread.

        Args:
            events: gives Notify, what each transaction did, and Log.
            contracts: only events of these; none for all.
            blocks: gives Block.
            raw_blocks: gives RawBlock.
            hashes: gives BlockHashes.
            callback: is called with each event; None to iterate. A coroutine function of Twisted
                is waited for before the next event.

        Returns:
            The subscription, which gives Reset and Gap besides. Fails as ``call`` does.
        """
        ended = self._not_usable()
        if ended is not None:
            return failed(ended)
        try:
            wish = _wish(contracts, events, blocks, raw_blocks, hashes)
        except Misuse as error:
            return failed(error)
        return promise(self._subscriptions.make(wish, callback))

    # Ours

    def _later(
        self, action: str, /, *, repeatable: bool | None = None, **members: Any
    ) -> Outcome[Any]:
        return self._request(action, members, repeatable=repeatable)

    def _ask(self, action: str, /, **members: Any) -> Outcome[Any]:
        return self._request_now(action, members)

    def _beat(self) -> None:
        self._ask(HEARTBEAT).addErrback(lambda _: None)

    def _heard(self, data: str | bytes) -> None:
        message = parse(data)
        if isinstance(message, Reply):
            self._caller.reply(message)
        elif isinstance(message, Push):
            self._pushed(message)
        elif isinstance(message, Nameless):
            self._caller.nameless(message)
        elif isinstance(message, Expired):
            self._line.cut("session expired")
        elif isinstance(message, Stray):
            self._condition.counters.strays += 1

    def _pushed(self, push: Push) -> None:
        if push.action == NOTIFY:
            try:
                self._confirmations.heard(decode_notify(push.result))
            except BadAnswer:
                self._condition.counters.strays += 1
                return
        self._subscriptions.push(push)

    async def _read_chain_id(self) -> int:
        return number(await self._ask("getnetworkid"))

    def _hold(self) -> bool:
        self._vigil.start()
        self._held = len(self._subscriptions) > 0
        if self._held:
            self._follower.hold()
        return self._held

    def _subscribe_again(self) -> Coroutine[Deferred[Any], Any, None]:
        return self._subscriptions.restore()

    async def _catch_up(self) -> None:
        if self._held:
            await self._follower.recover()
        self._confirmations.up()

    def _down(self) -> None:
        self._vigil.stop()
        self._follower.interrupt()
        self._subscriptions.down()
        self._caller.down()

    async def _check(self) -> None:
        """Ask for the head if no block came for long, and connect anew if there is one."""
        silent_since = self._clock.seconds() - self._options.stall_s
        subscriptions, reached = self._subscriptions, self._follower.reached
        if not len(subscriptions) or subscriptions.heard_at > silent_since or reached is None:
            return
        subscriptions.heard_at = self._clock.seconds()
        if (await self._reader.latest()).number > reached:
            self._condition.counters.stalls += 1
            self._line.cut("silent while the chain goes on")

    def _stop(self, error: ClientError, *, wanted: bool) -> None:
        self._vigil.stop()
        self._follower.interrupt()
        self._subscriptions.end(None if wanted else error)
        self._caller.end(error)
        self._confirmations.up()

    def _depth(self) -> int:
        return self._subscriptions.depth + self._follower.waiting

    def _tell_gap(self, subscription: Subscription, gap: Gap) -> None:
        self._condition.counters.gaps += 1
        self._condition.tell(ClientEvent.GAP, subscription, gap)


def _wish(
    contracts: Iterable[str | bytes],
    events: bool,  # noqa: FBT001 - as a table
    blocks: bool,  # noqa: FBT001 - as above
    raw_blocks: bool,  # noqa: FBT001 - as above
    hashes: bool,  # noqa: FBT001 - as above
) -> Wish:
    if isinstance(contracts, str | bytes):
        raise Misuse("contracts: one is to be in a list")
    wanted = tuple(dict.fromkeys(contract_address(one) for one in contracts))
    if wanted and not events:
        raise Misuse("contracts: only events are of contracts")
    if not (events or blocks or raw_blocks or hashes):
        raise Misuse("nothing is subscribed to")
    return Wish(
        events=events, contracts=wanted, blocks=blocks, raw_blocks=raw_blocks, hashes=hashes
    )


def ontology_client(
    url: str, options: ClientOptions | None = None, *, reactor: Any = None
) -> OntologyClient:
    """Return a client of an Ontology node, to be opened; see ``OntologyClient``."""
    return OntologyClient(url, options, reactor=reactor)
