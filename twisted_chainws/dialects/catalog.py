"""All dialects, and the only list of them. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects import alchemy, ethereum, ontology, tokenview, zilliqa
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.view import Profile


def make_dialects(
    profile: Profile,
    zilliqa_options: zilliqa.Options = zilliqa.DEFAULTS,
    ontology_options: ontology.Options = ontology.DEFAULTS,
) -> tuple[Dialect, ...]:
    """Return every dialect.

    Args:
        profile: whose names and wording the Ethereum one has.
        zilliqa_options: the wording of the Zilliqa one.
        ontology_options: the network and the wording of the Ontology one.
    """
    return (_make_ethereum(profile), zilliqa.make(zilliqa_options), ontology.make(ontology_options))


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
