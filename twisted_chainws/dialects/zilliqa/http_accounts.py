"""Methods about accounts, and the one that sends. Sans-I/O.

An account is that of the EVM under the same address: its coin is shown in Qa, its nonce is the one
below that of the next native transaction. Contracts are those of the EVM.

Source: ``zilliqa.md`` 5 (the node's ``LookupServer.cpp`` and ``JSONConversion.cpp``).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.outcomes import (
    Fault,
    Forward,
    Handler,
    Json,
    Query,
    QueryAll,
    Refused,
    Submit,
)
from twisted_chainws.dialects.view import View
from twisted_chainws.dialects.zilliqa import errors
from twisted_chainws.dialects.zilliqa.address import decode_checksum
from twisted_chainws.dialects.zilliqa.arguments import decode_address, takes
from twisted_chainws.dialects.zilliqa.transaction import (
    WEI_PER_QA,
    CoreInfo,
    SignedTransaction,
    encode_transaction,
)

NO_CODE: Final = "0x"

_MEMBERS: Final = frozenset(
    {
        "amount",
        "code",
        "data",
        "gasLimit",
        "gasPrice",
        "nonce",
        "pubKey",
        "signature",
        "toAddr",
        "version",
    }
)
_OPTIONAL: Final = "priority"
_KEY_DIGITS: Final = 66
_SIGNATURE_DIGITS: Final = 128
_NUMBER: Final = re.compile("[0-9]{1,39}")


@takes(str)
def get_balance(view: View, text: str) -> Json:
    """Answer ``GetBalance``: Qa, and the nonce of the last transaction."""

    def show(balance: int, nonce: int, _code: str) -> Json:
        return {"balance": str(balance // WEI_PER_QA), "nonce": nonce}

    return _ask(view, decode_address(text), show, errors.NO_SUCH_ACCOUNT)


@takes(str)
def get_smart_contract_code(view: View, text: str) -> Json:
    """Answer ``GetSmartContractCode``: runtime code of the EVM, bare hex."""

    def show(_balance: int, _nonce: int, code: str) -> Json:
        if code == NO_CODE:
            raise Refused(errors.NOT_A_CONTRACT)
        return {"code": code.removeprefix(NO_CODE), "type": "evm"}

    return _ask(view, decode_address(text), show, errors.NO_SUCH_ADDRESS)


@takes(str)
def get_smart_contract_init(view: View, text: str) -> Json:
    """Answer ``GetSmartContractInit``: contracts of the EVM have no such parameters."""

    def show(_balance: int, _nonce: int, code: str) -> Json:
        raise Refused(errors.NOT_A_CONTRACT if code == NO_CODE else errors.NO_INIT_DATA)

    return _ask(view, decode_address(text), show, errors.NO_SUCH_ADDRESS)


@takes(dict)
def create_transaction(_view: View, given: dict[str, Any]) -> Json:
    """Answer ``CreateTransaction``: take a signed payment; the source checks the rest."""
    raw = encode_transaction(decode_request(given))

    def show(transaction_id: str) -> Json:
        return {"Info": "Txn processed", "TranID": transaction_id.removeprefix("0x")}

    return Forward(call=Submit(kind=Kind.ZILLIQA, raw=raw), then=show)


def decode_request(given: Mapping[str, Any]) -> SignedTransaction:
    """Read the object of ``CreateTransaction``, in the order in which the node looks at it.

    Raises:
        Refused: it is none; the fault names what is wrong first.
    """
    if given.keys() - {_OPTIONAL} != _MEMBERS:
        raise Refused(errors.MISSING_COMPONENTS)
    nonce = _integral(given["nonce"], errors.NONCE_NOT_INTEGRAL)
    amount_qa = _decimal(given["amount"], errors.INVALID_AMOUNT)
    version = _integral(given["version"], errors.VERSION_NOT_INTEGRAL)
    public_key = _sized(given["pubKey"], _KEY_DIGITS, errors.PUBLIC_KEY_SIZE)
    signature = _sized(given["signature"], _SIGNATURE_DIGITS, errors.SIGNATURE_SIZE)
    to = _recipient(given["toAddr"])
    if not isinstance(given.get(_OPTIONAL, False), bool):
        raise Refused(errors.PRIORITY_NOT_BOOLEAN)
    try:
        core = CoreInfo(
            version=version,
            nonce=nonce,
            to=to,
            public_key=bytes.fromhex(public_key),
            amount_qa=amount_qa,
            gas_price_qa=_decimal(given["gasPrice"], errors.UNPROCESSABLE),
            gas_limit=_decimal(given["gasLimit"], errors.UNPROCESSABLE),
            code=_text(given["code"]),
            data=_text(given["data"]),
        )
        return SignedTransaction(core=core, signature=bytes.fromhex(signature))
    except ValueError:  # no hex, or more bits than a member has
        raise Refused(errors.UNPROCESSABLE) from None


def _ask(
    view: View, address: Address20, show: Callable[[int, int, str], Json], absent: Fault
) -> Forward:
    """Ask for everything that makes an account exist, at the head."""

    def answered(answers: Sequence[str]) -> Json:
        balance, nonce, code = int(answers[0], 16), int(answers[1], 16), answers[2]
        if not balance and not nonce and code == NO_CODE:
            raise Refused(absent)
        return show(balance, nonce, code)

    params = {"address": "0x" + address.hex(), "at": "0x" + view.chain.head.hash.hex()}
    queries = tuple(Query(method=name, params=params) for name in ("balance", "nonce", "code"))
    return Forward(call=QueryAll(queries=queries), then=answered)


def _integral(value: Any, fault: Fault) -> int:
    """Read a number without a fraction, however it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise Refused(fault)
    return int(value)


def _decimal(value: Any, fault: Fault) -> int:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value) or int(value) >> 128:
        raise Refused(fault)
    return int(value)


def _sized(value: Any, digits: int, fault: Fault) -> str:
    if not isinstance(value, str) or len(value) != digits:
        raise Refused(fault)
    return value


def _recipient(value: Any) -> Address20:
    try:
        return decode_checksum(value if isinstance(value, str) else "")
    except ValueError:
        raise Refused(errors.WRONG_CHECKSUM) from None


def _text(value: Any) -> bytes:
    """Read a text; SDKs send null for none."""
    if value is not None and not isinstance(value, str):
        raise Refused(errors.UNPROCESSABLE)
    return (value or "").encode()


ACCOUNTS: Final[Mapping[str, Handler]] = {
    "CreateTransaction": create_transaction,
    "GetBalance": get_balance,
    "GetSmartContractCode": get_smart_contract_code,
    "GetSmartContractInit": get_smart_contract_init,
}
"""Methods about accounts, and the one that sends."""
