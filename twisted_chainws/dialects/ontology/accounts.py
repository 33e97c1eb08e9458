"""Actions about accounts: what they have, may move, and are given. Sans-I/O.

Amounts are texts of decimal digits: whole ones, 1 ONT and 10^-9 ONG, with the rest cut off, or
scaled ones where the action ends in ``v2``.

Source: ``ontology.md`` 4.12, 4.20, 4.21, 4.26 to 4.28 and 8.4.
"""

from collections.abc import Mapping
from typing import Any, Final

from twisted_chainws.dialects.ontology import decode
from twisted_chainws.dialects.ontology.decode import Message
from twisted_chainws.dialects.ontology.questions import (
    ALLOWANCE,
    BALANCE,
    GRANT,
    ask,
    read_number,
)
from twisted_chainws.dialects.ontology.shapes import Balance
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT, SCALE
from twisted_chainws.dialects.outcomes import Forward, Handler
from twisted_chainws.dialects.view import View

_SCALED: Final = 1
_ADDRESS: Final = "Addr"


def _balance(unit: int) -> Handler:
    """Make ``getbalance``; who is unknown has nothing."""

    def get_balance(view: View, message: Message) -> Forward:
        account, height = decode.decode_account(message), view.chain.height

        def show(answer: Mapping[str, Any]) -> Balance:
            return {
                "ont": str(read_number(answer["ont"]) // unit),
                "ong": str(read_number(answer["ong"]) // unit),
                "height": str(height),
            }

        return Forward(call=ask(view, BALANCE, address=account), then=show)

    return get_balance


def _allowance(unit: int) -> Handler:
    """Make ``getallowance``: what one account may move of another's."""

    def get_allowance(view: View, message: Message) -> Forward:
        question = ask(
            view,
            ALLOWANCE,
            contract=decode.decode_asset(message),
            owner=decode.decode_address(message, "From"),
            spender=decode.decode_address(message, "To"),
        )
        return Forward(call=question, then=lambda answer: str(read_number(answer) // unit))

    return get_allowance


def get_unbound_ong(view: View, message: Message) -> Forward:
    """Answer ``getunboundong``: what may be claimed, which ONT's contract allows to move."""
    question = ask(
        view,
        ALLOWANCE,
        contract=ONG_CONTRACT,
        owner=ONT_CONTRACT,
        spender=decode.decode_address(message, _ADDRESS),
    )
    return Forward(call=question, then=lambda answer: str(read_number(answer) // SCALE))


def get_grant_ong(view: View, message: Message) -> Forward:
    """Answer ``getgrantong``: what a move of ONT would make claimable."""
    question = ask(view, GRANT, address=decode.decode_address(message, _ADDRESS))
    return Forward(call=question, then=lambda answer: str(read_number(answer)))


ACCOUNTS: Final[Mapping[str, Handler]] = {
    "getallowance": _allowance(SCALE),
    "getallowancev2": _allowance(_SCALED),
    "getbalance": _balance(SCALE),
    "getbalancev2": _balance(_SCALED),
    "getgrantong": get_grant_ong,
    "getunboundong": get_unbound_ong,
}
"""Actions about accounts."""
