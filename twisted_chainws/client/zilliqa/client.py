"""The Zilliqa client: subscriptions that survive their connections, and calls over HTTP.

Theory of operation. A ``Line`` keeps connecting. When a connection is open, the chain id is asked
for over HTTP, if there is an address for that; then all topics are subscribed to again while
notifications wait, and the ``Follower`` finds out which blocks were missed. Then the client is
open. Without HTTP, what is missing shows in the numbers of the blocks that come, and is reported.
Everything happens on the reactor's thread.

Source: ``zilliqa.md`` 1, 2, 3, 5.1, 7.1 (close codes), 7.4.
"""

import random
from collections.abc import Callable, Iterable
from typing import Any

from twisted.web.iweb import IAgent

from twisted_chainws.client.base import ChainClient
from twisted_chainws.client.errors import ClientError, Misuse
from twisted_chainws.client.fetching import FETCH_FAILURES
from twisted_chainws.client.follower import Follower, FollowerHooks
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.client.status import ClientEvent, State
from twisted_chainws.client.zilliqa.asking import Asker
from twisted_chainws.client.zilliqa.envelope import Echo, Notification, Refusal, Stray, parse
from twisted_chainws.client.zilliqa.paying import Payer
from twisted_chainws.client.zilliqa.queries import NEW_BLOCK, TOPICS, Query, leave, plain_address
from twisted_chainws.client.zilliqa.reader import Reader
from twisted_chainws.client.zilliqa.rpc import Rpc
from twisted_chainws.client.zilliqa.subscribing import Subscriptions
from twisted_chainws.client.zilliqa.subscription import Subscription
from twisted_chainws.client.zilliqa.values import Event, Gap, number
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["ZilliqaClient", "zilliqa_client"]


