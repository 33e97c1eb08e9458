"""The Zilliqa dialect: the WebSocket protocol of its nodes. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.zilliqa.methods import make
from twisted_chainws.dialects.zilliqa.options import DEFAULTS, AddressForm, ErrorForm, Options

DIALECT: Final[Dialect] = make()

__all__ = ["DEFAULTS", "DIALECT", "AddressForm", "ErrorForm", "Options", "make"]
