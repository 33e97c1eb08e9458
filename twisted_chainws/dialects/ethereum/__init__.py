"""The Ethereum dialect: JSON-RPC as go-ethereum speaks it. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.ethereum.methods import extend, make
from twisted_chainws.dialects.view import Profile

DIALECT: Final[Dialect] = make(Profile.SUPERSET)

__all__ = ["DIALECT", "extend", "make"]