class ZilliqaClient(ChainClient):
    """A client of a Zilliqa node.

    ``async with`` opens and closes it. What its methods return works with Twisted, ``async def``,
    and tasks of asyncio on its reactor.
    """

    def __init__(
        self,
        url: str,
        options: ClientOptions | None = None,
        *,
        http_url: str | None = None,
        agent: IAgent | None = None,
        reactor: Any = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Prepare.

        Args:
            url: ``ws://`` or ``wss://``; credentials before the host are sent as Basic ones.
            options: None for the usual ones.
            http_url: of the node's JSON-RPC, ``http://`` or ``https://``. None for none: then what
                was missed is reported and not fetched, and there are no calls.
            agent: makes the HTTP requests, through a proxy for instance; None for a direct one.
            reactor: None for the installed one.
            uniform: a random number between two others.

        Raises:
            Misuse: a chain id is wanted, and nobody can be asked for it.
        """
        super().__init__(url, options, reactor=reactor, uniform=uniform)
        clock, options, condition = self._clock, self._options, self._condition
        if http_url is None and options.chain_id is not None:
            raise Misuse("chain_id: only HTTP can tell it")
        self._rpc = (
            None
            if http_url is None
            else Rpc(
                http_url,
                reactor=clock,
                agent=agent,
                options=options,
                uniform=uniform,
                counters=condition.counters,
            )
        )
        self._reader = Reader(self._rpc, clock=clock, options=options)
        self._payer = Payer(self.call)
        self._asker = Asker(
            clock=clock,
            options=options,
            condition=condition,
            is_up=lambda: self._line.is_up,
            send=self._line.send,
            cut=self._line.cut,
        )
        self._subscriptions = subscriptions = Subscriptions(
            ask=self._asker.ask,
            reader=self._reader,
            clock=clock,
            options=options,
            condition=condition,
        )
        self._heard_at = 0.0
        self._follower = subscriptions.follower = Follower(
            reader=self._reader,
            options=options,
            hooks=FollowerHooks(
                audience=subscriptions.audience,
                gap=self._tell_gap,
                told=subscriptions.told,
                overflow=lambda: self._line.cut("too many notifications wait"),
            ),
        )

    def subscribe(
        self,
        kind: str,
        addresses: Iterable[str | bytes] = (),
        callback: Callable[[Event], object] | None = None,
    ) -> Outcome[Subscription]:
        """Subscribe; must be called on the reactor's thread.

        Args:
            kind: ``NewBlock`` gives TxBlock, ``EventLog`` ContractEvent, ``TxnLog`` Transfer; all
                of them Reset and Gap.
            addresses: of contracts for EventLog, of anybody for TxnLog; none for NewBlock. In
                bech32, in hex with or without ``0x``, or 20 bytes.
            callback: is called with each event; None to iterate. A coroutine function of Twisted
                is waited for before the next event.

        Returns:
            The subscription. Fails with RpcError, RequestTimeout, Misuse or ClientClosed.
        """
        ended = self._not_usable()
        if ended is not None:
            return failed(ended)
        try:
            wanted = _check(kind, addresses)
        except Misuse as error:
            return failed(error)
        return promise(self._subscriptions.make(kind, wanted, callback))

    def call(self, method: str, *params: Any) -> Outcome[Any]:
        """Call a method over HTTP; must be called on the reactor's thread.

        Args:
            method: name.
            params: of any JSON type; numbers are texts as a rule.

        Returns:
            The result. Fails with RpcError, RequestTimeout, ConnectionLost, BadAnswer, Misuse or
            ClientClosed; it is not sent again.
        """
        ended = self._not_usable()
        if ended is not None:
            return failed(ended)
        if self._rpc is None:
            return failed(Misuse(f"{method}: there is no HTTP address"))
        return self._rpc.call(method, *params)

    def pay(
        self,
        secret: bytes,
        to: str | bytes,
        amount_qa: int,
        *,
        nonce: int | None = None,
        gas_price_qa: int | None = None,
    ) -> Outcome[str]:
        """Sign a payment and send it over HTTP; must be called on the reactor's thread.

        Args:
            secret: key of the sender, 32 bytes.
            to: address in bech32, in hex, or 20 bytes.
            amount_qa: in Qa, 10^-12 ZIL.
            nonce: None for the one after that of the account, and of payments from here.
            gas_price_qa: per unit of gas; None for the lowest that the node takes.

        Returns:
            The id of the transaction, bare lower-case hex. Fails as ``call`` does.
        """
        return promise(self._pay(secret, to, amount_qa, nonce=nonce, gas_price_qa=gas_price_qa))

    # Ours

    async def _pay(self, secret: bytes, to: str | bytes, amount_qa: int, **more: Any) -> str:
        if self._chain_id is None:
            self._chain_id = number(await self.call("GetNetworkId"))
        return await self._payer.pay(secret, to, amount_qa, chain_id=self._chain_id, **more)

    def _heard(self, data: str | bytes) -> None:
        message = parse(data)
        if isinstance(message, Echo):
            self._asker.echo(message)
        elif isinstance(message, Refusal):
            self._asker.refusal(message)
        elif isinstance(message, Notification):
            self._heard_at = self._clock.seconds()
            self._condition.counters.strays += message.strays
            self._subscriptions.arrived(message)
            self._follower.take(message)
        elif isinstance(message, Stray):
            self._condition.counters.strays += 1

    def _beat(self) -> None:
        # One of them changes nothing.
        query = Query(kind=NEW_BLOCK) if self._subscriptions.has_blocks else leave(NEW_BLOCK)
        self._asker.ask(query).addErrback(lambda _: None)

    async def _ask_chain_id(self) -> int | None:
        if not self._reader.can_fetch:
            return None
        try:
            return await self._reader.network_id()
        except FETCH_FAILURES:
            # HTTP may be down while notifications go on; only who wants a certain chain waits.
            if self._options.chain_id is not None:
                raise
            return None

    async def _restore(self) -> None:
        if len(self._subscriptions):
            self._condition.change(State.BACKFILLING)
            self._follower.hold()
            try:
                await self._subscriptions.restore()
            except ClientError as error:
                self._line.cut(f"no subscription: {error}")
                return
            await self._follower.recover()
        self._heard_at = self._clock.seconds()
        self._subscriptions.go()
        self._opened()

    def _down(self) -> None:
        self._follower.interrupt()
        self._asker.down()
        self._subscriptions.down()

    async def _check(self) -> None:
        """Ask for the head if no block came for long, and connect anew if there is one."""
        silent_since = self._clock.seconds() - self._options.stall_s
        if not len(self._subscriptions) or self._heard_at > silent_since:
            return
        self._heard_at = self._clock.seconds()
        reached = self._follower.reached
        if reached is None or not self._reader.can_fetch:
            return
        if (await self._reader.latest()).number > reached:
            self._condition.counters.stalls += 1
            self._line.cut("silent while the chain goes on")

    def _stop(self, error: ClientError, *, wanted: bool) -> None:
        self._follower.interrupt()
        self._subscriptions.end(error, wanted=wanted)
        self._asker.end(error)
        if self._rpc is not None:
            self._rpc.end(error)

    def _depth(self) -> int:
        return self._subscriptions.depth + self._follower.waiting

    def _tell_gap(self, subscription: Subscription, gap: Gap) -> None:
        self._condition.counters.gaps += 1
        self._condition.tell(ClientEvent.GAP, subscription, gap)


def _check(kind: str, addresses: Iterable[str | bytes]) -> tuple[str, ...]:
    if kind not in TOPICS:
        raise Misuse(f"{kind}: not one of {', '.join(TOPICS)}")
    if isinstance(addresses, str | bytes):
        raise Misuse("addresses: one is to be in a list")
    wanted = tuple(dict.fromkeys(plain_address(one) for one in addresses))
    if bool(wanted) is (kind == NEW_BLOCK):
        raise Misuse(f"{kind}: {'takes no' if wanted else 'needs'} addresses")
    return wanted


def zilliqa_client(
    url: str,
    options: ClientOptions | None = None,
    *,
    http_url: str | None = None,
    agent: IAgent | None = None,
    reactor: Any = None,
) -> ZilliqaClient:
    """Return a client of a Zilliqa node, to be opened; see ``ZilliqaClient``."""
    return ZilliqaClient(url, options, http_url=http_url, agent=agent, reactor=reactor)
