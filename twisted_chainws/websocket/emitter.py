"""Listeners and the order in which they hear. No I/O.

One event is told to the end before the next begins: an event that comes up while a listener runs
waits behind the one it runs for. What a listener raises is logged and goes nowhere else.

Source: ``ohos-websocket.md`` 1.5, 3.1.
"""

import inspect
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, TypeVar, cast, overload

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.websocket.fields import refuse

__all__ = ["Emitter", "Listener"]

E = TypeVar("E", bound=Enum)
Listener = TypeVar("Listener", bound=Callable[..., object])


class _Subscription:
    __slots__ = ("listener",)

    def __init__(self, listener: Callable[..., object]) -> None:
        self.listener = listener


class Emitter(Generic[E]):
    """The listeners of one object, by event."""

    _log = Logger()

    def __init__(self, events: type[E]) -> None:
        """Prepare.

        Args:
            events: all there are; the values are their names.
        """
        self._events = events
        self._subscriptions: dict[E, list[_Subscription]] = {event: [] for event in events}
        self._queue: deque[tuple[E, tuple[Any, ...], Callable[[], object] | None]] = deque()
        self._telling = False

    @overload
    def on(self, event: E | str, callback: Listener) -> Listener: ...

    @overload
    def on(self, event: E | str, callback: None = None) -> Callable[[Listener], Listener]: ...

    def on(self, event: E | str, callback: Listener | None = None) -> Any:
        """Listen to an event; without ``callback``, decorate a function that shall.

        A listener that is there already (by ``==``) stays at its place, once.

        Args:
            event: ``"dataEnd"``, ``"data_end"`` or a member of the enum.
            callback: gets the values of the event. A coroutine function is started and not waited
                for.

        Returns:
            The callback, or a decorator that returns the function.

        Raises:
            WebSocketError: 401; no such event, or not callable.
        """
        found = self._find(event)
        if callback is None:
            return lambda listener: self._add(found, listener)
        return self._add(found, callback)

    def off(self, event: E | str, callback: Callable[..., object] | None = None) -> None:
        """Take one listener away, or with None all of that event; silent if there is none.

        Raises:
            WebSocketError: 401; no such event, or not callable.
        """
        there = self._subscriptions[self._find(event)]
        if callback is None:
            there.clear()
            return
        if not callable(callback):
            raise refuse("callback: not callable")
        there[:] = [one for one in there if one.listener != callback]

    def listens(self, event: E) -> bool:
        """Tell whether anybody listens."""
        return bool(self._subscriptions[event])

    def emit(self, event: E, *values: Any, then: Callable[[], object] | None = None) -> None:
        """Tell an event to its listeners, in the order of their registration.

        Args:
            event: which.
            values: for the listeners.
            then: is called after them and before the next event; None for nothing.
        """
        self._queue.append((event, values, then))
        if self._telling:
            return
        self._telling = True
        try:
            while self._queue:
                event, values, then = self._queue.popleft()
                self._tell(event, values)
                if then is not None:
                    then()
        finally:
            self._telling = False

    def _find(self, event: object) -> E:
        for member in self._events:
            if event in (member.value, member.name.lower()):
                return member
        raise refuse("event: there is none of that name")

    def _add(self, event: E, listener: Listener) -> Listener:
        if not callable(listener):
            raise refuse("callback: not callable")
        there = self._subscriptions[event]
        if all(one.listener != listener for one in there):
            there.append(_Subscription(listener))
        return listener

    def _tell(self, event: E, values: tuple[Any, ...]) -> None:
        there = self._subscriptions[event]
        for one in tuple(there):
            # Removed by a listener before its turn.
            if one in there:
                self._call(event, one.listener, values)

    def _call(self, event: E, listener: Callable[..., object], values: tuple[Any, ...]) -> None:
        try:
            result = listener(*values)
            if inspect.iscoroutine(result):
                result = Deferred.fromCoroutine(cast("Any", result))
        except Exception:  # noqa: BLE001 - a listener's bug is not ours, nor its neighbour's
            self._broke(Failure(), event)
            return
        if isinstance(result, Deferred):
            result.addErrback(self._broke, event)

    def _broke(self, failure: Failure, event: E) -> None:
        self._log.failure("a listener to {event} broke", failure=failure, event=event.value)
