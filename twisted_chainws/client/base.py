"""The life of a client: opened, restored on every connection, watched, closed.

What a client says over its connections is the subclass's, but for one thing: a connection to
another chain than the right one is none.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.errors import ChainChanged, ClientClosed, ClientError, GaveUp
from twisted_chainws.client.fetching import FETCH_FAILURES
from twisted_chainws.client.line import Line, LineHooks
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.client.status import ClientEvent, Condition, Counters, State, Status
from twisted_chainws.websocket import CloseResult, Outcome, WebSocketError
from twisted_chainws.websocket.awaiting import Waiting, failed, succeeded

__all__ = ["ChainClient"]

_CHECKS_PER_STALL: Final = 4


class ChainClient(ABC):
    """A client of a node, whatever chain it is of.

    ``async with`` opens and closes it. What its methods return works with Twisted, ``async def``,
    and tasks of asyncio on its reactor.
    """

    _log = Logger()

    def __init__(
        self,
        url: str,
        options: ClientOptions | None,
        *,
        reactor: Any,
        uniform: Callable[[float, float], float],
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
        self._options = ClientOptions() if options is None else options
        self._chain_id = self._options.chain_id
        self._condition = Condition()
        self._openers: Waiting[None] = Waiting()
        self._end: ClientError | None = None
        self._stopping: Deferred[None] | None = None
        self._restoring: Deferred[None] | None = None
        self._watching: Deferred[None] | None = None
        hooks = LineHooks(
            up=self._up, message=self._heard, down=self._gone, over=self._over, ask=self._beat
        )
        self._line = Line(
            url,
            options=self._options,
            reactor=reactor,
            uniform=uniform,
            condition=self._condition,
            hooks=hooks,
        )
        self._watch = LoopingCall(self._look)
        self._watch.clock = reactor

    def open(self) -> Outcome[None]:
        """Begin to connect, and wait until open; must be called on the reactor's thread.

        Returns:
            Fails with GaveUp, ChainChanged or ClientClosed. Cancelling stops the waiting only.
        """
        if self._end is not None:
            return failed(self._end)
        if self.state is State.OPEN:
            return succeeded(None)
        if self.state is State.IDLE:
            self._condition.change(State.CONNECTING)
            self._start()
        return self._openers.wait() if self._end is None else failed(self._end)

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

    # What can be seen

    @property
    def chain_id(self) -> int | None:
        """The chain, None as long as it is not known."""
        return self._chain_id

    @property
    def state(self) -> State:
        """Where we are."""
        return self._condition.state

    @property
    def status(self) -> Status:
        """Where we are, and why."""
        return self._condition.status

    @property
    def counters(self) -> Counters:
        """A copy of what was counted so far."""
        return replace(self._condition.counters, queue_depth=self._depth())

    def on(self, event: ClientEvent | str, callback: Callable[..., object] | None = None) -> Any:
        """Listen to ``state``, ``gap`` or ``stray``, or decorate a listener."""
        return self._condition.on(event, callback)

    def off(self, event: ClientEvent | str, callback: Callable[..., object] | None = None) -> None:
        """Take one listener away, or with None all of that event."""
        self._condition.off(event, callback)

    # What a client of a chain does

    @abstractmethod
    async def _ask_chain_id(self) -> int | None:
        """Ask which chain the server speaks for.

        Returns:
            None if it cannot say, and any chain will do.

        Raises:
            ClientError, Unreachable, TookTooLong: it did not answer.
        """

    @abstractmethod
    async def _restore(self) -> None:
        """Make a new connection what the one before was; enters ``open`` by ``_opened``."""

    @abstractmethod
    def _heard(self, data: str | bytes) -> None:
        """Take a message."""

    @abstractmethod
    def _down(self) -> None:
        """Take note that the connection has ended."""

    @abstractmethod
    def _beat(self) -> None:
        """Send a question that anybody answers quickly."""

    @abstractmethod
    def _check(self) -> Coroutine[Deferred[Any], Any, None]:
        """Look whether subscriptions have fallen silent."""

    @abstractmethod
    def _stop(self, error: ClientError, *, wanted: bool) -> None:
        """End requests and subscriptions.

        Args:
            error: why.
            wanted: whether the user has closed.
        """

    @abstractmethod
    def _depth(self) -> int:
        """Count the events that wait, over all subscriptions."""

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

    def _up(self) -> None:
        self._restoring = promise(self._begin())
        self._restoring.addErrback(self._broke)

    async def _begin(self) -> None:
        try:
            actual = await self._ask_chain_id()
        except FETCH_FAILURES as failure:
            self._line.cut(f"no chain id: {failure}")
            return
        if actual is not None and self._chain_id not in (None, actual):
            error = ChainChanged(self._chain_id or 0, actual)
            self._finish(error, str(error))
            return
        self._chain_id = self._chain_id if actual is None else actual
        await self._restore()

    def _opened(self) -> None:
        self._condition.change(State.OPEN)
        self._openers.succeed(None)

    def _gone(self) -> None:
        for running in (self._restoring, self._watching):
            if running is not None:
                running.cancel()
        self._restoring = self._watching = None
        self._down()

    def _look(self) -> None:
        if self.state is State.OPEN and (self._watching is None or self._watching.called):
            self._watching = promise(self._check())
            self._watching.addErrback(self._broke)

    def _over(self, end: CloseResult | WebSocketError) -> None:
        if isinstance(end, CloseResult):
            reason = self._line.cut_for or end.reason
            error = GaveUp(f"closed: {end.code} {reason}".rstrip())
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
        self._stop(error, wanted=wanted)
        for running in (restoring, self._watching):
            if running is not None:
                running.cancel()
        self._openers.fail(error)

    def _broke(self, failure: Failure) -> None:
        if not failure.check(CancelledError, ClientError):
            self._log.failure("a client broke", failure=failure)
