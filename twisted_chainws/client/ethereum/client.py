"""The Ethereum client: calls and subscriptions that survive their connections.

Theory of operation. A ``Line`` keeps connecting. When a connection is open, the chain id is asked
for; if it is the right one, requests that wait are let go, subscriptions are made again in their
order while their events wait, the head is asked for, and each stream finds out what it has missed.
Then the client is open. When the connection ends all that is cancelled, and begins anew with the
next one. Everything happens on the reactor's thread.

Source: ``ethereum.md`` 6.3.
"""

import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred

from twisted_chainws.client.calling import CallingClient
from twisted_chainws.client.errors import ClientError
from twisted_chainws.client.ethereum.calls import Caller, refuse
from twisted_chainws.client.ethereum.envelope import Notice, Reply, parse
from twisted_chainws.client.ethereum.reader import Reader
from twisted_chainws.client.ethereum.streams import Height
from twisted_chainws.client.ethereum.subscribing import Subscriptions
from twisted_chainws.client.ethereum.subscription import Subscription
from twisted_chainws.client.ethereum.values import Event, quantity
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["EthereumClient", "ethereum_client"]

_MADE_ANOTHER_WAY: Final = frozenset({"eth_subscribe", "eth_unsubscribe"})


class EthereumClient(CallingClient):
    """A client of an Ethereum node.

    ``async with`` opens and closes it. What its methods return works with Twisted, ``async def``,
    and tasks of asyncio on its reactor.
    """

    _caller: Caller

    def __init__(
        self,
        url: str,
        options: ClientOptions | None = None,
        *,
        reactor: Any = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Prepare.

        Args:
            url: ``ws://`` or ``wss://``; credentials before the host are sent as Basic ones.
            options: None for the usual ones.
            reactor: None for the installed one.
            uniform: a random number between two others.
        """
        super().__init__(url, options, reactor=reactor, uniform=uniform)
        clock, options, condition = self._clock, self._options, self._condition
        self._height = Height()
        self._covered = 0
        self._caller = Caller(
            clock=clock, options=options, uniform=uniform, condition=condition, line=self._line
        )
        self._reader = Reader(self._ask, clock=clock, options=options)
        self._subscriptions = Subscriptions(
            call=self._later,
            ask=self._ask,
            reader=self._reader,
            clock=clock,
            options=options,
            condition=condition,
            height=self._height,
            cut=self._line.cut,
        )

    # Calls

    def call(self, method: str, *params: Any, repeatable: bool | None = None) -> Outcome[Any]:
        """Call a method; must be called on the reactor's thread.

        Without a connection it waits for one. When the connection is lost, it is sent again, once,
        if that does no harm.

        Args:
            method: name.
            params: of any JSON type.
            repeatable: whether sending it twice does no harm; None for what the name says.

        Returns:
            The result. Fails with RpcError, RequestTimeout, ConnectionLost, BadAnswer, Misuse or
            ClientClosed.
        """
        if method in _MADE_ANOTHER_WAY:
            return refuse(method)
        return self._later(method, *params, repeatable=repeatable)

    def batch(self, calls: Sequence[Sequence[Any]]) -> Outcome[list[Any]]:
        """Call several methods with few messages; must be called on the reactor's thread.

        Args:
            calls: method and params of each: ``("eth_getBalance", address, "latest")``.

        Returns:
            Results in the order of the calls; the ClientError of those that failed.
        """
        ended = self._not_usable()
        if ended is not None:
            return failed(ended)
        for method, *_ in calls:
            if method in _MADE_ANOTHER_WAY:
                return refuse(method)
        return promise(self._caller.all([(method, params) for method, *params in calls]))

    def subscribe(
        self,
        kind: str,
        options: Any = None,
        callback: Callable[[Event], object] | None = None,
    ) -> Outcome[Subscription]:
        """Subscribe; must be called on the reactor's thread.

        Args:
            kind: ``newHeads`` gives Head, HeadRemoved and Gap, ``logs`` Log and Gap, others what
                the server sends.
            options: of the subscription; None for none.
            callback: is called with each event; None to iterate. A coroutine function of Twisted
                is waited for before the next event.

        Returns:
            The subscription. Fails as ``call`` does.
        """
        ended = self._not_usable()
        return (
            promise(self._subscriptions.make(kind, options, callback))
            if ended is None
            else failed(ended)
        )

    # Ours

    def _later(self, method: str, *params: Any, repeatable: bool | None = None) -> Outcome[Any]:
        return self._request(method, params, repeatable=repeatable)

    def _ask(self, method: str, *params: Any) -> Outcome[Any]:
        return self._request_now(method, params)

    def _beat(self) -> None:
        self._ask("net_version").addErrback(lambda _: None)

    def _heard(self, data: str | bytes) -> None:
        items, batch = parse(data)
        replies: list[Reply] = []
        for item in items:
            if isinstance(item, Reply):
                replies.append(item)
            elif isinstance(item, Notice):
                self._subscriptions.notice(item)
            else:
                self._condition.counters.strays += 1
        if replies:
            self._caller.replies(replies, batch=batch)

    async def _read_chain_id(self) -> int:
        return quantity(await self._ask("eth_chainId"))

    def _hold(self) -> bool:
        # Streams hold what comes from when they are asked for again.
        return len(self._subscriptions) > 0

    def _subscribe_again(self) -> Coroutine[Deferred[Any], Any, None]:
        return self._subscriptions.restore()

    def _catch_up(self) -> Coroutine[Deferred[Any], Any, None]:
        return self._subscriptions.recover(self._covered)

    def _gone(self) -> None:
        # Before what is cancelled may change it.
        self._covered = self._height.live
        super()._gone()

    def _down(self) -> None:
        self._subscriptions.down()
        self._caller.down()

    def _check(self) -> Coroutine[Deferred[Any], Any, None]:
        return self._subscriptions.watch()

    def _stop(self, error: ClientError, *, wanted: bool) -> None:
        self._subscriptions.end(None if wanted else error)
        self._caller.end(error)

    def _depth(self) -> int:
        return self._subscriptions.depth


def ethereum_client(
    url: str, options: ClientOptions | None = None, *, reactor: Any = None
) -> EthereumClient:
    """Return a client of an Ethereum node, to be opened; see ``EthereumClient``."""
    return EthereumClient(url, options, reactor=reactor)
