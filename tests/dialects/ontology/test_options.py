from twisted_chainws.dialects.ontology import DEFAULTS
from twisted_chainws.dialects.ontology.options import PoolHashes


def test_words() -> None:
    """The words of the options, the default one first; the network is that of a lone node."""
    assert list(PoolHashes) == ["numbers", "hex"]
    assert (DEFAULTS.network, DEFAULTS.pool_hashes) == (3, "numbers")
