import pytest

from tests.strategies import make_block
from twisted_chainws.dialects.links import Links
from twisted_chainws.errors import UnknownBlockHash

GENESIS = make_block()
FIRST = make_block(GENESIS)
SECOND = make_block(FIRST)


def test_links_are_found_by_their_blocks() -> None:
    """Of a block, of the one below, of the newest; an unknown block is refused."""
    links: Links[str] = Links(history=None)
    assert links.below(GENESIS) is None
    assert [links.push(GENESIS, "0"), links.push(FIRST, "1")] == [None, None]
    assert (links.of(GENESIS), links.below(FIRST), links.newest(), len(links)) == ("0", "0", "1", 2)
    with pytest.raises(UnknownBlockHash):
        links.of(SECOND)
    assert links.pop(FIRST) == "1"
    assert links.newest() == "0"


def test_the_oldest_is_forgotten() -> None:
    """As many below the head are kept as the history says; who pushes gets what is forgotten."""
    links: Links[str] = Links(history=1)
    assert [links.push(block, name) for block, name in ((GENESIS, "0"), (FIRST, "1"))] == [None] * 2
    assert links.push(SECOND, "2") == "0"
    assert (links.below(FIRST), links.of(FIRST), len(links)) == (None, "1", 2)
