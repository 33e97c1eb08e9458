"""Everything about a ``connect`` that can be wrong before anything is dialled, in its order.

Source: ``ohos-websocket.md`` 3.5.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.fields import refuse
from twisted_chainws.websocket.options import WebSocketRequestOptions
from twisted_chainws.websocket.proxy import choose_proxy, dial_endpoint
from twisted_chainws.websocket.tls import ClientTls
from twisted_chainws.websocket.url import Target, parse_url

__all__ = ["Prepared", "prepare"]

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What to dial.

    Attributes:
        target: of the URL.
        options: checked.
        endpoint: leads there, through proxy and TLS.
    """

    target: Target
    options: WebSocketRequestOptions
    endpoint: IStreamClientEndpoint


def prepare(reactor: Any, url: object, options: object, *, taken: Callable[[], None]) -> Prepared:
    """Check what was given to ``connect``, without dialling.

    Args:
        reactor: will dial.
        url: should be a string.
        options: should be WebSocketRequestOptions or None.
        taken: raises 2302003 if there is a connection already.

    Raises:
        WebSocketError: 401 types and ranges, 201, 2302998, 2302002 or 2302999 files, 2302003,
            2302001, in this order.
    """
    if options is None:
        options = WebSocketRequestOptions()
    if not isinstance(url, str) or not isinstance(options, WebSocketRequestOptions):
        raise refuse("url: not a string, or options: not WebSocketRequestOptions")
    options.check()
    _permit(options, url)
    target: Target | WebSocketError
    try:
        target = parse_url(url, longest=options.max_url_length)
    except WebSocketError as mistake:
        # It is told when its turn comes.
        target = mistake
    if isinstance(target, Target):
        _allow(options, target.host)
    tls = ClientTls(options)
    taken()
    if isinstance(target, WebSocketError):
        raise target
    proxy = choose_proxy(
        secure=target.secure, host=target.host, port=target.port, setting=options.proxy
    )
    endpoint = dial_endpoint(
        reactor,
        host=target.host,
        port=target.port,
        tls=tls.creator(target.host) if target.secure else None,
        proxy=proxy,
        proxy_tls=tls.proxy_creator,
        timeout_s=options.open_timeout,
    )
    return Prepared(target=target, options=options, endpoint=endpoint)


def _permit(options: WebSocketRequestOptions, url: str) -> None:
    if options.permission_check is not None and not _ask(options.permission_check, url):
        raise WebSocketError(ErrorCode.PERMISSION_DENIED)


def _allow(options: WebSocketRequestOptions, host: str) -> None:
    allowed = options.allowed_hosts
    if allowed is None:
        return
    if not callable(allowed):
        allowed = {name.lower() for name in allowed}.__contains__
    if not _ask(allowed, host):
        raise WebSocketError(ErrorCode.DOMAIN_NOT_ALLOWED)


def _ask(hook: Callable[[str], bool], subject: str) -> bool:
    """Ask a hook of the application; one that breaks allows nothing."""
    try:
        allowed: object = hook(subject)
    except Exception as broken:
        _log.failure("a hook broke")
        raise WebSocketError(ErrorCode.INTERNAL_ERROR, data="a hook broke") from broken
    if isinstance(allowed, bool):
        return allowed
    # A coroutine, above all, would count as a yes.
    if inspect.iscoroutine(allowed):
        allowed.close()
    raise WebSocketError(ErrorCode.INTERNAL_ERROR, data="a hook returned neither True nor False")
