"""What the operator may choose about the wording of this protocol. Sans-I/O.

Source: ``zilliqa.md`` 8 and 9: where the document and real nodes disagree.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from twisted_chainws.dialects.zilliqa.encode import HashPlaces


class ErrorForm(StrEnum):
    """How a query is refused: as the document says, or in every respect as nodes do."""

    JSON = "json"
    BARE = "bare"


class AddressForm(StrEnum):
    """How addresses stand in EventLog items: as nodes write them, or as the document does."""

    BARE = "bare"
    PREFIXED = "0x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The wording.

    Attributes:
        errors: also decides what becomes of a list with a malformed address: nodes take what stands
            before it in spite of the error, the document takes nothing.
        event_address: of EventLog items.
        tx_hashes: where a NewBlock item has its ``TxHashes``.
    """

    errors: ErrorForm = ErrorForm.JSON
    event_address: AddressForm = AddressForm.BARE
    tx_hashes: HashPlaces = HashPlaces.BOTH


DEFAULTS: Final = Options()
