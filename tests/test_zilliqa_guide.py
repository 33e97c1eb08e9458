"""The page about Zilliqa says what happens."""

import re
from typing import Final

import orjson
import pytest

from tests.pages import blocks, names, read_page, rows
from twisted_chainws.config.table import BY_NAME
from twisted_chainws.dialects import zilliqa
from twisted_chainws.testing import FakeSource, connect

GUIDE: Final = read_page("zilliqa.md")
SESSIONS: Final = blocks(GUIDE, "text")


@pytest.mark.parametrize("session", SESSIONS)
def test_sessions_happen_as_printed(session: str) -> None:
    """Every line that is sent or received, and nothing besides."""
    pair = connect(FakeSource(), dialect=zilliqa.DIALECT)
    for line in session.splitlines():
        sign, _, text = line.partition(" ")
        if sign == "→":
            pair.send(text.encode())
        elif sign == "⛏":
            assert pair.messages == []
            pair.source.mine()
        else:
            assert sign == "←"
            assert pair.messages.pop(0) == orjson.loads(text)
    assert pair.messages == []
    pair.close()


def test_queries_and_options_exist() -> None:
    """The tables name what there is."""
    queries = [row[0].strip("`") for row in rows(GUIDE, starts="| query |")]
    assert queries == [*zilliqa.DIALECT.topics, "Unsubscribe"]
    assert set(queries) == set(zilliqa.DIALECT.methods)
    options = [names(row[2])[0] for row in rows(GUIDE, starts="| matter |")]
    assert {name for name in options if not name.startswith("--limit")} <= set(BY_NAME)
    assert str(zilliqa.DIALECT.default_port) in GUIDE
    limit = f"{zilliqa.DIALECT.limits.message_bytes:,} bytes"
    assert re.search(rf"\b{limit}", GUIDE)
