"""Clients that ask over the connection that their events come from."""

from abc import abstractmethod
from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred

from twisted_chainws.client.base import ChainClient
from twisted_chainws.client.errors import BadAnswer, ClientError, RpcError
from twisted_chainws.client.promise import promise
from twisted_chainws.client.sending import RequestSender
from twisted_chainws.client.status import State
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["CallingClient"]


class CallingClient(ChainClient):
    """A client with requests; a subclass makes ``_caller``, which sends them."""

    _caller: RequestSender

    # What a family does

    @abstractmethod
    def _read_chain_id(self) -> Coroutine[Deferred[Any], Any, int]:
        """Ask over this connection which chain the server speaks for."""

    @abstractmethod
    def _hold(self) -> bool:
        """Let what comes wait for ``_catch_up``; tell whether there is anything to catch up."""

    @abstractmethod
    def _subscribe_again(self) -> Coroutine[Deferred[Any], Any, None]:
        """Subscribe over a new connection. Raises ClientError: the server did not answer."""

    @abstractmethod
    def _catch_up(self) -> Coroutine[Deferred[Any], Any, None]:
        """Fetch what was missed, and go live."""

    # Ours

    def _request(self, method: str, params: Any, *, repeatable: bool | None = None) -> Outcome[Any]:
        """Ask, when there is a connection."""
        ended = self._not_usable()
        if ended is not None:
            return failed(ended)
        return self._caller.call(method, params, repeatable=repeatable)

    def _request_now(self, method: str, params: Any) -> Outcome[Any]:
        """Ask for ourselves, over this connection, before others."""
        if self._end is not None:
            return failed(self._end)
        return self._caller.call(method, params, repeatable=False, urgent=True)

    async def _ask_chain_id(self) -> int | None:
        try:
            return await self._read_chain_id()
        except (RpcError, BadAnswer):
            # Old nodes do not know the question: what cannot be asked cannot be compared.
            if self._options.chain_id is not None:
                raise
            return None

    async def _restore(self) -> None:
        if self._hold():
            self._condition.change(State.BACKFILLING)
        # Subscriptions are asked for first: what waits is let go behind them.
        again = promise(self._subscribe_again())
        self._caller.flow()
        try:
            await again
        except ClientError as error:
            self._line.cut(f"no subscription: {error}")
            return
        await self._catch_up()
        self._opened()
