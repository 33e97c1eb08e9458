"""Binding of endpoints: all or nothing, one line per mistake, certificates that can be reloaded."""

from collections.abc import Callable, Sequence
from typing import Any

from OpenSSL.SSL import Context
from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IOpenSSLContextFactory,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = ["CannotBind", "ListenerService"]


class CannotBind(Exception):
    """An endpoint cannot be listened on; the text is one line fit for the terminal."""


@implementer(IOpenSSLContextFactory)
class _SwappableContext:
    """Hands out the newest context; connections that are open keep the one they began with."""

    def __init__(self, newest: IOpenSSLContextFactory) -> None:
        self.newest = newest

    def getContext(self) -> Context:  # noqa: N802
        """Return the context of the next connection."""
        return self.newest.getContext()


class _TlsReactor:
    """A reactor for one endpoint whose TLS listener takes a context that somebody else holds."""

    def __init__(
        self, reactor: Any, wrap: Callable[[IOpenSSLContextFactory], IOpenSSLContextFactory]
    ) -> None:
        self._reactor = reactor
        self._wrap = wrap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenSSL(  # noqa: N802
        self,
        port: int,
        factory: IProtocolFactory,
        contextFactory: Any,  # noqa: N803
        **more: Any,
    ) -> IListeningPort:
        """Listen as the reactor does, with the wrapped context."""
        listening: IListeningPort = self._reactor.listenSSL(
            port, factory, contextFactory=self._wrap(contextFactory), **more
        )
        return listening


class _NoPort:
    """Stands in for a reactor where only the description is read and nothing is opened."""

    def listenSSL(self, *_arguments: Any, **_more: Any) -> None:  # noqa: N802
        """Open nothing."""


class _Bound:
    """One endpoint: its description, what it serves and, once bound, its port."""

    def __init__(self, reactor: Any, description: str, factory: IProtocolFactory) -> None:
        self.description = description
        self.factory = factory
        self.port: Any = None
        self._context: _SwappableContext | None = None
        self.endpoint = _parse(_TlsReactor(reactor, self._keep), description)

    def _keep(self, context: IOpenSSLContextFactory) -> IOpenSSLContextFactory:
        self._context = _SwappableContext(context)
        return self._context

    def reload(self) -> bool:
        """Read the certificate files again; False where the endpoint has none.

        Raises:
            CannotBind: the files are unfit; the old certificate stays.
        """
        if self._context is None:
            return False
        fresh = _SwappableContext(self._context.newest)

        def keep(context: IOpenSSLContextFactory) -> IOpenSSLContextFactory:
            fresh.newest = context
            return fresh

        _parse(_TlsReactor(_NoPort(), keep), self.description).listen(Factory())
        try:
            fresh.getContext()
        except Exception as mistake:
            # A key that does not belong to the certificate is only noticed here.
            raise CannotBind(f"cannot use the endpoint {self.description}: {mistake}") from mistake
        self._context.newest = fresh.newest
        return True


def _parse(reactor: Any, description: str) -> IStreamServerEndpoint:
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    except Exception as mistake:
        reason = str(mistake) or type(mistake).__name__
        raise CannotBind(f"cannot use the endpoint {description}: {reason}") from mistake
    return endpoint


class ListenerService(Service):
    """Listens on several endpoints, or on none when one of them cannot be had."""

    _log = Logger()

    def __init__(self, *, reactor: Any, endpoints: Sequence[tuple[str, IProtocolFactory]]) -> None:
        """Read the descriptions; nothing is opened yet.

        Args:
            reactor: listens.
            endpoints: Twisted server endpoint descriptions and what each serves.

        Raises:
            CannotBind: a description or a certificate file is unfit.
        """
        self._bound = [_Bound(reactor, text, factory) for text, factory in endpoints]
        self._is_bound = False

    def bind(self) -> None:
        """Open all ports; nobody is accepted before ``admit``.

        Raises:
            CannotBind: one is not to be had; the others are closed again.
        """
        if self._is_bound:
            return
        for bound in self._bound:
            outcome: list[Any] = []
            bound.endpoint.listen(bound.factory).addBoth(outcome.append)
            if isinstance(outcome[0], Failure):
                self.close()
                raise CannotBind(_explain(bound.description, outcome[0])) from outcome[0].value
            bound.port = outcome[0]
            bound.port.stopReading()
        self._is_bound = True

    def admit(self) -> None:
        """Begin to accept; connections made since ``bind`` waited in the kernel's queue."""
        for bound in self._bound:
            if bound.port is not None:
                bound.port.startReading()

    def addresses(self) -> list[IAddress]:
        """Return where each endpoint listens, in their order; empty before ``bind``."""
        return [bound.port.getHost() for bound in self._bound if bound.port is not None]

    def reload(self) -> None:
        """Take new certificates from the files of TLS endpoints; unfit ones are logged."""
        for bound in self._bound:
            try:
                if bound.reload():
                    self._log.info("certificate reloaded: {endpoint}", endpoint=bound.description)
            except CannotBind as mistake:
                self._log.error("the old certificate stays: {mistake}", mistake=mistake)

    def close(self) -> "Deferred[Any]":
        """Close every port that is open."""
        ports = [bound.port for bound in self._bound if bound.port is not None]
        for bound in self._bound:
            bound.port = None
        self._is_bound = False
        return gatherResults([maybeDeferred(port.stopListening) for port in ports])

    def stopService(self) -> "Deferred[Any]":
        """Stop listening; connections stay."""
        super().stopService()
        return self.close()


def _explain(description: str, failure: Failure) -> str:
    error = failure.value
    if isinstance(error, CannotListenError):
        where = error.interface if error.port is None else f"{error.interface}:{error.port}"
        return f"cannot listen on {where}: {error.socketError.strerror or error.socketError}"
    return f"cannot listen on {description}: {error}"
