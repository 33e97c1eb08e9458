"""One TCP port for HTTP POST and WebSocket: a twisted.web site with a single resource."""

from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.server.access import host_allowed, origin_allowed, redact
from twisted_chainws.server.accounts import Accounts
from twisted_chainws.server.exchange import Exchange
from twisted_chainws.server.factory import ChainFactory, ServerSettings
from twisted_chainws.server.fanout import Fanout
from twisted_chainws.server.route import Gateway, Route
from twisted_chainws.server.routes import Routes, refusal
from twisted_chainws.websocket.handshake import Refuse
from twisted_chainws.websocket.upgrade import adopt, wants_upgrade

__all__ = ["ChainSite", "make_accounts", "make_site"]

_MAX_AGE_S: Final = 600
_LINGER_S: Final = 1.0


class BoundedRequest(Request):
    """Counts its body as it arrives; an excess is answered before the rest is read."""

    # An answer without a body has no type; Twisted would call it HTML.
    defaultContentType = None  # noqa: N815 - Twisted's name
    _refused = False
    _received = 0
    _timer: IDelayedCall | None = None
    channel: Any

    def __init__(self, channel: Any, *arguments: Any, **more: Any) -> None:
        super().__init__(channel, *arguments, **{**more, "parsePOSTFormSubmission": False})

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """Refuse a body that is announced too large, and give it a time to arrive."""
        site = self.channel.site
        if length is not None and length > site.body_bytes:
            self._refuse(length)
        elif length != 0:
            self._timer = site.reactor.callLater(site.request_timeout_s, self._hang_up)
        super().gotLength(0 if self._refused else length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Keep a part of the body, or let it go once the body is refused."""
        self._received += len(data)
        if not self._refused and self._received > self.channel.site.body_bytes:
            self._refuse(self._received)
        if not self._refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Go on with a request that has arrived; hang up on a refused one."""
        self._stop_timer()
        if self._refused:
            self._hang_up()
        else:
            super().requestReceived(command, path, version)

    def connectionLost(self, reason: Failure) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connectionLost(reason)

    def _refuse(self, size: int) -> None:
        """Answer 413 now; what still comes is thrown away for a moment, so that it is read."""
        self._refused = True
        self._stop_timer()
        site = self.channel.site
        text = f"content length too large ({size}>{site.body_bytes})"
        self.channel.transport.write(Refuse(status=413, body=text.encode()).render())
        self._timer = site.reactor.callLater(_LINGER_S, self._hang_up)

    def _hang_up(self) -> None:
        self._stop_timer()
        if self.channel is not None and self.channel.transport is not None:
            self.channel.loseConnection()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class ChainResource(Resource):
    """Answers every path of a listener."""

    isLeaf = True
    _log = Logger()

    def __init__(
        self, *, reactor: Any, routes: Routes, factory: ChainFactory, settings: ServerSettings
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._routes = routes
        self._factory = factory
        self._settings = settings

    def render(self, request: Request) -> Any:
        """Answer a request, or hand its connection to a WebSocket protocol."""
        request.setHeader("server", "twisted-chainws")
        try:
            return self._answer(request)
        except Refuse as refused:
            return _refuse(request, refused)
        except Exception:  # noqa: BLE001 - our own bug, told without internals
            self._log.failure("a request broke")
            return _refuse(request, Refuse(status=500, body=b"Internal Server Error"))

    def _answer(self, request: Request) -> Any:
        self._admit(request)
        upgrade = wants_upgrade(request)
        method = request.method
        if method == b"OPTIONS":
            request.setResponseCode(204)
            return b""
        path = request.path.decode("latin-1")
        route = self._routes.find(path, request.getHeader("authorization"))
        if upgrade:
            if method != b"GET":
                raise _not_allowed("GET")
            return self._upgrade(request, route)
        greeting = route.dialects[0].greeting
        if greeting is None:
            raise _no_websocket()
        if method in (b"GET", b"HEAD") and _is_plain(request, route.dialects[0]):
            return _greet(request, greeting)
        if method not in (b"GET", b"HEAD", b"POST"):
            raise _not_allowed()
        return self._post(request, route)

    def _admit(self, request: Request) -> None:
        """Apply the Host and Origin rule, and tell browsers that they may read the answer.

        Raises:
            Refuse: 403.
        """
        settings = self._settings
        if settings.check_host and not host_allowed(
            request.getHeader("host"), settings.allow_hosts
        ):
            raise Refuse(status=403, body=b"invalid host specified")
        origin = request.getHeader("origin")
        if not origin_allowed(origin, settings.allow_origins):
            raise self._strange_origin()
        if origin is not None:
            _allow(request, origin)

    def _strange_origin(self) -> Refuse:
        """Return the refusal in the words of the dialect."""
        face = self._routes.dialects[0].http
        if face is None or face.origin_refused is None:
            return Refuse(status=403, body=b"Forbidden")
        return refusal(403, face.origin_refused.message, face.origin_refused.code)

    def _upgrade(self, request: Request, route: Route) -> int:
        connection = self._factory.connect(route)
        if connection is None:
            self._log.debug("too many connections of key {key}", key=redact(route.key))
            raise refusal(429, "too many connections", code=429)
        adopt(request, connection)
        return NOT_DONE_YET

    def _post(self, request: Request, route: Route) -> int:
        body = _body(request)
        dialect = route.claimed_by(body)
        if dialect.http is None:
            raise _not_allowed()
        media = (request.getHeader("content-type") or "").partition(";")[0].strip().lower()
        if media not in dialect.http.content_types:
            text = b"invalid content type, only application/json is supported"
            raise Refuse(status=415, body=text)
        Exchange(
            reactor=self._reactor,
            request=request,
            route=route,
            dialect=dialect,
            timeout_s=self._settings.request_timeout_s,
        ).start(body)
        return NOT_DONE_YET


class ChainSite(Site):
    """A listener. Writes no access log: paths hold keys.

    Attributes:
        websockets: the open WebSocket connections and how to close them.
    """

    displayTracebacks = False  # noqa: N815 - Twisted's name
    noisy = False

    def __init__(
        self,
        *,
        reactor: Any,
        resource: IResource,
        websockets: ChainFactory,
        settings: ServerSettings,
        body_bytes: int,
    ) -> None:
        super().__init__(resource, BoundedRequest, timeout=settings.idle_timeout_s, reactor=reactor)
        self.websockets = websockets
        self.body_bytes = body_bytes
        self.request_timeout_s = settings.request_timeout_s

    def log(self, request: Request) -> None:  # type: ignore[override]
        """Log nothing."""

    def close_all(self) -> "Deferred[None]":
        """Close the WebSocket connections with 1001; fires when all are gone."""
        return self.websockets.close_all()


def make_site(
    *,
    reactor: Any,
    dialect: Dialect | None,
    catalog: tuple[Dialect, ...],
    services: Mapping[str, Gateway],
    settings: ServerSettings,
    accounts: Accounts | None = None,
) -> ChainSite:
    """Make the factory of one listener; listen on it as soon as the services are ready.

    Args:
        reactor: for timers.
        dialect: the only one spoken; None for the combined listener.
        catalog: all dialects that the combined listener chooses from, the first being the
            default.
        services: network name -> service; the first is the default one.
        settings: how it behaves.
        accounts: of the server, shared by its listeners; None makes them for this one.
    """
    routes = Routes(
        dialect=dialect,
        catalog=catalog,
        services=services,
        accounts=accounts or make_accounts(settings, reactor),
        limits=settings.limits,
    )
    for service in routes.services():
        if not isinstance(getattr(service.deliver, "__self__", None), Fanout):
            service.deliver = Fanout(reactor=reactor).publish
    factory = ChainFactory(reactor=reactor, dialects=routes.dialects, settings=settings)
    resource = ChainResource(reactor=reactor, routes=routes, factory=factory, settings=settings)
    limits = [settings.limits or spoken.limits for spoken in routes.dialects]
    return ChainSite(
        reactor=reactor,
        resource=resource,
        websockets=factory,
        settings=settings,
        body_bytes=max(each.body_bytes for each in limits),
    )


def make_accounts(settings: ServerSettings, reactor: Any) -> Accounts:
    """Return the accounts that the settings describe; one set serves all listeners."""
    return Accounts(
        now=reactor.seconds,
        keys=settings.keys,
        inactive=settings.inactive_keys,
        exhausted=settings.exhausted_keys,
        max_connections=settings.connections_per_key,
        units_per_s=settings.compute_units_per_s,
        burst_s=settings.compute_burst_s,
    )


def _body(request: Request) -> bytes:
    content = request.content
    if content is None:
        return b""
    content.seek(0)
    return bytes(content.read())


def _is_plain(request: Request, dialect: Dialect) -> bool:
    """Tell whether a GET asks for nothing in particular."""
    return dialect.any_path or (b"?" not in request.uri and not _body(request))


def _greet(request: Request, greeting: bytes) -> bytes:
    """Answer whoever only wants to know that somebody is there."""
    if greeting:
        request.setHeader("content-type", "text/plain")
    return b"" if request.method == b"HEAD" else greeting


def _no_websocket() -> Refuse:
    """Refuse in the words of a server that knows nothing but WebSocket."""
    return Refuse(status=400, body=b"Bad Request\n", headers=(("sec-websocket-version", "13"),))


def _refuse(request: Request, refused: Refuse) -> bytes:
    request.setResponseCode(refused.status)
    request.setHeader("content-type", refused.content_type)
    for name, value in refused.headers:
        request.setHeader(name, value)
    # Twisted would leave the body out itself, and log the path, which may hold a key.
    return b"" if request.method == b"HEAD" else refused.body


def _not_allowed(allowed: str = "GET, POST, OPTIONS") -> Refuse:
    return Refuse(status=405, body=b"method not allowed", headers=(("allow", allowed),))


def _allow(request: Request, origin: str) -> None:
    """Write the CORS headers. Source: ``ethereum.md`` 1.8."""
    request.setHeader("access-control-allow-origin", origin)
    request.setHeader("vary", "Origin")
    if request.method != b"OPTIONS":
        return
    wanted = request.getHeader("access-control-request-headers") or "*"
    request.setHeader("access-control-allow-methods", "POST, GET")
    request.setHeader("access-control-allow-headers", wanted)
    request.setHeader("access-control-max-age", str(_MAX_AGE_S))
    if request.getHeader("access-control-request-private-network"):
        request.setHeader("access-control-allow-private-network", "true")
