"""All dialects, and the only list of them. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects import alchemy, ethereum, tokenview
from twisted_chainws.dialects.base import Dialect, Profile


def make_dialects(profile: Profile) -> tuple[Dialect, ...]:
    """Return every dialect, the Ethereum one with the names and wording of ``profile``."""
    return (_make_ethereum(profile),)


def _make_ethereum(profile: Profile) -> Dialect:
    """Return the Ethereum dialect: of a vendor, or of a node; the superset knows all names."""
    if profile is Profile.ALCHEMY:
        return alchemy.make()
    if profile is Profile.TOKENVIEW:
        return tokenview.make()
    dialect = ethereum.make(profile)
    return tokenview.extend(alchemy.extend(dialect)) if profile is Profile.SUPERSET else dialect


DIALECTS: Final = make_dialects(Profile.SUPERSET)
"""Every dialect as it is by default."""
