from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail

from twisted_chainws.websocket.codes import ClientEvent, ParameterError
from twisted_chainws.websocket.emitter import Emitter


class Heard:
    """Remembers what it hears, with a method as listener."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def take(self, *values: Any) -> None:
        self.values.append(values)


@pytest.fixture
def emitter() -> Emitter[ClientEvent]:
    """Return one with a client's events."""
    return Emitter(ClientEvent)


@pytest.mark.parametrize("name", ["dataEnd", "data_end", ClientEvent.DATA_END])
def test_names_of_one_event(emitter: Emitter[ClientEvent], name: str) -> None:
    """The reference's name, Python's and the member are the same event."""
    heard = Heard()
    emitter.on(name, heard.take)
    emitter.emit(ClientEvent.DATA_END)
    emitter.off(name, heard.take)
    emitter.emit(ClientEvent.DATA_END)
    assert heard.values == [()]


def test_on_returns_the_listener_and_decorates(emitter: Emitter[ClientEvent]) -> None:
    """on(event, f) returns f; on(event) is a decorator that leaves the function as it is."""
    calls: list[str] = []

    def first(value: str) -> None:
        calls.append(f"first {value}")

    assert emitter.on("message", first) is first

    @emitter.on("message")
    def second(value: str) -> None:
        calls.append(f"second {value}")

    emitter.emit(ClientEvent.MESSAGE, "x")
    second("y")
    assert calls == ["first x", "second x", "second y"]


def test_off_without_listener_clears_that_event_only(emitter: Emitter[ClientEvent]) -> None:
    """off(event) removes all subscriptions of the event and no other's."""
    heard = Heard()
    emitter.on("open", heard.take)
    emitter.on("open", lambda _: heard.take("other"))
    emitter.on("close", heard.take)
    emitter.off("open")
    emitter.emit(ClientEvent.OPEN, 1)
    emitter.emit(ClientEvent.CLOSE, 2)
    assert heard.values == [(2,)]
    assert (emitter.listens(ClientEvent.OPEN), emitter.listens(ClientEvent.CLOSE)) == (False, True)


def test_off_of_a_stranger_is_silent(emitter: Emitter[ClientEvent]) -> None:
    """Removing what was never registered does nothing."""
    heard = Heard()
    emitter.on("open", heard.take)
    emitter.off("open", print)
    emitter.off("close", heard.take)
    emitter.off("close")
    emitter.emit(ClientEvent.OPEN, 1)
    assert heard.values == [(1,)]


def test_bound_methods_are_one_listener(emitter: Emitter[ClientEvent]) -> None:
    """Listeners are compared by ==: a method is a new object each time it is looked up."""
    heard = Heard()
    emitter.on("open", heard.take)
    emitter.on("open", heard.take)
    emitter.emit(ClientEvent.OPEN, 1)
    emitter.off("open", heard.take)
    emitter.emit(ClientEvent.OPEN, 2)
    assert heard.values == [(1,)]


def test_registering_again_keeps_the_place(emitter: Emitter[ClientEvent]) -> None:
    """A listener that is there already stays where it was."""
    calls: list[int] = []
    listeners = [lambda _, number=number: calls.append(number) for number in range(3)]
    for listener in (*listeners, listeners[0]):
        emitter.on("open", listener)
    emitter.emit(ClientEvent.OPEN, None)
    assert calls == [0, 1, 2]


def test_removed_and_added_while_telling(emitter: Emitter[ClientEvent]) -> None:
    """(v) A listener removed before its turn is skipped; one added waits for the next event."""
    calls: list[str] = []

    def last(_: Any) -> None:
        calls.append("last")

    def added(_: Any) -> None:
        calls.append("added")

    def itself(_: Any) -> None:
        calls.append("itself")
        emitter.off("open", itself)
        emitter.off("open", last)
        emitter.on("open", added)

    emitter.on("open", itself)
    emitter.on("open", last)
    emitter.emit(ClientEvent.OPEN, None)
    assert calls == ["itself"]
    emitter.emit(ClientEvent.OPEN, None)
    assert calls == ["itself", "added"]


