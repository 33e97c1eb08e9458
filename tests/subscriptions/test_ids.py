import os
import re

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import relaxed
from twisted_chainws.subscriptions.ids import id_maker


@relaxed
@given(st.binary(min_size=16, max_size=16))
def test_every_id_has_32_digits_and_no_leading_zero(drawn: bytes) -> None:
    """Whatever is drawn, the id satisfies nodes that strip zeros and those that do not."""
    sizes: list[int] = []

    def random_bytes(size: int) -> bytes:
        sizes.append(size)
        return drawn

    assert re.fullmatch("0x[1-9a-f][0-9a-f]{31}", id_maker(random_bytes)())
    assert sizes == [16]


def test_ids_differ() -> None:
    """Ids from real randomness do not repeat."""
    make_id = id_maker(os.urandom)
    assert len({make_id() for _ in range(1_000)}) == 1_000
