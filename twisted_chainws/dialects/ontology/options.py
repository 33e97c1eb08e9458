"""What the operator may choose about this protocol. Sans-I/O.

Source: ``ontology.md`` 4.25 and 4.29, 8.4.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from twisted_chainws.dialects.ontology.unbound import SOLO


class PoolHashes(StrEnum):
    """How ``getmempooltxhashlist`` shows a hash: its bytes as numbers as nodes do, or its text."""

    NUMBERS = "numbers"
    HEX = "hex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The network and the wording.

    Attributes:
        network: its id, 32 bits; it also decides until when holders of ONT are given ONG.
        pool_hashes: of transactions that wait.
    """

    network: int = SOLO
    pool_hashes: PoolHashes = PoolHashes.NUMBERS


DEFAULTS: Final = Options()
