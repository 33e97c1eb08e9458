"""From answers to figures, and from figures to the table of the documentation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.exchanges import GROUPS, Exchange, Verdict, group_of, judge

__all__ = ["Score", "misses", "regressions", "scores", "table"]

Verdicts = Mapping[str, Mapping[str, Verdict]]
"""Name of an exchange -> transport -> verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many exchanges of a group passed, and in how many the words of errors agree, too."""

    group: str
    passed: int
    same_words: int
    total: int


def verdicts(
    exchanges: Sequence[Exchange], answers: Mapping[str, Mapping[str, Sequence[Any]]]
) -> dict[str, dict[str, Verdict]]:
    """Judge every exchange over every transport.

    Args:
        exchanges: what was asked.
        answers: transport -> name -> answers.
    """
    return {
        exchange.name: {
            transport: judge(exchange, given[exchange.name]) for transport, given in answers.items()
        }
        for exchange in exchanges
    }


def misses(judged: Verdicts) -> dict[str, str]:
    """Return the exchanges that failed over any transport, each with where it first differs."""
    found = {}
    for name, by_transport in judged.items():
        reasons = [
            f"{transport}: {verdict.reason}"
            for transport, verdict in by_transport.items()
            if not verdict.passed
        ]
        if reasons:
            found[name] = reasons[0]
    return found


def scores(judged: Verdicts) -> list[Score]:
    """Count by group; an exchange counts when it passed over all transports."""
    return [_score(group, judged) for group in GROUPS]


def _score(group: str, judged: Verdicts) -> Score:
    results = [
        list(by_transport.values())
        for name, by_transport in judged.items()
        if group_of(name.partition("/")[0]) == group
    ]
    passed = [each for each in results if all(verdict.passed for verdict in each)]
    return Score(
        group=group,
        passed=len(passed),
        same_words=sum(all(verdict.same_words for verdict in each) for each in passed),
        total=len(results),
    )


def regressions(judged: Verdicts, expected: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each miss that is not expected and each expected one that is none."""
    found = misses(judged)
    for name, reason in found.items():
        if name not in expected:
            yield f"{name}: {reason}"
    for name in expected:
        if name in judged and name not in found:
            yield f"{name}: is expected to fail and passes"
        elif name not in judged:
            yield f"{name}: is expected to fail and does not exist"


def table(figures: Sequence[Score], expected: Mapping[str, str]) -> str:
    """Return the figures and the known misses as Markdown."""
    total = Score(
        group="all",
        passed=sum(score.passed for score in figures),
        same_words=sum(score.same_words for score in figures),
        total=sum(score.total for score in figures),
    )
    lines = ["| group | passed | with the same words | total |", "|--|--|--|--|"]
    lines += [
        f"| {score.group} | {score.passed} | {score.same_words} | {score.total} |"
        for score in (*figures, total)
    ]
    if expected:
        lines += ["", "| known miss | why |", "|--|--|"]
        lines += [f"| `{name}` | {reason} |" for name, reason in sorted(expected.items())]
    return "\n".join(lines)
