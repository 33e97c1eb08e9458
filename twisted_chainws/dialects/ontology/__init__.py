"""The Ontology dialect: its node's encodings, ledger and words. Sans-I/O."""

from twisted_chainws.dialects.ontology.options import DEFAULTS, Options, PoolHashes

__all__ = ["DEFAULTS", "Options", "PoolHashes"]
