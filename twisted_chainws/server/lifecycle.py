"""The life of a whole server: bind, wait for the chains, admit clients; and all of it backwards."""

import signal
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final, NoReturn

from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError, Deferred, FirstError, gatherResults
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.server.listening import CannotBind, ListenerService
from twisted_chainws.service import ChainService

__all__ = ["Lifecycle"]

PORTS_LIMIT_S: Final = 0.5
"""How long closing the ports may take."""

CLIENTS_LIMIT_S: Final = 2.0
"""How long clients may take to answer the close and to read what is queued."""

SOURCES_LIMIT_S: Final = 2.5
"""How long sources may take to stop; all three together stay within five seconds."""


class Lifecycle(MultiService):
    """Chains behind listeners, started and stopped in the right order.

    The ports are bound first, so that a taken one stops the start before anything else happens;
    clients that connect before the chains are there wait in the kernel's queue.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        listeners: ListenerService,
        chains: Sequence[ChainService],
        close_clients: Callable[[], "Deferred[Any]"],
        ready: Callable[[], None],
        give_up: Callable[[str], NoReturn],
        failed: Callable[[Failure], None],
    ) -> None:
        """Put the parts together; nothing starts yet.

        Args:
            reactor: provides time and ``callFromThread``.
            listeners: what is listened on.
            chains: one service per network.
            close_clients: closes every connection with 1001; fires when all are gone.
            ready: called once clients are admitted.
            give_up: called with one line when a port is not to be had.
            failed: called when a source cannot start.
        """
        super().__init__()
        self._time: IReactorTime = reactor
        self._threads: IReactorFromThreads = reactor
        self._listeners = listeners
        self._close_clients = close_clients
        self._ready = ready
        self._give_up = give_up
        self._failed = failed
        self._old_hangup: Any = None
        self._chains = tuple(chains)
        for chain in chains:
            chain.setServiceParent(self)

    def privilegedStartService(self) -> None:
        """Bind the ports while low ones are still allowed."""
        self._bind()
        super().privilegedStartService()

    def startService(self) -> None:
        """Start the chains, then admit clients."""
        self._bind()
        super().startService()
        self._old_hangup = signal.signal(signal.SIGHUP, self._hangup)
        gatherResults(
            [chain.when_ready() for chain in self._chains], consumeErrors=True
        ).addCallbacks(lambda _: self._admit(), self._cannot_start).addErrback(
            lambda failure: self._log.failure("could not start", failure)
        )

    def _bind(self) -> None:
        try:
            self._listeners.bind()
        except CannotBind as mistake:
            self._give_up(f"{mistake}; choose another endpoint with --listen")

    def _admit(self) -> None:
        if self.running:
            self._listeners.admit()
            self._ready()

    def _cannot_start(self, failure: Failure) -> None:
        error = failure.value
        cause = error.subFailure if isinstance(error, FirstError) else failure
        if not cause.check(CancelledError):
            self._failed(cause)

    def _hangup(self, _number: int, _frame: FrameType | None) -> None:
        # A handler may run between any two bytecodes: the work waits for the reactor.
        self._threads.callFromThread(self._listeners.reload)

    def stopService(self) -> "Deferred[None]":
        """Stop listening, close clients with 1001, stop the sources; within five seconds."""
        if self._old_hangup is not None:
            signal.signal(signal.SIGHUP, self._old_hangup)
            self._old_hangup = None
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        log = self._log
        await self._at_most(PORTS_LIMIT_S, "closing the ports", self._listeners.close(), log.warn)
        # Clients that never answer the close are nothing that an operator could mend.
        await self._at_most(CLIENTS_LIMIT_S, "closing clients", self._close_clients(), log.info)
        await self._at_most(SOURCES_LIMIT_S, "stopping sources", super().stopService(), log.warn)

    async def _at_most(
        self, limit_s: float, what: str, work: "Deferred[Any]", tell: Callable[..., None]
    ) -> None:
        """Wait until ``work`` has ended, but only so long; then it goes on unattended.

        It is not cancelled: that would only make errors in places that nobody looks at.
        """
        over: Deferred[None] = Deferred()
        limit = self._time.callLater(limit_s, over.callback, None)

        def ended(result: object) -> None:
            if isinstance(result, Failure):
                self._log.warn("{what} did not end well: {error!r}", what=what, error=result.value)
            if limit.active():
                limit.cancel()
                over.callback(None)

        work.addBoth(ended)
        await over
        if not work.called:
            tell("{what} took more than {limit_s:g} s", what=what, limit_s=limit_s)
