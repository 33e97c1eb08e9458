"""An opened client in one expression: ``await``, or ``async with``, which also closes it.

Source: ``ohos-websocket.md`` 5.
"""

from collections.abc import Generator
from types import TracebackType
from typing import Any

from twisted_chainws.websocket.client import State, WebSocket
from twisted_chainws.websocket.codes import CloseCode, WebSocketError
from twisted_chainws.websocket.options import WebSocketRequestOptions

__all__ = ["Opening", "open_web_socket"]


class Opening:
    """A client that is about to be opened; to be awaited or entered, once.

    Both raise WebSocketError: what ``connect`` refuses, or what ``error`` tells. Entered, it is
    closed with 1000 in the end, or with 1011 after an exception, and its end is waited for.
    """

    def __init__(
        self, web_socket: WebSocket, url: str, options: WebSocketRequestOptions | None
    ) -> None:
        self._web_socket = web_socket
        self._url = url
        self._options = options

    def __await__(self) -> Generator[Any, Any, WebSocket]:
        return self._open().__await__()

    async def __aenter__(self) -> WebSocket:
        return await self._open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        web_socket = self._web_socket
        if web_socket.state is State.OPEN:
            code = CloseCode.NORMAL if kind is None else CloseCode.INTERNAL_ERROR
            await web_socket.close(code=code)
        if web_socket.state is not State.CLOSED:
            await web_socket.when_closed()

    async def _open(self) -> WebSocket:
        web_socket = self._web_socket
        web_socket.keep_messages()
        await web_socket.connect(self._url, self._options)
        try:
            await web_socket.when_open()
        except WebSocketError:
            raise
        except BaseException:
            # Whoever waited was cancelled: nobody has the client to close it.
            if web_socket.state in (State.CONNECTING, State.OPEN):
                await web_socket.close()
            raise
        return web_socket


def open_web_socket(
    url: str, options: WebSocketRequestOptions | None = None, *, reactor: Any = None
) -> Opening:
    """Connect, and wait until open; must be called on the reactor's thread.

    Messages are kept for ``recv`` and iteration from the first on: somebody must take them, or
    reading pauses at ``max_queue``.

    Args:
        url: ``ws://`` or ``wss://``.
        options: None for the usual ones.
        reactor: None for the installed one.
    """
    return Opening(WebSocket(reactor), url, options)
