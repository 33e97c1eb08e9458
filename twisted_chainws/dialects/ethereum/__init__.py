"""The Ethereum dialect: JSON-RPC as go-ethereum speaks it. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects.base import Dialect, Profile
from twisted_chainws.dialects.ethereum.methods import extend, make

DIALECT: Final[Dialect] = make(Profile.SUPERSET)

__all__ = ["DIALECT", "extend", "make"]
