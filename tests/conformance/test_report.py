"""Figures count what passed over both transports, and surprises are told both ways."""

from conformance.exchanges import Exchange, Trip
from conformance.report import Score, misses, regressions, scores, table, verdicts


def exchange(name: str, result: int) -> Exchange:
    """Return an exchange with a result."""
    trips = (Trip(request=b"{}", response={"result": result}),)
    return Exchange(name=name, trips=trips, spec_only=False)


EXCHANGES = [exchange("eth_call/a", 1), exchange("eth_call/b", 2), exchange("eth_getProof/c", 3)]
HTTP = {item.name: [item.trips[0].response] for item in EXCHANGES}
JUDGED = verdicts(
    EXCHANGES,
    {
        "HTTP": HTTP,
        "WebSocket": HTTP | {"eth_call/b": [{"result": 7}], "eth_getProof/c": [{"error": {}}]},
    },
)


def test_misses_tell_transport_and_place() -> None:
    """What fails over one transport fails."""
    assert misses(JUDGED) == {
        "eth_call/b": "WebSocket: result: expected 2, got 7",
        "eth_getProof/c": 'WebSocket: expected {"result":3}, got {"error":{}}',
    }


def test_scores_by_group() -> None:
    """Every group has a line, also one that nothing was asked of."""
    found = {score.group: score for score in scores(JUDGED)}
    assert found["calls"] == Score(group="calls", passed=1, same_words=1, total=2)
    assert found["proofs"] == Score(group="proofs", passed=0, same_words=0, total=1)
    assert found["traces"].total == 0


def test_surprises() -> None:
    """A new miss, an expected miss that passes, and one that does not exist are all told."""
    expected = {"eth_call/b": "why", "eth_call/a": "why", "eth_call/gone": "why"}
    assert list(regressions(JUDGED, expected)) == [
        'eth_getProof/c: WebSocket: expected {"result":3}, got {"error":{}}',
        "eth_call/a: is expected to fail and passes",
        "eth_call/gone: is expected to fail and does not exist",
    ]


def test_the_table_of_the_documentation() -> None:
    """Groups, their sum, and the known misses with their reasons."""
    lines = table(scores(JUDGED), {"eth_call/b": "why"}).splitlines()
    assert "| calls | 1 | 1 | 2 |" in lines
    assert "| all | 1 | 1 | 3 |" in lines
    assert lines[-3:] == ["| known miss | why |", "|--|--|", "| `eth_call/b` | why |"]
    assert "known miss" not in table(scores(JUDGED), {})
