"""The Ethereum client: calls and subscriptions that survive their connections.

Theory of operation. A ``Line`` keeps connecting. When a connection is open, the chain id is asked
for; if it is the right one, requests that wait are let go, subscriptions are made again in their
order while their events wait, the head is asked for, and each stream finds out what it has missed.
Then the client is open. When the connection ends all that is cancelled, and begins anew with the
next one. Everything happens on the reactor's thread.

Source: ``ethereum.md`` 6.3.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.errors import (
    BadAnswer,
    ChainChanged,
    ClientClosed,
    ClientError,
    GaveUp,
    RpcError,
)
from twisted_chainws.client.ethereum.calls import Caller, refuse
from twisted_chainws.client.ethereum.envelope import Notice, Reply, parse
from twisted_chainws.client.ethereum.reader import Reader
from twisted_chainws.client.ethereum.streams import Height
from twisted_chainws.client.ethereum.subscribing import Subscriptions
from twisted_chainws.client.ethereum.subscription import Subscription
from twisted_chainws.client.ethereum.values import Event, quantity
from twisted_chainws.client.fetching import FETCH_FAILURES
from twisted_chainws.client.line import Line, LineHooks
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import broken, promise
from twisted_chainws.client.status import ClientEvent, Condition, Counters, State, Status
from twisted_chainws.websocket import CloseResult, Outcome, WebSocketError
from twisted_chainws.websocket.awaiting import Waiting, succeeded

__all__ = ["EthereumClient", "ethereum_client"]

_MADE_ANOTHER_WAY: Final = frozenset({"eth_subscribe", "eth_unsubscribe"})
_CHECKS_PER_STALL: Final = 4


class EthereumClient:
    """A client of an Ethereum node.

    ``async with`` opens and closes it. What its methods return works with Twisted, ``async def``,
    and tasks of asyncio on its reactor.
    """

    _log = Logger()

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
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415, TID251 - installs it
        self._clock: Any = reactor
        self._options = options = ClientOptions() if options is None else options
        self._condition = condition = Condition()
        self._chain_id = options.chain_id
        self._height = Height()
        self._openers: Waiting[None] = Waiting()
        self._end: ClientError | None = None
        self._stopping: Deferred[None] | None = None
        self._restoring: Deferred[None] | None = None
        self._watching: Deferred[None] | None = None
        self._covered = 0
        hooks = LineHooks(
            up=self._up, message=self._heard, down=self._down, over=self._over, ask=self._beat
        )
        self._line = Line(
            url,
            options=options,
            reactor=reactor,
            uniform=uniform,
            condition=condition,
            hooks=hooks,
        )
        self._caller = Caller(
            clock=reactor, options=options, uniform=uniform, condition=condition, line=self._line
        )
        self._reader = Reader(self._ask, clock=reactor, options=options)
        self._subscriptions = Subscriptions(
            call=self._later,
            ask=self._ask,
            reader=self._reader,
            clock=reactor,
            options=options,
            condition=condition,
            height=self._height,
            cut=self._line.cut,
        )
        self._watch = LoopingCall(self._look)
        self._watch.clock = reactor

    # Life

    def open(self) -> Outcome[None]:
        """Begin to connect, and wait until open; must be called on the reactor's thread.

        Returns:
            Fails with GaveUp, ChainChanged or ClientClosed. Cancelling stops the waiting only.
        """
        if self._end is not None:
            return broken(self._end)
        if self.state is State.OPEN:
            return succeeded(None)
        if self.state is State.IDLE:
            self._condition.change(State.CONNECTING)
            self._start()
        return self._openers.wait() if self._end is None else broken(self._end)

    def close(self) -> Outcome[None]:
        """Close for good; must be called on the reactor's thread.

        Requests that have no answer fail with ClientClosed, iteration over subscriptions ends.

        Returns:
            Fires when there is no connection any more.
        """
        self._finish(ClientClosed("closed"), "closed", wanted=True)
        outcome: Outcome[None] = Outcome()
        if self._stopping is not None:
            self._stopping.addBoth(lambda _: outcome.callback(None))
        return outcome

    async def __aenter__(self) -> Self:
        """Open; whoever is cancelled while waiting leaves nothing behind."""
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close, and wait for the end."""
        await self.close()

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
            return broken(ended)
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
            else broken(ended)
        )

    # What can be seen

    @property
    def state(self) -> State:
        """Where we are."""
        return self._condition.state

    @property
    def status(self) -> Status:
        """Where we are, and why."""
        return self._condition.status

    @property
    def chain_id(self) -> int | None:
        """The chain, None as long as it is not known."""
        return self._chain_id

    @property
    def counters(self) -> Counters:
        """A copy of what was counted so far."""
        return replace(self._condition.counters, queue_depth=self._subscriptions.depth)

    def on(self, event: ClientEvent | str, callback: Callable[..., object] | None = None) -> Any:
        """Listen to ``state``, ``gap`` or ``stray``, or decorate a listener."""
        return self._condition.on(event, callback)

    def off(self, event: ClientEvent | str, callback: Callable[..., object] | None = None) -> None:
        """Take one listener away, or with None all of that event."""
        self._condition.off(event, callback)

    # Ours

    def _start(self) -> None:
        if self._end is not None:
            # Whoever heard of the state has closed.
            return
        self._line.start()
        if self._options.stall_s:
            period = self._options.stall_s / _CHECKS_PER_STALL
            self._watch.start(period, now=False).addErrback(self._broke)

    def _not_usable(self) -> ClientError | None:
        return ClientClosed("not opened") if self.state is State.IDLE else self._end

    def _later(self, method: str, *params: Any, repeatable: bool | None = None) -> Outcome[Any]:
        ended = self._not_usable()
        if ended is not None:
            return broken(ended)
        return self._caller.call(method, params, repeatable=repeatable)

    def _ask(self, method: str, *params: Any) -> Outcome[Any]:
        """Ask for ourselves, over this connection."""
        if self._end is not None:
            return broken(self._end)
        return self._caller.call(method, params, repeatable=False, urgent=True)

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

    def _up(self) -> None:
        self._restoring = promise(self._restore())
        self._restoring.addErrback(self._broke)

    async def _restore(self) -> None:
        try:
            await self._check_chain()
        except ChainChanged as error:
            self._finish(error, str(error))
            return
        except FETCH_FAILURES as failure:
            self._line.cut(f"no chain id: {failure}")
            return
        if len(self._subscriptions):
            self._condition.change(State.BACKFILLING)
        # Subscriptions are asked for first: what waits is let go behind them.
        again = promise(self._subscriptions.restore())
        self._caller.flow()
        try:
            await again
        except ClientError as error:
            self._line.cut(f"no subscription: {error}")
            return
        await self._subscriptions.recover(self._covered)
        self._condition.change(State.OPEN)
        self._openers.succeed(None)

    async def _check_chain(self) -> None:
        try:
            actual = quantity(await self._ask("eth_chainId"))
        except (RpcError, BadAnswer):
            # Old nodes do not know the method: what cannot be asked cannot be compared.
            if self._options.chain_id is not None:
                raise
            return
        if self._chain_id not in (None, actual):
            raise ChainChanged(self._chain_id or 0, actual)
        self._chain_id = actual

    def _down(self) -> None:
        self._covered = self._height.live
        self._cancel()
        self._subscriptions.down()
        self._caller.down()

    def _cancel(self) -> None:
        for running in (self._restoring, self._watching):
            if running is not None:
                running.cancel()
        self._restoring = self._watching = None

    def _look(self) -> None:
        if self.state is State.OPEN and (self._watching is None or self._watching.called):
            self._watching = promise(self._subscriptions.watch())
            self._watching.addErrback(self._broke)

    def _over(self, end: CloseResult | WebSocketError) -> None:
        if isinstance(end, CloseResult):
            error = GaveUp(f"closed: {end.code} {end.reason}".rstrip())
        else:
            error = GaveUp(str(end), http_status=end.http_status)
            error.__cause__ = end
        code = end.code if isinstance(end, CloseResult) else end.http_status
        self._finish(error, str(error), code)

    def _finish(
        self, error: ClientError, reason: str, code: int | None = None, *, wanted: bool = False
    ) -> None:
        if self._end is not None:
            return
        self._end = error
        if self._watch.running:
            self._watch.stop()
        restoring = self._restoring
        self._restoring = None
        self._stopping = self._line.stop()
        self._condition.change(State.CLOSED, reason, code)
        self._subscriptions.end(None if wanted else error)
        self._caller.end(error)
        if restoring is not None:
            restoring.cancel()
        if self._watching is not None:
            self._watching.cancel()
        self._openers.fail(error)  # type: ignore[arg-type]

    def _broke(self, failure: Failure) -> None:
        if not failure.check(CancelledError, ClientError):
            self._log.failure("a client broke", failure=failure)


def ethereum_client(
    url: str, options: ClientOptions | None = None, *, reactor: Any = None
) -> EthereumClient:
    """Return a client of an Ethereum node, to be opened; see ``EthereumClient``."""
    return EthereumClient(url, options, reactor=reactor)
