"""Answers to forwarded calls; those that need a running service are in ``test_service.py``."""

from collections.abc import Mapping
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from twisted_chainws.dialects.outcomes import Query, QueryAll
from twisted_chainws.errors import SourceUnavailable, Unsupported
from twisted_chainws.performing import QUERIES_AT_A_TIME, Performer


class SlowSource:
    """Answers when the test says so."""

    chain_id = 1
    forks: Any = None

    def __init__(self) -> None:
        self.asked: list[tuple[Any, Deferred[Any]]] = []
        self.cancelled = 0

    def query(self, method: str, params: Mapping[str, Any]) -> "Deferred[Any]":
        """Note the question."""
        assert method == "code"
        answer: Deferred[Any] = Deferred(self._cancel)
        self.asked.append((params["at"], answer))
        return answer

    def _cancel(self, _answer: "Deferred[Any]") -> None:
        self.cancelled += 1


@pytest.fixture(name="source")
def _source() -> SlowSource:
    return SlowSource()


@pytest.fixture(name="performer")
def _performer(source: Any) -> Performer:
    performer = Performer(source=source, chain=lambda: pytest.fail("not asked"), clock=Clock())
    performer.open()
    return performer


def ask(performer: Performer, count: int) -> tuple["Deferred[Any]", list[Any]]:
    """Ask so many questions in one call; the list holds the outcome once there is one."""
    seen: list[Any] = []
    call = QueryAll(queries=tuple(Query(method="code", params={"at": at}) for at in range(count)))
    return performer.perform(call).addBoth(seen.append), seen


def test_answers_stand_in_the_order_of_the_questions(
    performer: Performer, source: SlowSource
) -> None:
    """Whatever the order in which they come."""
    _, seen = ask(performer, 3)
    for at, answer in reversed(source.asked):
        answer.callback(f"answer {at}")
    assert seen == [["answer 0", "answer 1", "answer 2"]]


def test_no_question_is_answered_at_once(performer: Performer) -> None:
    """An empty call has an empty answer."""
    assert ask(performer, 0)[1] == [[]]


def test_only_some_questions_are_asked_at_a_time(performer: Performer, source: SlowSource) -> None:
    """The next one is asked when one is answered."""
    _, seen = ask(performer, QUERIES_AT_A_TIME + 5)
    assert len(source.asked) == QUERIES_AT_A_TIME
    for number in range(QUERIES_AT_A_TIME + 5):
        source.asked[number][1].callback(number)
    assert seen == [list(range(QUERIES_AT_A_TIME + 5))]


def test_the_first_failure_is_the_answer_and_ends_the_others(
    performer: Performer, source: SlowSource
) -> None:
    """What was not asked yet is not asked any more, but for the next in turn."""
    _, seen = ask(performer, QUERIES_AT_A_TIME + 5)
    source.asked[3][1].errback(Unsupported(reason="no"))
    assert seen[0].check(Unsupported)
    assert len(source.asked) == QUERIES_AT_A_TIME + 1
    assert source.cancelled == QUERIES_AT_A_TIME


def test_cancelling_ends_every_question(performer: Performer, source: SlowSource) -> None:
    """Nobody waits for answers that nobody wants."""
    deferred, seen = ask(performer, 3)
    deferred.cancel()
    assert source.cancelled == 3
    assert len(seen) == 1
    assert seen[0].check(CancelledError) or "CancelledError" in seen[0].getErrorMessage()


def test_closing_ends_what_is_open_and_refuses_the_rest(
    performer: Performer, source: SlowSource
) -> None:
    """A late question gets a clear error."""
    _, seen = ask(performer, 2)
    performer.close()
    assert (len(seen), source.cancelled) == (1, 2)
    assert ask(performer, 1)[1][0].check(SourceUnavailable)
