"""The Ontology dialect: the WebSocket protocol of its nodes. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.ontology.methods import make
from twisted_chainws.dialects.ontology.options import DEFAULTS, Options, PoolHashes

DIALECT: Final[Dialect] = make()

__all__ = ["DEFAULTS", "DIALECT", "Options", "PoolHashes", "make"]
