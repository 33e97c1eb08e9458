"""Which cases of the Autobahn testsuite are run, and what their outcome means. Pure.

Source: AutobahnTestSuite 25.10.1, ``autobahntestsuite/case/__init__.py`` and ``fuzzing.py``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["GROUPS", "Group", "Verdict", "judge", "sample", "selected", "table", "whole"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One chapter of the testsuite.

    Attributes:
        number: the first part of the names of its cases.
        what: what its cases are about.
        size: how many cases it has.
        sections: how many cases each section has, where single cases are named; else empty.
    """

    number: int
    what: str
    size: int
    sections: tuple[int, ...] = ()


GROUPS: Final = (
    Group(number=1, what="framing", size=16),
    Group(number=2, what="ping and pong", size=11),
    Group(number=3, what="reserved bits", size=7),
    Group(number=4, what="opcodes", size=10),
    Group(number=5, what="fragmentation", size=20),
    Group(number=6, what="UTF-8", size=145),
    Group(number=7, what="close", size=37),
    Group(number=9, what="limits, performance", size=54),
    Group(number=10, what="auto-fragmentation", size=1),
    Group(number=12, what="permessage-deflate, payloads", size=90, sections=(18,) * 5),
    Group(number=13, what="permessage-deflate, parameters", size=126, sections=(18,) * 7),
)
"""All of it: 517 cases. There are no groups 8 and 11."""

SAMPLED: Final = (1, 5, 11)
"""The cases of each section of groups 12 and 13 that a quick run takes: the whole groups need ten
minutes, nearly all of it for the testsuite's own compression."""

GOOD: Final = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
"""Outcomes that are no failures. The others are FAILED, WRONG CODE, UNCLEAN, FAILED BY CLIENT and
UNIMPLEMENTED."""

Cases = Mapping[str, Mapping[str, Any]]
"""One agent's part of the testsuite's ``index.json``: name of a case -> its outcome."""


def whole(groups: Iterable[int]) -> tuple[list[str], int]:
    """Return the patterns of whole groups and how many cases they make."""
    wanted = set(groups)
    taken = [group for group in GROUPS if group.number in wanted]
    return [f"{group.number}.*" for group in taken], sum(group.size for group in taken)


def sample() -> tuple[list[str], int]:
    """Return the quick selection: groups 1 to 10 and three cases of each section of the others.

    A pattern with a star is the prefix of a regular expression, ``12.1.1*`` would take eight cases
    more; so they are named one by one.
    """
    patterns, size = whole(group.number for group in GROUPS if not group.sections)
    named = [
        f"{group.number}.{section}.{case}"
        for group in GROUPS
        for section in range(1, len(group.sections) + 1)
        for case in SAMPLED
    ]
    return patterns + named, size + len(named)


def selected(what: str) -> tuple[list[str], int]:
    """Return patterns and number of cases for a word of the command line.

    Args:
        what: ``sample``, ``all``, or numbers of groups with commas, ``1,2,7``.

    Raises:
        ValueError: anything else.
    """
    if what == "sample":
        return sample()
    known = {group.number for group in GROUPS}
    numbers = known if what == "all" else {int(word) for word in what.split(",")}
    if not numbers <= known:
        raise ValueError(f"there are only the groups {sorted(known)}")
    return whole(sorted(numbers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run has shown.

    Attributes:
        expected: how many cases should have run.
        run: how many did. A run that stops half way leaves no trace but a smaller number.
        failed: ``case: outcome / outcome of its close``, in the order of the cases.
    """

    expected: int
    run: int
    failed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything that should have run did, without a failure."""
        return not self.failed and self.run == self.expected


def judge(cases: Cases, expected: int) -> Verdict:
    """Judge the outcomes of a run that should have had ``expected`` cases."""
    failed = [
        f"{name}: {outcome['behavior']} / {outcome['behaviorClose']}"
        for name, outcome in sorted(cases.items(), key=lambda item: _order(item[0]))
        if not {outcome["behavior"], outcome["behaviorClose"]} <= GOOD
    ]
    return Verdict(expected=expected, run=len(cases), failed=tuple(failed))


def table(results: Mapping[str, Cases]) -> str:
    """Return a Markdown table: one line for each group, one column for each direction."""
    lines = [
        f"| cases | about | {' | '.join(f'{name}, run | {name}' for name in results)} |",
        f"| --: | :-- |{' --: | :-- |' * len(results)}",
    ]
    for group in GROUPS:
        taken = [_of_group(cases, group.number) for cases in results.values()]
        if any(taken):
            lines.append(_line(f"{group.number}.*", group.what, taken))
    lines.append(_line("all", "", list(results.values())))
    return "\n".join(lines) + "\n"


def _line(name: str, what: str, columns: Iterable[Cases]) -> str:
    cells = [cell for cases in columns for cell in (str(len(cases)), _counted(cases))]
    return f"| {' | '.join([name, what, *cells])} |"


def _counted(cases: Cases) -> str:
    """Return ``34 OK, 3 INFORMATIONAL``, most frequent first; of two outcomes the worse counts."""
    outcomes = Counter(
        outcome["behavior"] if outcome["behaviorClose"] in GOOD else outcome["behaviorClose"]
        for outcome in cases.values()
    )
    return ", ".join(f"{number} {word}" for word, number in outcomes.most_common())


def _of_group(cases: Cases, number: int) -> Cases:
    return {name: outcome for name, outcome in cases.items() if _order(name)[0] == number}


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))
