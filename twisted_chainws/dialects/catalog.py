"""All dialects, and the only list of them. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects import ethereum
from twisted_chainws.dialects.base import Dialect, Profile


def make_dialects(profile: Profile) -> tuple[Dialect, ...]:
    """Return every dialect, the Ethereum one with the names and wording of ``profile``."""
    return (ethereum.make(profile),)


DIALECTS: Final = make_dialects(Profile.SUPERSET)
"""Every dialect as it is by default."""
