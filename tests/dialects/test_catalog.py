import pytest

from twisted_chainws.dialects.base import Profile
from twisted_chainws.dialects.catalog import DIALECTS, make_dialects


@pytest.mark.parametrize("profile", Profile)
def test_every_profile_has_the_same_dialects(profile: Profile) -> None:
    """A profile changes names and wording, not which dialects there are or where they listen."""
    made = make_dialects(profile)
    assert [(each.name, each.default_port) for each in made] == [
        (each.name, each.default_port) for each in DIALECTS
    ]


def test_names_and_ports_are_distinct() -> None:
    """No two dialects share a word or a port."""
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    assert len({dialect.default_port for dialect in DIALECTS}) == len(DIALECTS)
