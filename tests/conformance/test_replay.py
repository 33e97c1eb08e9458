"""The real server answers the published exchanges as the expected list says."""

import orjson
import pytest

from conformance.__main__ import BEGIN, END, EXPECTED, PAGE
from conformance.exchanges import read_exchanges
from conformance.replay import DATA, TRANSPORTS, replay
from conformance.report import Score, regressions, scores, table, verdicts

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def figures() -> list[Score]:
    """Ask everything over both transports; what fails is what is expected to."""
    exchanges = read_exchanges(DATA / "tests")
    answers = {transport: replay(exchanges, transport) for transport in TRANSPORTS}
    assert answers["HTTP"].keys() == answers["WebSocket"].keys()
    judged = verdicts(exchanges, answers)
    assert list(regressions(judged, orjson.loads(EXPECTED.read_bytes()))) == []
    return scores(judged)


@pytest.mark.parametrize("group", ["blocks and transactions", "receipts and logs", "state"])
def test_what_needs_no_judgement_passes_whole(figures: list[Score], group: str) -> None:
    """Blocks, receipts, logs and state are as published, errors in the same words."""
    score = next(item for item in figures if item.group == group)
    assert score.passed == score.same_words == score.total > 0


def test_the_documentation_has_these_figures(figures: list[Score]) -> None:
    """The table in the documentation is what the server scores."""
    page = PAGE.read_text(encoding="utf-8")
    written = page.partition(BEGIN)[2].partition(END)[0]
    assert table(figures, orjson.loads(EXPECTED.read_bytes())) in written