def test_removed_and_registered_again_while_telling(emitter: Emitter[ClientEvent]) -> None:
    """A listener that was removed and registered again is a new one."""
    calls: list[str] = []

    def again(_: Any) -> None:
        calls.append("again")

    @emitter.on("open")
    def first(_: Any) -> None:
        emitter.off("open", again)
        emitter.on("open", again)

    emitter.on("open", again)
    emitter.emit(ClientEvent.OPEN, None)
    assert calls == []


def test_events_of_listeners_wait(emitter: Emitter[ClientEvent]) -> None:
    """An event that comes up in a listener is told after the one it came up in, then its own."""
    calls: list[str] = []

    @emitter.on("open")
    def emits(_: Any) -> None:
        emitter.emit(ClientEvent.CLOSE, 1, then=lambda: calls.append("then"))
        calls.append("emitted")

    emitter.on("open", lambda _: calls.append("open"))
    emitter.on("close", lambda _: calls.append("close"))
    emitter.emit(ClientEvent.OPEN, None)
    assert calls == ["emitted", "open", "close", "then"]


def test_what_listeners_raise_is_logged(
    emitter: Emitter[ClientEvent], capture_log: list[Any]
) -> None:
    """(v) A listener that raises, is async and fails, or returns a failure disturbs nobody."""
    calls: list[str] = []

    @emitter.on("message")
    def raises(_: Any) -> None:
        raise ZeroDivisionError

    @emitter.on("message")
    async def later(value: Any) -> None:
        calls.append(f"async {value}")
        raise KeyError(value)

    @emitter.on("message")
    def deferred(_: Any) -> Deferred[Any]:
        return fail(ValueError())

    emitter.on("message", calls.append)
    emitter.emit(ClientEvent.MESSAGE, "x")
    assert calls == ["async x", "x"]
    kinds = [event["log_failure"].type for event in capture_log]
    assert kinds == [ZeroDivisionError, KeyError, ValueError]
    assert all(event["event"] == "message" for event in capture_log)


def test_async_listeners_are_not_waited_for(emitter: Emitter[ClientEvent]) -> None:
    """(v) The next event is told while a coroutine of the one before still waits."""
    calls: list[str] = []
    gate: Deferred[None] = Deferred()

    @emitter.on("message")
    async def slow(value: str) -> None:
        calls.append(f"begin {value}")
        await gate
        calls.append(f"end {value}")

    emitter.emit(ClientEvent.MESSAGE, "a")
    emitter.emit(ClientEvent.MESSAGE, "b")
    assert calls == ["begin a", "begin b"]
    gate.callback(None)
    assert calls == ["begin a", "begin b", "end a", "end b"]


@pytest.mark.parametrize("name", ["opened", "", "OPEN", None, 5])
def test_unknown_events(emitter: Emitter[ClientEvent], name: Any) -> None:
    """There are no other events, to listen to or to forget."""
    with pytest.raises(ParameterError):
        emitter.on(name, print)
    with pytest.raises(ParameterError):
        emitter.off(name)


def test_listeners_must_be_callable(emitter: Emitter[ClientEvent]) -> None:
    """What cannot be called is a parameter error at once."""
    wrong: Any = 5
    with pytest.raises(ParameterError):
        emitter.on("open", wrong)
    with pytest.raises(ParameterError):
        emitter.on("open")(wrong)
    with pytest.raises(ParameterError):
        emitter.off("open", wrong)


@given(st.lists(st.tuples(st.sampled_from(["on", "off"]), st.integers(0, 4))))
def test_listeners_behave_like_an_ordered_set(steps: list[tuple[str, int]]) -> None:
    """Whatever is registered and removed, the order of telling is that of registration."""
    emitter = Emitter(ClientEvent)
    calls: list[int] = []
    listeners = [lambda number=number: calls.append(number) for number in range(5)]
    expected: dict[int, None] = {}
    for step, number in steps:
        if step == "on":
            emitter.on("data_end", listeners[number])
            expected.setdefault(number)
        else:
            emitter.off("data_end", listeners[number])
            expected.pop(number, None)
    emitter.emit(ClientEvent.DATA_END)
    assert calls == list(expected)
