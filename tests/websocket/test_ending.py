from typing import Any

import pytest

from twisted_chainws.websocket.ending import LINK_DOWN, Ending, ending
from twisted_chainws.websocket.values import CloseResult

RESET = ConnectionResetError("gone")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"clean": True, "ours": (4001, b"we"), "theirs": (1000, None)},
            Ending(result=CloseResult(4001, "we")),
        ),
        (
            {"clean": False, "ours": (4001, b"we")},
            Ending(result=CloseResult(4001, "we", was_clean=False)),
        ),
        (
            {"clean": True, "failed": True, "ours": (1009, b"big"), "theirs": (1009, "big")},
            Ending(result=CloseResult(1009, "big", was_clean=False)),
        ),
        ({"clean": True, "theirs": (4999, "they")}, Ending(result=CloseResult(4999, "they"))),
        ({"clean": True, "theirs": (None, None)}, Ending(result=CloseResult(1005, ""))),
        (
            {"clean": False},
            Ending(result=CloseResult(1006, LINK_DOWN, was_clean=False), lost=True, cause=RESET),
        ),
    ],
)
def test_who_closed_first_gives_the_code(facts: dict[str, Any], expected: Ending) -> None:
    """Our code if we closed first, else the peer's, else 1005; 1006 if nobody closed."""
    given = {"failed": False, "ours": None, "theirs": (None, None), "cause": RESET} | facts
    assert ending(**given) == expected
