from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.vectors import vectors
from twisted_chainws.dialects.ontology import unbound
from twisted_chainws.dialects.ontology.unbound import holder_deadline, unbound_ong

SAMPLES = vectors("unbound_ong")
NETWORKS = {"mainnet": unbound.MAIN_NET, "polaris": unbound.POLARIS, "solo": unbound.SOLO}
OFFSETS = st.integers(0, 700_000_000)


@pytest.mark.parametrize("name", NETWORKS)
def test_deadlines(name: str) -> None:
    """Each network has its deadline; a private one has that of solo."""
    assert holder_deadline(NETWORKS[name]) == SAMPLES["deadline_offsets"][name]
    assert holder_deadline(77) == SAMPLES["deadline_offsets"]["solo"]
    assert SAMPLES["genesis_timestamp"] == unbound.GENESIS_TIME


@pytest.mark.parametrize("case", SAMPLES["cases"], ids=str)
def test_published_cases(case: dict[str, Any]) -> None:
    """The samples are computed to the last digit."""
    deadline = holder_deadline(NETWORKS[case["network"]])
    found = unbound_ong(case["balance"], case["start"], case["end"], deadline=deadline)
    assert found == case["result"]


@given(OFFSETS, OFFSETS, OFFSETS, OFFSETS, st.integers(0, 10**9))
def test_parts_make_the_whole(one: int, two: int, three: int, deadline: int, balance: int) -> None:
    """Whenever it is claimed, all is given in the end and nothing twice."""
    start, middle, end = sorted((one, two, three))

    def given_in(first: int, last: int) -> int:
        return unbound_ong(balance, first, last, deadline=deadline)

    assert given_in(start, end) == given_in(start, middle) + given_in(middle, end)
    assert given_in(end, start) == 0
    assert given_in(max(start, deadline), end) == 0


def test_all_years() -> None:
    """In 18 years an ONT gives one ONG less what the deadlines of public networks end."""
    years = 18 * 31_536_000
    assert unbound_ong(1, 0, years, deadline=years + 1) == 31_536_000 * 32
    assert unbound_ong(1, 0, years + 9, deadline=years + 9) == 31_536_000 * 32
