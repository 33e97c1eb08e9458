"""What is asked of the source about the state under the newest block. Sans-I/O."""

from typing import Final

from twisted_chainws.dialects.outcomes import Query
from twisted_chainws.dialects.view import View

BALANCE: Final = "ontology_balance"
ALLOWANCE: Final = "ontology_allowance"
STORAGE: Final = "ontology_storage"
GRANT: Final = "ontology_grant"
EXECUTE: Final = "ontology_execute"


def ask(view: View, word: str, **values: bytes) -> Query:
    """Return a question.

    Args:
        view: tells which block is the newest.
        word: one of those above.
        values: what is asked about.
    """
    params = {name: "0x" + value.hex() for name, value in values.items()}
    return Query(method=word, params=params | {"at": "0x" + view.chain.head.hash.hex()})


def read_number(answer: str) -> int:
    """Read a quantity that was answered."""
    return int(answer, 16)
