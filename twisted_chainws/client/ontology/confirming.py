"""Waiting until a transaction has been taken into the chain.

The node pushes what a transaction did to the connection that has sent it, and tells whoever asks.
Asking makes up for lost connections, for pushes that somebody else gets, and for nodes that forget
what waits: then the same bytes are sent again, which cannot do a thing twice.

Source: ``ontology.md`` 4.15, 5.4, 8.2.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn

from twisted.internet.defer import Deferred

from twisted_chainws.client.errors import ConnectionLost, RequestTimeout, RpcError
from twisted_chainws.client.ontology.answers import decode_event
from twisted_chainws.client.ontology.calls import SEND
from twisted_chainws.client.ontology.values import Notify
from twisted_chainws.client.promise import promise
from twisted_chainws.dialects.ontology.errors import DUPLICATE_INPUT, DUPLICATED_TX

__all__ = ["Confirmations"]

_ASK_EVERY_S: Final = 5.0
_ASK_OFTEN_S: Final = 1.0
"""Once the connection is gone to which the node would have pushed."""

_MAYBE_LATER: Final = (ConnectionLost, RequestTimeout)
_SENT_ALREADY: Final = frozenset({DUPLICATED_TX, DUPLICATE_INPUT})


class _Wait:
    """One who waits.

    Attributes:
        event: what the transaction did, None as long as nobody told.
    """

    def __init__(self, clock: Any) -> None:
        self.event: Notify | None = None
        self._clock = clock
        self._pause: Deferred[None] | None = None

    def wake(self, event: Notify | None = None) -> None:
        """End the pause."""
        self.event = event or self.event
        pause, self._pause = self._pause, None
        if pause is not None:
            pause.callback(None)

    async def pause(self, seconds: float) -> None:
        """Wait for ``wake``, but no longer than that."""
        self._pause = Deferred()
        timer = self._clock.callLater(seconds, self.wake)
        try:
            await self._pause
        finally:
            self._pause = None
            if timer.active():
                timer.cancel()


class Confirmations:
    """Those who wait, over all connections of one client."""

    def __init__(
        self, call: Callable[..., Any], *, clock: Any, connections: Callable[[], int]
    ) -> None:
        """Prepare.

        Args:
            call: asks when there is a connection: action, then its members by name.
            clock: reactor.
            connections: counts the connections so far.
        """
        self._call = call
        self._clock = clock
        self._connections = connections
        self._waits: dict[str, list[_Wait]] = {}

    def heard(self, event: Notify) -> None:
        """Take what a transaction did."""
        for wait in list(self._waits.get(event.tx_hash, ())):
            wait.wake(event)

    def up(self) -> None:
        """Take note that there is a connection again."""
        for waits in list(self._waits.values()):
            for wait in list(waits):
                wait.wake()

    async def wait(self, tx_hash: str, raw: bytes | None, wait_s: float) -> Notify:
        """Wait for a transaction.

        Args:
            tx_hash: of it.
            raw: to send; None if it was sent already.
            wait_s: seconds.

        Raises:
            RequestTimeout: that long nothing was heard of it.
            ClientError: it could not be sent, or the node will not tell.
        """
        wait = _Wait(self._clock)
        self._waits.setdefault(tx_hash, []).append(wait)
        waiting = promise(self._wait(wait, tx_hash, raw))

        def late(*_: Any) -> NoReturn:
            raise RequestTimeout(SEND, wait_s, maybe_sent=True)

        try:
            return await waiting.addTimeout(wait_s, self._clock, late)
        finally:
            self._waits[tx_hash].remove(wait)
            if not self._waits[tx_hash]:
                del self._waits[tx_hash]

    async def _wait(self, wait: _Wait, tx_hash: str, raw: bytes | None) -> Notify:
        if raw is not None:
            await self._send_first(raw)
        began_over = sent_over = self._connections()
        while True:
            found = wait.event or await self._ask(tx_hash)
            if found is not None:
                return found
            if raw is not None and self._connections() != sent_over:
                sent_over = self._connections()
                found = await self._send_again(tx_hash, raw)
                if found is not None:
                    return found
            if wait.event is None:
                is_pushed = self._connections() == began_over
                await wait.pause(_ASK_EVERY_S if is_pushed else _ASK_OFTEN_S)

    async def _send_first(self, raw: bytes) -> None:
        """Send, unless somebody has; whether that went well is found out by asking.

        Raises:
            ClientError: the node refuses it, or it certainly was not sent.
        """
        try:
            await self._call(SEND, Data=raw.hex())
        except RpcError as error:
            if error.code not in _SENT_ALREADY:
                raise
        except _MAYBE_LATER as error:
            if not error.maybe_sent:
                raise

    async def _send_again(self, tx_hash: str, raw: bytes) -> Notify | None:
        """Send what the node may have forgotten, or never got.

        Returns:
            What it did, if it has turned out that it is in the chain; None as long as it waits.
        """
        try:
            await self._call(SEND, Data=raw.hex())
        except _MAYBE_LATER:
            return None
        except RpcError as error:
            # In the chain it may fail for whatever reason: what it moved is not there any more.
            found = await self._ask(tx_hash)
            if found is None and error.code not in _SENT_ALREADY:
                raise
            return found
        return None

    async def _ask(self, tx_hash: str) -> Notify | None:
        try:
            return decode_event(await self._call("getsmartcodeeventbyhash", Hash=tx_hash))
        except _MAYBE_LATER:
            return None
